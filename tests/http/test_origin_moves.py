"""Changes of an appointment over HTTP: the old place until the new one is certain, by policy, by the right people."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from tests import origin_world
from tests.origin_world import Origin, Visitor


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path) as made:
        yield made
        assert await made.world.unbalanced() == []


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["code"])


async def book(visitor: Visitor, slot: int) -> httpx.Response:
    booked = await visitor.book(slot, await visitor.decision())
    assert booked.status_code == 201, booked.text
    return booked


async def slot_of(origin: Origin, booked: httpx.Response) -> int:
    slot: int = await origin.world.connection.fetchval(
        "SELECT slot FROM appointment WHERE id = $1", UUID(booked.json()["id"])
    )
    return slot


async def test_a_move_gives_the_new_place_and_frees_the_old_one(origin: Origin) -> None:
    """B5, B6: no admission is asked for, and what is written beside it says from where to where."""
    old, new = await origin.world.slot(), await origin.world.slot(site=3, hours=48)
    ana, bo = origin.visitor("ana"), origin.visitor("bo")
    booked, for_bo = await book(ana, old), await bo.decision()
    moved = await ana.move(booked, new)
    assert moved.status_code == 200, moved.text
    assert (moved.json()["id"], moved.json()["slot"]["id"], moved.json()["version"]) == (booked.json()["id"], new, 2)
    assert moved.json()["site"]["name"] == "Hall"
    assert (await origin.client.get(booked.headers["location"], headers=ana.headers)).json() == moved.json()
    assert (await bo.book(old, for_bo)).status_code == 201
    assert (
        await origin.world.count("audit_event", f"kind = 'moved' AND details = '{{\"from\":{old},\"to\":{new}}}'") == 1
    )
    assert await origin.world.count("outbox", "kind = 'moved' AND appointment_version = 2") == 1
    assert origin.metric("moved_total") == 1


async def test_the_same_key_moves_once_and_keeps_refusals(origin: Origin) -> None:
    """B4."""
    old, gone, new = [await origin.world.slot(hours=hours) for hours in (24, 25, 26)]
    ana, bo = origin.visitor("ana"), origin.visitor("bo")
    booked, theirs = await book(ana, old), await book(bo, gone)
    refused = await ana.move(booked, gone, key="k1")
    assert told(refused) == (409, "slot_gone")
    assert [each["id"] for each in refused.json()["alternatives"]] == [new]
    assert await slot_of(origin, booked) == old
    await bo.cancel(theirs)
    assert (await ana.move(booked, gone, key="k1")).json() == refused.json()
    assert told(await ana.move(booked, new, key="k1")) == (422, "key_reused")
    moved = await ana.move(booked, new, key="k2")
    assert (await ana.move(booked, gone, key="k3")).status_code == 200
    assert (await ana.move(booked, new, key="k2")).json() == moved.json()
    assert await slot_of(origin, booked) == gone


async def test_a_key_is_asked_for(origin: Origin) -> None:
    ana = origin.visitor()
    booked = await book(ana, await origin.world.slot())
    address = f"/v1/appointments/{booked.json()['id']}:reschedule"
    for key, code in ((None, "idempotency_key_missing"), ("a b", "idempotency_key_malformed")):
        headers = ana.headers | ({} if key is None else {"Idempotency-Key": key})
        assert told(await origin.client.post(address, json={"slot_id": 1}, headers=headers)) == (400, code)


async def test_a_move_that_cannot_be_is_refused_and_the_old_place_stays(origin: Origin) -> None:
    old, past, other = (
        await origin.world.slot(),
        await origin.world.slot(hours=0),
        await origin.world.slot(product="168"),
    )
    good, ana = await origin.world.slot(hours=30), origin.visitor()
    booked = await book(ana, old)
    assert [told(await ana.move(booked, slot)) for slot in (10**9, past, other)] == [
        (404, "slot_unknown"),
        (409, "slot_past"),
        (403, "ineligible"),
    ]
    assert told(await origin.visitor("eve").move(booked, good)) == (404, "appointment_unknown")
    for id_ in (str(uuid4()), "nonsense"):
        assert told(await ana.move(httpx.Response(201, json={"id": id_}), good)) == (404, "appointment_unknown")
    await origin.world.connection.execute("INSERT INTO region_freeze VALUES ('demo', 'ES-MD', now(), 'recall')")
    assert told(await ana.move(booked, good, key="k1")) == (423, "frozen")
    await origin.world.connection.execute("DELETE FROM region_freeze")
    assert await slot_of(origin, booked) == old
    assert (await ana.move(booked, good, key="k1")).status_code == 200
    await ana.cancel(booked)
    assert told(await ana.move(booked, old)) == (409, "appointment_cancelled")


async def test_the_programme_says_how_often_and_until_when_one_moves(origin: Origin) -> None:
    await origin.world.policy(moves_at_most=1, change_until=timedelta(hours=6))
    slots = [await origin.world.slot(hours=hours) for hours in (24, 25, 26)]
    ana, bo = origin.visitor("ana"), origin.visitor("bo")
    booked, theirs = await book(ana, slots[0]), await book(bo, slots[1])
    assert (await ana.move(booked, slots[0])).json()["version"] == 1  # where it is already: not counted
    assert (await ana.move(booked, slots[2])).status_code == 200
    assert told(await ana.move(booked, slots[0])) == (409, "too_often")
    origin.world.clock.advance(19 * 3600)
    assert told(await bo.move(theirs, slots[0])) == (409, "too_late")
    assert told(await bo.cancel(theirs)) == (409, "too_late")
    assert (await ana.cancel(booked)).status_code == 204


async def test_the_programme_says_how_often_one_cancels(origin: Origin) -> None:
    await origin.world.policy(cancels_at_most=1)
    slot = await origin.world.slot(capacity=3)
    first, again, bo = origin.visitor("ana"), origin.visitor("ana"), origin.visitor("bo")
    booked = await book(first, slot)
    assert (await first.cancel(booked)).status_code == 204
    second = await book(again, slot)
    assert told(await again.cancel(second)) == (409, "too_often")
    assert (await first.cancel(booked)).status_code == 204  # which it is already
    assert (await bo.cancel(await book(bo, slot))).status_code == 204


async def test_whoever_booked_for_somebody_may_change_it_and_sees_it(origin: Origin) -> None:
    slot, other, ana, carla = await origin.world.slot(), await origin.world.slot(hours=30), origin.visitor(), "carla"
    booked = await book(ana, slot)
    pseudonym = origin.state.people.pseudonym(origin_world.ISSUER, carla)
    await origin.world.connection.execute("UPDATE appointment SET booked_by = $1", pseudonym)
    for_ana = origin.visitor(carla)
    seen = await origin.client.get(booked.headers["location"], headers=for_ana.headers)
    assert seen.json() == booked.json()
    body = {"slot_id": other, "appointment_id": booked.json()["id"]}
    assert (await origin.client.post("/v1/holds", json=body, headers=for_ana.headers)).status_code == 201
    assert (await for_ana.move(booked, other)).status_code == 200
    assert (await for_ana.cancel(booked)).status_code == 204
    assert (await origin.client.get(booked.headers["location"], headers=ana.headers)).json()["status"] == "cancelled"


async def test_doses_of_a_course_keep_their_interval_and_are_cancelled_together(origin: Origin) -> None:
    await origin.world.connection.execute("INSERT INTO course VALUES ('demo', '140', 1, 21, 28)")
    first, near, second, late, far = [await origin.world.slot(hours=24 * day) for day in (1, 2, 22, 28, 40)]
    ana = origin.visitor()
    booked = await book(ana, first)
    follower = uuid4()
    await origin.world.connection.execute(
        "INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, part, follows,"
        " created_at, changed_at) SELECT $1, programme, person, 2, $2, 'confirmed', decision, admission, 2, id,"
        " created_at, changed_at FROM appointment",
        follower,
        second,
    )
    await origin.world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", second)
    theirs = httpx.Response(201, json={"id": str(follower)})
    assert told(await ana.move(booked, near)) == (409, "interval_not_kept")
    assert told(await ana.move(theirs, far)) == (409, "interval_not_kept")
    assert (await ana.move(theirs, late)).status_code == 200
    assert (await ana.move(booked, near)).status_code == 200
    assert (await ana.cancel(booked)).status_code == 204
    assert await origin.world.count("appointment", "status = 'cancelled' AND cancelled_by = 'visitor'") == 2
