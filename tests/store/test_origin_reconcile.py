"""Every slot adds up, and one that does not is found, named, and counted until it is mended."""

import pytest
import structlog

from origin.booking import reconcile
from origin.booking.reconcile import Faulty, Reconciler, faulty_slots
from origin.metrics import WorkerMetrics
from tests.origin_world import Origin


async def faulty_shown(origin: Origin, reconciler: Reconciler, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        await reconciler.step()
        found.append(origin.metric("slots_faulty"))
    return found


async def test_what_was_booked_held_and_cancelled_adds_up(origin: Origin) -> None:
    slot = await origin.world.slot(capacity=5)
    ana, bo, cleo = (origin.visitor(name) for name in ("ana", "bo", "cleo"))
    await ana.book(slot, await ana.decision())
    booked = await bo.book(slot, await bo.decision())
    await bo.client.delete(booked.headers["location"], headers=bo.headers)
    held = await origin.world.connection.fetchval(
        "SELECT held.outcome FROM decision, hold_place(gen_random_uuid(), 'demo', person, $2, ref, NULL, $3) held"
        " WHERE ref = $1",
        await cleo.decision(),
        slot,
        origin.world.clock.now(),
    )
    assert held == "held"
    assert await origin.world.connection.fetchval("SELECT remaining FROM slot") == 3
    assert await faulty_slots(origin.world.connection) == []


async def test_one_slot_of_many_is_found_and_counted_until_it_is_mended(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "AT_ONCE", 2)
    slots = [await origin.world.slot(capacity=3, hours=24 + number) for number in range(5)]
    reconciler = Reconciler(origin.state.database, WorkerMetrics(origin.state.metrics.registry))
    assert await faulty_shown(origin, reconciler, 4) == [0, 0, 0, 0]
    await origin.world.connection.execute("UPDATE slot SET remaining = 1 WHERE id = $1", slots[2])
    with structlog.testing.capture_logs() as logged:
        assert await faulty_shown(origin, reconciler, 4) == [0, 1, 1, 1]
    assert [line["slot"] for line in logged if line["event"] == "slot_does_not_add_up"] == [slots[2]]
    assert await faulty_slots(origin.world.connection) == [Faulty(slots[2], 3, 1, 0, 0)]
    await origin.world.connection.execute("UPDATE slot SET remaining = 3 WHERE id = $1", slots[2])
    assert await faulty_shown(origin, reconciler, 4) == [1, 1, 1, 1]  # until a whole round has found nothing
    assert await faulty_shown(origin, reconciler, 1) == [0]
    assert origin.metric("reconciled_total") == 3
