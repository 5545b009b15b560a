"""Holds over HTTP: a place is kept for one person for a moment, and for nobody longer than that."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from origin.sweeping import Sweeper
from tests import origin_world
from tests.origin_world import ADULT, SENIOR, Origin, Visitor


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path) as made:
        yield made
        assert await made.world.unbalanced() == []


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["code"])


async def released(visitor: Visitor, held: httpx.Response) -> httpx.Response:
    return await visitor.client.delete(held.headers["location"], headers=visitor.headers)


async def test_a_held_place_is_kept_for_its_person_alone(origin: Origin) -> None:
    slot, near = await origin.world.slot(), await origin.world.slot(hours=25)
    ana, bo = origin.visitor("ana"), origin.visitor("bo")
    for_ana, for_bo = await ana.decision(), await bo.decision()
    held = await ana.hold(slot, for_ana)
    assert held.status_code == 201, held.text
    assert held.json() | {"id": ""} == {"id": "", "slot": slot, "expires_at": "2027-03-01T09:02:00Z"}
    assert held.headers["location"] == f"/v1/holds/{held.json()['id']}"
    for refused in (await bo.hold(slot, for_bo), await bo.book(slot, for_bo)):
        assert told(refused) == (409, "slot_gone")
        assert [each["id"] for each in refused.json()["alternatives"]] == [near]
    assert (await ana.book(slot, for_ana)).status_code == 201
    assert await origin.world.count("hold") == 0


async def test_holding_again_keeps_it_no_longer_and_opening_another_gives_the_first_back(origin: Origin) -> None:
    first, second = await origin.world.slot(), await origin.world.slot(hours=25)
    ana, bo = origin.visitor("ana"), origin.visitor("bo")
    decision = await ana.decision()
    held = await ana.hold(first, decision)
    origin.world.clock.advance(60)
    assert (await ana.hold(first, decision)).json() == held.json()
    assert (await ana.hold(second, decision)).status_code == 201
    assert await origin.world.count("hold") == 1
    assert (await bo.book(first, await bo.decision())).status_code == 201


async def test_what_is_given_back_can_be_booked_at_once(origin: Origin) -> None:
    """B6."""
    slot, ana, bo = await origin.world.slot(), origin.visitor("ana"), origin.visitor("bo")
    held, for_bo = await ana.hold(slot, await ana.decision()), await bo.decision()
    assert told(await released(bo, held)) == (404, "hold_unknown")
    nonsense = await origin.client.delete("/v1/holds/nonsense", headers=ana.headers)
    assert told(nonsense) == (404, "hold_unknown")
    assert (await released(ana, held)).status_code == 204
    assert told(await released(ana, held)) == (404, "hold_unknown")
    assert (await bo.book(slot, for_bo)).status_code == 201


async def test_a_lapsed_place_goes_to_whoever_comes_first_swept_or_not(origin: Origin) -> None:
    """B6: the one who held it included."""
    slots = [await origin.world.slot(hours=24 + number) for number in range(3)]
    people = [origin.visitor(f"person-{number}") for number in range(3)]
    decisions = [await each.decision() for each in people]
    for each, slot, decision in zip(people, slots, decisions, strict=True):
        assert (await each.hold(slot, decision)).status_code == 201
    bo = origin.visitor("bo")
    for_bo = await bo.decision()
    origin.world.clock.advance(119)
    assert told(await bo.book(slots[0], for_bo)) == (409, "slot_gone")
    origin.world.clock.advance(2)
    assert (await people[1].book(slots[1], decisions[1])).status_code == 201
    assert (await bo.book(slots[0], for_bo, key="late")).status_code == 201
    assert await Sweeper(origin.state.database, origin.world.clock).free_lapsed_holds() == 1
    assert (await origin.world.count("hold"), await origin.world.count("slot", "remaining = 1")) == (0, 1)


async def test_the_programme_says_how_long_a_place_is_held(origin: Origin) -> None:
    await origin.world.connection.execute("UPDATE programme SET hold_lasts = '10 minutes'")
    ana = origin.visitor()
    held = await ana.hold(await origin.world.slot(), await ana.decision())
    assert held.json()["expires_at"] == "2027-03-01T09:10:00Z"


async def test_nothing_is_held_that_could_not_be_booked(origin: Origin) -> None:
    good, past, other = (
        await origin.world.slot(),
        await origin.world.slot(hours=0),
        await origin.world.slot(product="9"),
    )
    ana = origin.visitor()
    decision, refused = await ana.decision(SENIOR), await ana.decision(ADULT)
    wanted = [(10**9, decision), (past, decision), (good, str(uuid4())), (good, refused), (other, decision)]
    assert [told(await ana.hold(slot, ref)) for slot, ref in wanted] == [
        (404, "slot_unknown"),
        (409, "slot_past"),
        (404, "decision_unknown"),
        (403, "ineligible"),
        (403, "ineligible"),
    ]
    assert told(await origin.visitor("eve").hold(good, decision)) == (404, "decision_unknown")
    await origin.world.connection.execute("UPDATE programme SET frozen_since = now(), frozen_reason = 'recall'")
    assert told(await ana.hold(good, decision)) == (423, "frozen")
    await origin.world.connection.execute("UPDATE programme SET frozen_since = NULL, frozen_reason = NULL")
    origin.world.clock.advance(3601)
    ana.token = origin_world.admission(now=origin.world.clock.now())
    assert told(await ana.hold(good, decision)) == (403, "decision_expired")
    assert await origin.world.count("hold") == 0
    assert origin.metric("hold_refused_total", code="ineligible") == 2


async def test_a_hold_says_what_it_is_for_once_and_stands_behind_the_gate_only_for_a_booking(origin: Origin) -> None:
    slot, other, ana = await origin.world.slot(), await origin.world.slot(hours=30), origin.visitor()
    decision = await ana.decision()
    booked = await ana.book(slot, decision)
    signed_in = {"Authorization": ana.headers["Authorization"]}

    async def ask(**what_for: str) -> httpx.Response:
        return await origin.client.post("/v1/holds", json={"slot_id": other} | what_for, headers=signed_in)

    id_ = booked.json()["id"]
    assert told(await ask()) == (422, "invalid_body")
    assert told(await ask(decision_ref=decision, appointment_id=id_)) == (422, "invalid_body")
    assert told(await ask(decision_ref=decision)) == (403, "admission_missing")
    assert told(await ask(appointment_id=str(uuid4()))) == (404, "appointment_unknown")
    held = await ask(appointment_id=id_)
    assert held.status_code == 201, held.text
    assert (await ana.move(booked, other)).status_code == 200
    assert await origin.world.count("hold") == 0


async def test_a_hold_to_move_an_appointment_keeps_the_programmes_policy(origin: Origin) -> None:
    slot, other, ana, eve = await origin.world.slot(), await origin.world.slot(hours=30), origin.visitor(), "eve"
    booked = await ana.book(slot, await ana.decision())
    body = {"slot_id": other, "appointment_id": booked.json()["id"]}

    async def ask(sub: str = "ana") -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {origin_world.bearer(sub)}"}
        return told(await origin.client.post("/v1/holds", json=body, headers=headers))

    assert await ask(eve) == (404, "appointment_unknown")
    await origin.world.policy(moves_at_most=0)
    assert await ask() == (409, "too_often")
    await origin.world.policy(moves_at_most=None)
    await origin.world.connection.execute("UPDATE programme SET change_until = '25 hours'")
    assert await ask() == (409, "too_late")
    await origin.world.connection.execute("UPDATE programme SET change_until = '0'")
    assert (await ana.cancel(booked)).status_code == 204
    assert await ask() == (409, "appointment_cancelled")
