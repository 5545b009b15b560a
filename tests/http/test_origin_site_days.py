"""A site's day for its staff: who is expected, who came, and who walks in."""

from typing import Any

import httpx
import pytest

from origin.inventory.archive import archive_all
from tests.origin_world import ADULT, SENIOR, Origin, bearer
from tests.sites_world import SITE, STAFF, Clinic

DAY = "/days/2027-03-02"
_NOBODYS = "7e6f8f0e-3c2a-4f0e-9d7e-0123456789ab"


async def marked(clinic: Clinic, appointment: str, status: str) -> tuple[int, str]:
    answer = await clinic.staff("POST", f"/appointments/{appointment}:mark", {"status": status})
    return answer.status_code, str(answer.json().get("code") or answer.json()["status"])


async def walk_in(clinic: Clinic, slot: int, facts: dict[str, Any], key: str = "k1") -> httpx.Response:
    headers = {"Authorization": f"Bearer {bearer('stella', STAFF)}", "Idempotency-Key": key}
    body = {"slot_id": slot, "facts": facts}
    return await clinic.origin.client.post(f"{SITE}/walk-ins", json=body, headers=headers)


async def test_the_day_is_listed_by_time_with_what_staff_need_and_nothing_more(origin: Origin, clinic: Clinic) -> None:
    late, early = await origin.world.slot(capacity=2, hours=30), await origin.world.slot(capacity=2)
    await origin.world.slot(hours=48)
    await origin.world.slot(site=2)
    people = await clinic.booked(late, "ana", "bruno")
    carmen = await clinic.booked(early, "carmen")
    await origin.client.delete(f"/v1/appointments/{people[1][1]}", headers=people[1][0].headers)
    seen = (await clinic.staff("GET", DAY)).json()
    assert (seen["site"], seen["name"], seen["day"]) == ("1", "Health centre", "2027-03-02")
    assert [(each["id"], each["starts_at"], each["remaining"]) for each in seen["slots"]] == [
        (early, "2027-03-02T10:00:00+01:00", 1),
        (late, "2027-03-02T16:00:00+01:00", 1),
    ]
    assert [[who["id"] for who in each["appointments"]] for each in seen["slots"]] == [[carmen[0][1]], [people[0][1]]]
    (who,) = seen["slots"][0]["appointments"]
    assert who == {"id": carmen[0][1], "reference": who["reference"], "status": "confirmed", "dose": 1}
    assert who["reference"] == f"{carmen[0][1][-8:-4]}-{carmen[0][1][-4:]}".upper()


async def test_a_day_is_the_sites_own(origin: Origin, clinic: Clinic) -> None:
    await origin.world.slot(hours=14.5)  # 23:30 UTC is half past midnight in Madrid
    assert len((await clinic.staff("GET", DAY)).json()["slots"]) == 1
    assert (await clinic.staff("GET", "/days/2027-03-01")).json()["slots"] == []
    assert (await clinic.staff("GET", "/days/tomorrow")).status_code == 404


async def test_a_day_that_is_over_lists_what_was_archived_too_as_it_was(origin: Origin, clinic: Clinic) -> None:
    free, taken, _ = (
        await origin.world.slot(capacity=3),
        await origin.world.slot(hours=26),
        await origin.world.slot(site=2),
    )
    empty = await origin.world.slot(hours=25, capacity=2)
    await clinic.booked(taken, "ana")
    await clinic.cancel(empty, 0)
    origin.world.clock.advance(60 * 24 * 3600)
    before = (await clinic.staff("GET", DAY)).json()["slots"]
    now = origin.world.clock.now()
    assert await archive_all(origin.world.connection, 30, now, lambda *_: None) == 3
    after = (await clinic.staff("GET", DAY)).json()["slots"]
    assert [each["id"] for each in after] == [free, empty, taken]
    assert [each["is_cancelled"] for each in after] == [False, True, False]
    assert after == before


async def test_people_are_checked_in_completed_and_marks_taken_back_each_with_its_audit_row(
    origin: Origin, clinic: Clinic
) -> None:
    ((_, appointment),) = await clinic.booked(await origin.world.slot(), "ana")
    assert await marked(clinic, appointment, "checked_in") == (409, "mark_early")
    origin.world.clock.advance(23 * 3600)
    assert await marked(clinic, appointment, "no_show") == (409, "mark_early")
    assert await marked(clinic, appointment, "completed") == (409, "mark_refused")
    for status in ("checked_in", "checked_in", "completed", "checked_in", "confirmed"):
        assert await marked(clinic, appointment, status) == (200, status)
    origin.world.clock.advance(2 * 3600)
    for status in ("no_show", "checked_in", "completed"):
        assert await marked(clinic, appointment, status) == (200, status)
    rows = await origin.world.connection.fetch(
        "SELECT actor, details->>'to' AS status FROM audit_event WHERE kind = 'marked' ORDER BY at, details->>'to'"
    )
    assert len(rows) == 7
    assert {row["actor"] for row in rows} == {STAFF}
    assert await clinic.books_add_up()


async def test_nothing_of_another_site_is_marked_and_what_is_cancelled_stays_so(origin: Origin, clinic: Clinic) -> None:
    elsewhere = await clinic.booked(await origin.world.slot(site=2, hours=1), "ana")
    here = await clinic.booked(await origin.world.slot(hours=1), "bruno")
    assert await marked(clinic, elsewhere[0][1], "checked_in") == (404, "appointment_unknown")
    assert await marked(clinic, "x", "checked_in") == (404, "appointment_unknown")
    await origin.client.delete(f"/v1/appointments/{here[0][1]}", headers=here[0][0].headers)
    assert await marked(clinic, here[0][1], "checked_in") == (409, "mark_refused")


async def test_a_no_show_who_has_booked_again_does_not_come_back_to_life(origin: Origin, clinic: Clinic) -> None:
    """B2."""
    ((_, appointment),) = await clinic.booked(await origin.world.slot(hours=1), "ana")
    again = await origin.world.slot(hours=30)
    origin.world.clock.advance(2 * 3600)
    assert await marked(clinic, appointment, "no_show") == (200, "no_show")
    await clinic.booked(again, "ana")
    assert await marked(clinic, appointment, "checked_in") == (409, "mark_refused")


async def test_who_walks_in_gets_a_free_place_by_the_same_rules_once(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot(hours=1)
    refused = await walk_in(clinic, slot, ADULT, key="k0")
    assert (refused.status_code, refused.json()["code"]) == (403, "ineligible")
    assert refused.json()["reasons"]
    first, again = await walk_in(clinic, slot, SENIOR), await walk_in(clinic, slot, SENIOR)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    other = await walk_in(clinic, slot, ADULT | {"birth_date": "1940-01-01"})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    full = await walk_in(clinic, slot, SENIOR, key="k2")
    assert (full.status_code, full.json()["code"]) == (409, "slot_gone")
    assert await marked(clinic, first.json()["id"], "checked_in") == (200, "checked_in")
    rows = await origin.world.connection.fetch(
        "SELECT kind, actor FROM audit_event WHERE about = $1", first.json()["id"]
    )
    assert {(row["kind"], row["actor"]) for row in rows} == {
        ("booked", "visitor"),
        ("walked_in", STAFF),
        ("marked", STAFF),
    }
    assert origin.metric("walked_in_total") == 1


async def test_who_walks_in_takes_nobodys_place(origin: Origin, clinic: Clinic) -> None:
    slot, elsewhere = await origin.world.slot(hours=1), await origin.world.slot(site=2, hours=1)
    cancelled = await origin.world.slot(hours=2)
    await clinic.booked(slot, "ana")
    await clinic.cancel(cancelled, 0)
    await origin.world.connection.execute("UPDATE programme SET frozen_since = now(), frozen_reason = 'r'")
    assert (await walk_in(clinic, slot, SENIOR)).json()["code"] == "frozen"
    await origin.world.connection.execute("UPDATE programme SET frozen_since = NULL, frozen_reason = NULL")
    assert (await walk_in(clinic, slot, SENIOR)).json()["code"] == "slot_gone"
    assert (await walk_in(clinic, cancelled, SENIOR)).json()["code"] == "slot_gone"
    assert (await walk_in(clinic, elsewhere, SENIOR)).json()["code"] == "slot_unknown"
    origin.world.clock.advance(3600)
    assert (await walk_in(clinic, slot, SENIOR)).json()["code"] == "slot_past"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", SITE + DAY, None),
        ("POST", f"{SITE}/appointments/{_NOBODYS}:mark", {"status": "checked_in"}),
        ("POST", f"{SITE}/walk-ins", {"slot_id": 1, "facts": {}}),
    ],
)
async def test_every_call_needs_its_role(origin: Origin, method: str, path: str, body: dict[str, Any] | None) -> None:
    """U5, for what staff of a site do."""
    for role in (None, "visitor", "support", "operator", STAFF, "site_staff", "site_staff:2"):
        headers = {"Idempotency-Key": "k"} | ({} if role is None else {"Authorization": f"Bearer {bearer('x', role)}"})
        answer = await origin.client.request(method, path, json=body, headers=headers)
        assert (answer.status_code == 401) == (role is None)
        assert (answer.status_code == 403) == (role not in {None, "operator", STAFF}), (role, answer.text)
