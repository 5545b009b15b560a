"""A site cancels slots over HTTP: nothing is booked there any more, and everybody in them gets an answer to give."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import origin_world
from tests.origin_world import START, Origin, bearer
from tests.sites_world import SITE, STAFF, Clinic
from tests.supply_world import Desk, row, slots_csv


async def test_a_dry_run_names_who_is_in_the_way_and_does_nothing(origin: Origin, clinic: Clinic) -> None:
    slot, other = await origin.world.slot(capacity=3), await origin.world.slot(capacity=3, hours=25)
    ((_, appointment),) = await clinic.booked(slot, "ana")
    window = {"from": START.isoformat(), "to": (START + timedelta(days=2)).isoformat(), "reason": "snowed in"}
    seen = (await clinic.staff("POST", ":cancel", window)).json()
    assert (seen["slots"], seen["confirm"]) == (2, 1)
    (named,) = seen["appointments"]
    assert (named["id"], named["reference"].replace("-", "")) == (appointment, appointment[-8:].upper())
    assert named["starts_at"] == "2027-03-02T10:00:00+01:00"
    assert await origin.world.count("site_cancellation") == 0
    assert await origin.world.count("slot", "remaining > 0") == 2
    assert (await origin.visitor("bruno").book(other, await origin.visitor("bruno").decision())).status_code == 201


async def test_from_the_moment_it_is_cancelled_nothing_is_booked_there_whoever_leaves(
    origin: Origin, clinic: Clinic
) -> None:
    slot = await origin.world.slot(capacity=3)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    bruno = origin.visitor("bruno")
    decision = await bruno.decision()
    assert (await bruno.book(slot, decision)).json()["code"] == "slot_gone"
    gone = await origin.client.delete(f"/v1/appointments/{appointment}", headers=ana.headers)
    assert gone.status_code == 204
    assert (await bruno.book(slot, decision)).json()["code"] == "slot_gone"
    assert await clinic.books_add_up()
    assert await clinic.work() == 1
    assert await clinic.progress(cancellation) == {"left": 1}
    assert await origin.world.count("slot", "capacity = 0 AND remaining = 0") == 1


async def test_a_place_that_was_held_there_is_not_booked_either(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot(capacity=2)
    bruno = origin.visitor("bruno")
    decision = await bruno.decision()
    person = await origin.world.connection.fetchval("SELECT person FROM decision")
    held = await origin.world.connection.fetchval(
        "SELECT outcome FROM hold_place($1, 'demo', $2, $3, $4::text::uuid, NULL, $5)",
        uuid4(),
        person,
        slot,
        decision,
        START,
    )
    assert held == "held"
    await clinic.cancel(slot, 0)
    assert (await bruno.book(slot, decision)).json()["code"] == "slot_gone"
    assert await clinic.books_add_up()


async def test_no_file_opens_a_cancelled_slot_again(origin: Origin, clinic: Clinic, tmp_path: Path) -> None:
    desk = Desk(origin.world, tmp_path)
    await desk.bring(slots_csv(row(9, 4)))
    slot = await origin.world.connection.fetchval("SELECT id FROM slot")
    await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    await desk.bring(slots_csv(row(9, 7)), booked="cut")
    bruno = origin.visitor("bruno")
    assert (await bruno.book(slot, await bruno.decision())).json()["code"] == "slot_gone"
    assert await origin.world.count("slot", "capacity = 1 AND remaining = 0") == 1


async def test_another_number_of_people_than_confirmed_changes_nothing(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot(capacity=3)
    await clinic.booked(slot, "ana", "bruno")
    refused = await clinic.staff("POST", ":cancel", {"slot_id": slot, "reason": "snowed in", "confirm": 1})
    assert (refused.status_code, refused.json()["code"], refused.json()["people"]) == (409, "people_changed", 2)
    assert await origin.world.count("slot", "cancellation IS NULL AND capacity = 3 AND remaining = 1") == 1
    assert await origin.world.count("displaced") == 0
    await clinic.cancel(slot, 2)
    again = await clinic.staff("POST", ":cancel", {"slot_id": slot, "reason": "snowed in", "confirm": 0})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_cancel")


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "r"},
        {"reason": "r", "slot_id": 1, "from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z"},
        {"reason": "r", "from": "2027-03-02T00:00:00Z"},
        {"reason": "r", "from": "2027-03-03T00:00:00Z", "to": "2027-03-02T00:00:00Z"},
        {"reason": "", "slot_id": 1},
        {"slot_id": 1},
    ],
)
async def test_what_is_not_said_clearly_is_not_done(clinic: Clinic, body: dict[str, Any]) -> None:
    refused = await clinic.staff("POST", ":cancel", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")


async def test_the_nearest_time_is_offered_held_and_told_and_accepting_moves_the_appointment(
    origin: Origin, clinic: Clinic
) -> None:
    await origin.world.connection.execute("UPDATE programme SET moves_at_most = 0")
    slot = await origin.world.slot(capacity=3)
    far, near = await origin.world.slot(site=2, hours=24), await origin.world.slot(hours=25)
    await origin.world.slot(hours=23, product="197")
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    waiting = await clinic.offer(ana)
    assert (waiting["state"], waiting["slot"], waiting["reason"]) == ("waiting", None, "snowed in")
    assert await clinic.work() == 1
    offer = await clinic.offer(ana)
    assert (offer["state"], offer["slot"]["id"], offer["before"]["site"]) == ("offered", near, "Health centre")
    assert offer["until"] == "2027-03-02T08:00:00Z"  # two hours before the time offered
    assert await clinic.told(appointment) == ["booked", "offered"]
    assert await clinic.progress(cancellation) == {"offered": 1}
    bruno = origin.visitor("bruno")
    assert (await bruno.book(near, await bruno.decision())).json()["code"] == "slot_gone"

    accepted = await clinic.answer(ana, "accept", offer)
    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    again = await clinic.answer(ana, "accept", offer)
    assert (again.status_code, again.json()["state"]) == (200, "accepted")
    moved = (await origin.client.get(f"/v1/appointments/{appointment}", headers=ana.headers)).json()
    assert (moved["status"], moved["slot"]["id"]) == ("confirmed", near)
    assert await clinic.told(appointment) == ["booked", "offered", "moved"]
    assert await origin.world.count("appointment", "moves = 0") == 1
    assert await clinic.progress(cancellation) == {"accepted": 1}
    assert await origin.world.count("hold") == 0
    assert await clinic.books_add_up()
    assert await clinic.work() == 0
    assert await origin.world.count("slot", f"id = {far} AND remaining = 1") == 1


async def test_who_asks_for_another_time_keeps_this_one_until_there_is(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot()
    first, second = await origin.world.slot(hours=72), await origin.world.slot(hours=96)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    await clinic.work()
    offer = await clinic.offer(ana)
    assert offer["slot"]["id"] == first
    origin.world.clock.advance(3600)
    other = (await clinic.answer(ana, "another", offer)).json()
    assert (other["slot"]["id"], other["until"]) == (second, offer["until"])
    stale = await clinic.answer(ana, "accept", offer)
    assert (stale.status_code, stale.json()["code"]) == (409, "offer_changed")
    none = await clinic.answer(ana, "another", other)
    assert (none.status_code, none.json()["code"]) == (409, "no_other_time")
    assert (await clinic.offer(ana))["slot"]["id"] == second
    assert await clinic.told(appointment) == ["booked", "offered", "offered"]
    assert (await clinic.answer(ana, "accept", other)).status_code == 200


async def test_an_offer_that_is_not_answered_ends_with_notice_and_a_way_back(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot()
    near = await origin.world.slot(hours=80)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    await clinic.work()
    offer = await clinic.offer(ana)
    early = await origin.client.post(f"/v1/appointments/{appointment}:return", headers=ana.headers)
    assert (early.status_code, early.json()["code"]) == (409, "no_way_back")
    origin.world.clock.advance(48 * 3600)
    late = await clinic.answer(ana, "accept", offer)
    assert (late.status_code, late.json()["code"]) == (409, "offer_over")
    assert await clinic.work() == 1
    assert await clinic.progress(cancellation) == {"lapsed": 1}
    assert await clinic.told(appointment) == ["booked", "offered", "cancelled"]
    seen = (await origin.client.get(f"/v1/appointments/{appointment}", headers=ana.headers)).json()
    assert seen["status"] == "cancelled"
    assert await clinic.books_add_up()

    assert (await clinic.offer(ana))["may_return"]
    back = await origin.client.post(f"/v1/appointments/{appointment}:return", headers=ana.headers)
    assert (back.status_code, back.json()["programme"]) == (200, "demo")
    cookies = {"Cookie": f"vestibule_admission={back.cookies['vestibule_admission']}"}
    signed = {"Authorization": f"Bearer {bearer('ana')}"} | cookies
    origin.client.cookies.clear()
    asked = await origin.client.post("/v1/eligibility:evaluate", json={"facts": origin_world.SENIOR}, headers=signed)
    body = {"slot_id": near, "decision_ref": asked.json()["decision_ref"]}
    booked = await origin.client.post("/v1/appointments", json=body, headers=signed | {"Idempotency-Key": "k1"})
    assert booked.status_code == 201, booked.text
    twice = await origin.client.post(f"/v1/appointments/{appointment}:return", headers=ana.headers)
    assert (twice.status_code, twice.json()["code"]) == (409, "no_way_back")


async def test_who_declines_is_cancelled_and_may_come_back_for_thirty_days(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot()
    near = await origin.world.slot(hours=72)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    await clinic.work()
    declined = (await clinic.answer(ana, "decline", await clinic.offer(ana))).json()
    assert (declined["state"], declined["may_return"]) == ("declined", True)
    assert await clinic.progress(cancellation) == {"declined": 1}
    assert await origin.world.count("slot", f"id = {near} AND remaining = 1") == 1
    assert await origin.world.count("appointment", "cancelled_by = 'site'") == 1
    bruno = origin.visitor("bruno")
    foreign = await origin.client.post(f"/v1/appointments/{appointment}:return", headers=bruno.headers)
    assert (foreign.status_code, foreign.json()["code"]) == (409, "no_way_back")
    origin.world.clock.advance(30 * 86_400)
    over = await origin.client.post(f"/v1/appointments/{appointment}:return", headers=ana.headers)
    assert over.json()["code"] == "no_way_back"


async def test_where_there_is_no_other_time_nobody_is_left_in_silence(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot()
    await origin.world.slot(site=3)  # an ocean away
    await origin.world.slot(hours=24 * 30)  # too late
    await origin.world.slot(product="197")
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    assert await clinic.work() == 1
    assert await clinic.progress(cancellation) == {"none_found": 1}
    assert await clinic.told(appointment) == ["booked", "cancelled"]
    assert (await clinic.offer(ana))["may_return"]
    seen = (await clinic.staff("GET", "/cancellations")).json()["cancellations"]
    assert [(each["id"], each["is_finished"], each["people"]) for each in seen] == [(cancellation, True, 1)]


async def test_a_second_dose_is_offered_only_inside_its_interval(origin: Origin, clinic: Clinic) -> None:
    await origin.world.connection.execute("INSERT INTO course VALUES ('demo', '140', 1, 21, 28)")
    first, second = await origin.world.slot(hours=24), await origin.world.slot(hours=24 * 23)
    too_soon, inside = await origin.world.slot(hours=24 * 21), await origin.world.slot(hours=24 * 28)
    ((ana, _),) = await clinic.booked(first, "ana")
    await origin.world.connection.execute(
        "INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, part, follows,"
        " created_at, changed_at) SELECT gen_random_uuid(), programme, person, 2, $1, status, decision, admission, 2,"
        " id, created_at, changed_at FROM appointment",
        second,
    )
    await origin.world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", second)
    await clinic.cancel(second, 1)
    await clinic.work()
    offer = await clinic.offer(ana)
    assert offer["slot"]["id"] == inside
    assert offer["slot"]["id"] != too_soon
    assert (await clinic.answer(ana, "accept", offer)).status_code == 200
    assert await clinic.books_add_up()


async def test_a_slot_that_was_offered_and_is_cancelled_too_gives_way_to_another(
    origin: Origin, clinic: Clinic
) -> None:
    slot, first = await origin.world.slot(), await origin.world.slot(hours=72)
    second = await origin.world.slot(hours=96)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    await clinic.work()
    offer = await clinic.offer(ana)
    assert offer["slot"]["id"] == first
    await clinic.cancel(first, 0)
    gone = await clinic.answer(ana, "accept", offer)
    assert (gone.status_code, gone.json()["code"]) == (409, "slot_gone")
    assert await clinic.work() == 1
    assert (await clinic.offer(ana))["slot"]["id"] == second
    assert await clinic.told(appointment) == ["booked", "offered", "offered"]
    assert await clinic.books_add_up()


async def test_while_a_programme_is_frozen_nothing_is_offered_accepted_or_lapses(
    origin: Origin, clinic: Clinic
) -> None:
    slot, near = await origin.world.slot(), await origin.world.slot(hours=100)
    ((ana, _),) = await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    await clinic.work()
    offer = await clinic.offer(ana)
    freeze = "UPDATE programme SET frozen_since = now(), frozen_reason = 'r'"
    await origin.world.connection.execute(freeze)
    assert (await clinic.answer(ana, "accept", offer)).json()["code"] == "frozen"
    origin.world.clock.advance(48 * 3600)
    await clinic.work()
    assert await clinic.progress(cancellation) == {"waiting": 1}
    assert await clinic.work() == 0
    await origin.world.connection.execute("UPDATE programme SET frozen_since = NULL, frozen_reason = NULL")
    await clinic.work()
    offer = await clinic.offer(ana)
    assert offer["slot"]["id"] == near
    assert (await clinic.answer(ana, "accept", offer)).status_code == 200


async def test_who_moves_by_themselves_to_the_time_offered_has_it(origin: Origin, clinic: Clinic) -> None:
    slot, near = await origin.world.slot(), await origin.world.slot(hours=72)
    await clinic.booked(slot, "ana")
    cancellation = await clinic.cancel(slot, 1)
    await clinic.work()
    outcome = await origin.world.connection.fetchval(
        "SELECT r.outcome FROM appointment a, reschedule(a.person, 'k', 'f', a.id, $1, $2) r", near, START
    )
    assert outcome == "moved"
    assert await clinic.work() == 1
    assert await clinic.progress(cancellation) == {"accepted": 1}
    assert await clinic.books_add_up()


_NOBODYS = "7e6f8f0e-3c2a-4f0e-9d7e-0123456789ab"
_OFFER = f"/v1/offers/{_NOBODYS}"
_ANSWER = {"slot_id": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "roles"),
    [
        ("POST", f"{SITE}:cancel", {"slot_id": 1, "reason": "r"}, {"operator", STAFF}),
        ("GET", f"{SITE}/cancellations", None, {"operator", STAFF}),
        ("GET", f"{SITE}/cancellations/{_NOBODYS}", None, {"operator", STAFF}),
        ("GET", "/v1/offers", None, None),
        ("GET", _OFFER, None, None),
        ("POST", f"{_OFFER}:accept", _ANSWER, None),
        ("POST", f"{_OFFER}:another", _ANSWER, None),
        ("POST", f"{_OFFER}:decline", _ANSWER, None),
        ("POST", f"/v1/appointments/{_NOBODYS}:return", None, None),
    ],
)
async def test_every_call_needs_its_role(
    origin: Origin, method: str, path: str, body: dict[str, Any] | None, roles: set[str] | None
) -> None:
    """U5, for sites that cancel and people who answer; a site's staff are nobody elsewhere."""
    others = ("visitor", "support", "rules_author", "site_staff", "site_staff:2", "site_staff:11")
    for role in (None, "operator", STAFF, *others):
        headers = {} if role is None else {"Authorization": f"Bearer {bearer('someone', role)}"}
        answer = await origin.client.request(method, path, json=body, headers=headers)
        assert (answer.status_code == 401) == (role is None)
        forbidden = role is not None and roles is not None and role not in roles
        assert (answer.status_code == 403) == forbidden, (role, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/v1/admin/sites/nowhere:cancel", {"slot_id": 1, "reason": "r"}, "site_unknown"),
        ("GET", "/v1/admin/sites/n%20o/cancellations", None, "site_unknown"),
        ("GET", f"{SITE}/cancellations/{_NOBODYS}", None, "cancellation_unknown"),
        ("GET", f"{SITE}/cancellations/x", None, "cancellation_unknown"),
        ("GET", _OFFER, None, "offer_unknown"),
        ("GET", "/v1/offers/x", None, "offer_unknown"),
        ("POST", f"{_OFFER}:accept", _ANSWER, "offer_unknown"),
    ],
)
async def test_what_is_not_there_is_said_so(
    origin: Origin, method: str, path: str, body: dict[str, Any] | None, code: str
) -> None:
    headers = {"Authorization": f"Bearer {bearer('olga', 'operator')}"}
    answer = await origin.client.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_nobody_sees_or_answers_anybody_elses_offer(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot()
    await origin.world.slot(hours=72)
    ((ana, _),) = await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    await clinic.work()
    offer, bruno = await clinic.offer(ana), origin.visitor("bruno")
    assert (await origin.client.get("/v1/offers", headers=bruno.headers)).json() == {"offers": []}
    for what in ("accept", "another", "decline"):
        assert (await clinic.answer(bruno, what, offer)).json()["code"] == "offer_unknown"


async def test_reasons_and_names_stay_out_of_the_audit(origin: Origin, clinic: Clinic) -> None:
    """U3."""
    await clinic.cancel(await origin.world.slot(), 0)
    rows = await origin.world.connection.fetch("SELECT kind, actor, details::text FROM audit_event")
    assert [(row["kind"], row["actor"]) for row in rows] == [("slots_cancelled", STAFF)]
    assert "stella" not in str(rows)
    assert "snowed in" not in str(rows)
