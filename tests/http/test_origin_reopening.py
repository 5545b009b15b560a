"""A site opens cancelled slots again over HTTP: free places for anybody, once everybody who was there has an answer."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.origin_world import Origin, bearer
from tests.sites_world import SITE, STAFF, Clinic
from tests.supply_world import Desk, row, slots_csv

WHY = "the heating works again"
DAY = {"from": "2027-03-02T00:00:00+01:00", "to": "2027-03-03T00:00:00+01:00"}


async def reopen(clinic: Clinic, **form: Any) -> httpx.Response:
    return await clinic.staff("POST", ":reopen", {"reason": WHY} | form)


async def refused(clinic: Clinic, **form: Any) -> tuple[int, str]:
    answer = await reopen(clinic, **form)
    return answer.status_code, answer.json()["code"]


async def free(origin: Origin, slot: int) -> tuple[int, int]:
    """The places of a slot, and those that remain."""
    seen = await origin.world.connection.fetchrow("SELECT capacity, remaining FROM slot WHERE id = $1", slot)
    assert seen is not None
    return seen["capacity"], seen["remaining"]


async def test_a_slot_is_open_again_with_the_places_it_had_and_nobody_is_moved_back(
    origin: Origin, clinic: Clinic
) -> None:
    slot, near = await origin.world.slot(capacity=3), await origin.world.slot(hours=72)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    await clinic.work()
    await clinic.answer(ana, "accept", await clinic.offer(ana))
    done = await reopen(clinic, slot_id=slot)
    told = done.json()
    assert (done.status_code, told["slots"], told["places"]) == (201, 1, 3)
    assert (told["first"], told["reason"], told["actor"]) == ("2027-03-02T10:00:00+01:00", WHY, "stella")
    moved = (await origin.client.get(f"/v1/appointments/{appointment}", headers=ana.headers)).json()
    assert (moved["status"], moved["slot"]["id"]) == ("confirmed", near)
    assert await clinic.told(appointment) == ["booked", "offered", "moved"]
    await clinic.booked(slot, "bruno", "carmen", "diego")
    eva = origin.visitor("eva")
    assert (await eva.book(slot, await eva.decision())).json()["code"] == "slot_gone"
    assert await clinic.books_add_up()
    seen = (await clinic.staff("GET", f"/cancellations/{cancellation}")).json()
    assert (seen["slots"], seen["reopened"], seen["is_finished"]) == (1, 1, True)
    assert (await clinic.staff("GET", "/reopenings")).json() == {"reopenings": [told]}


async def test_while_anybody_has_no_answer_yet_nothing_is_opened(origin: Origin, clinic: Clinic) -> None:
    first, second = await origin.world.slot(capacity=2), await origin.world.slot(hours=25)
    await origin.world.slot(hours=100)
    ((ana, _),) = await clinic.booked(first, "ana")
    cancelled = await clinic.staff("POST", ":cancel", DAY | {"reason": "snowed in", "confirm": 1})
    assert cancelled.status_code == 201
    for _ in range(2):  # she waits for an offer, then she has one
        for form in ({"slot_id": first}, {"slot_id": second}, DAY):
            running = await reopen(clinic, **form)
            assert (running.status_code, running.json()["code"], running.json()["people"]) == (
                409,
                "cancellation_runs",
                1,
            )
        assert await origin.world.count("slot", "cancellation IS NOT NULL") == 2
        await clinic.work()
    await clinic.answer(ana, "decline", await clinic.offer(ana))
    assert (await reopen(clinic, **DAY)).json()["places"] == 3
    assert (await free(origin, first), await free(origin, second)) == ((2, 2), (1, 1))
    assert await origin.world.count("audit_event", "kind = 'slots_reopened'") == 1


async def test_whose_appointment_ended_may_come_back_to_the_open_slot(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot()
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    await clinic.work()
    assert (await reopen(clinic, slot_id=slot)).status_code == 201
    assert (await origin.client.get(f"/v1/appointments/{appointment}", headers=ana.headers)).json()["status"] == (
        "cancelled"
    )
    back = await origin.client.post(f"/v1/appointments/{appointment}:return", headers=ana.headers)
    signed = {"Authorization": ana.headers["Authorization"]}
    signed["Cookie"] = f"vestibule_admission={back.cookies['vestibule_admission']}"
    origin.client.cookies.clear()
    body = {"slot_id": slot, "decision_ref": await ana.decision()}
    booked = await origin.client.post("/v1/appointments", json=body, headers=signed | {"Idempotency-Key": "k1"})
    assert booked.status_code == 201, booked.text
    assert await clinic.books_add_up()


async def test_what_is_over_open_or_elsewhere_is_not_opened(origin: Origin, clinic: Clinic) -> None:
    slot, never, other = await origin.world.slot(), await origin.world.slot(hours=25), await origin.world.slot(site=2)
    await clinic.cancel(slot, 0)
    for form in ({"slot_id": never}, {"slot_id": other}, {"slot_id": 2**62}):
        assert await refused(clinic, **form) == (409, "nothing_to_reopen")
    assert (await reopen(clinic, slot_id=slot)).status_code == 201
    assert await refused(clinic, slot_id=slot) == (409, "nothing_to_reopen")
    await clinic.cancel(slot, 0)
    origin.world.clock.advance(24 * 3600)
    assert await refused(clinic, slot_id=slot) == (409, "nothing_to_reopen")
    assert await refused(clinic, **DAY) == (409, "nothing_to_reopen")


async def test_it_is_opened_with_other_places_and_cancelled_and_opened_once_more(
    origin: Origin, clinic: Clinic
) -> None:
    slot = await origin.world.slot(capacity=5)
    await clinic.cancel(slot, 0)
    assert (await reopen(clinic, slot_id=slot, places=2)).json()["places"] == 2
    await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    await clinic.work()
    assert (await reopen(clinic, slot_id=slot)).json()["places"] == 2
    assert await free(origin, slot) == (2, 2)
    assert [each["reopened"] for each in (await clinic.staff("GET", "/cancellations")).json()["cancellations"]] == [
        1,
        1,
    ]


async def test_who_was_checked_in_before_keeps_the_place(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot(capacity=3)
    ((_, appointment),) = await clinic.booked(slot, "ana")
    origin.world.clock.advance(22 * 3600)
    marked = await clinic.staff("POST", f"/appointments/{appointment}:mark", {"status": "checked_in"})
    assert marked.status_code == 200
    await clinic.cancel(slot, 0)
    assert (await reopen(clinic, slot_id=slot)).json()["places"] == 2
    assert await free(origin, slot) == (3, 2)
    assert await clinic.books_add_up()


async def test_an_opened_slot_is_brought_by_file_like_any_other(origin: Origin, clinic: Clinic, tmp_path: Path) -> None:
    desk = Desk(origin.world, tmp_path)
    await desk.bring(slots_csv(row(9, 4)))
    slot = await origin.world.connection.fetchval("SELECT id FROM slot")
    await clinic.cancel(slot, 0)
    assert (await reopen(clinic, slot_id=slot)).status_code == 201
    await desk.bring(slots_csv(row(9, 7)))
    assert await free(origin, slot) == (7, 7)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"slot_id": 1} | DAY,
        {"from": DAY["from"]},
        {"from": DAY["to"], "to": DAY["from"]},
        {"slot_id": 1, "reason": ""},
        {"slot_id": 1, "places": 0},
        {"slot_id": 1, "places": 100_001},
        {"slot_id": 1, "confirm": 0},
    ],
)
async def test_what_is_not_said_clearly_is_not_done(clinic: Clinic, form: dict[str, Any]) -> None:
    assert await refused(clinic, **form) == (422, "invalid_body")


async def test_the_audit_says_what_and_which_role_and_no_name_or_reason(origin: Origin, clinic: Clinic) -> None:
    """U1, U3."""
    slot = await origin.world.slot(capacity=4)
    await clinic.cancel(slot, 0)
    done = (await reopen(clinic, slot_id=slot)).json()
    audited = await origin.world.connection.fetchrow(
        "SELECT actor, about::text, details FROM audit_event WHERE kind = 'slots_reopened'"
    )
    assert audited is not None
    assert (audited["actor"], audited["about"]) == (STAFF, done["id"])
    assert msgspec.json.decode(audited["details"]) == {"site": 1, "slots": [slot], "places": 4}


@pytest.mark.parametrize(("method", "path"), [("POST", f"{SITE}:reopen"), ("GET", f"{SITE}/reopenings")])
async def test_every_call_needs_its_role(origin: Origin, method: str, path: str) -> None:
    """U5, for sites that open times again."""
    body = {"slot_id": 1, "reason": "r"} if method == "POST" else None
    others = ("visitor", "support", "rules_author", "site_staff", "site_staff:2", "site_staff:11")
    for role in (None, "operator", STAFF, *others):
        headers = {} if role is None else {"Authorization": f"Bearer {bearer('someone', role)}"}
        answer = await origin.client.request(method, path, json=body, headers=headers)
        assert (answer.status_code == 401) == (role is None)
        assert (answer.status_code == 403) == (role in others), (role, answer.text)
    nowhere = path.replace("/sites/1", "/sites/nowhere")
    headers = {"Authorization": f"Bearer {bearer('olga', 'operator')}"}
    unknown = await origin.client.request(method, nowhere, json=body, headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "site_unknown")
