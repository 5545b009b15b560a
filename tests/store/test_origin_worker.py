"""What the worker sweeps, and what it leaves alone."""

import asyncio
import os
import signal
import sys

from origin.metrics import WorkerMetrics
from origin.notify.backlog import Backlog
from origin.sweeping import Sweeper
from tests import origin_world
from tests.origin_world import Origin


def sweeper_of(origin: Origin) -> Sweeper:
    return Sweeper(origin.state.database, origin.world.clock)


async def swept(sweeper: Sweeper) -> tuple[int, int]:
    """How many keys and how many facts go now."""
    return await sweeper.forget_keys(), await sweeper.erase_facts()


async def test_answers_are_kept_for_24_hours_and_facts_as_long_as_their_decision(origin: Origin) -> None:
    slot, ana, sweeper = await origin.world.slot(capacity=2, hours=200), origin.visitor(), sweeper_of(origin)
    decision = await ana.decision()
    booked = await ana.book(slot, decision, key="k1")
    origin.world.clock.advance(3599)
    assert await swept(sweeper) == (0, 0)
    origin.world.clock.advance(2)
    assert await swept(sweeper) == (0, 1)
    assert await origin.world.count("decision", "facts_sealed IS NULL AND outcome = 'eligible'") == 1
    origin.world.clock.advance(24 * 3600 - 3602)
    assert await swept(sweeper) == (0, 0)
    ana.token = origin_world.admission(now=origin.world.clock.now())
    assert await origin.world.count("idempotency") == 1
    origin.world.clock.advance(2)
    assert await swept(sweeper) == (1, 0)
    assert await origin.world.count("appointment") == 1
    assert (await origin.client.get(booked.headers["location"], headers=ana.headers)).status_code == 200


async def test_many_are_swept_in_small_batches(origin: Origin) -> None:
    await origin.world.connection.execute(
        "INSERT INTO idempotency SELECT 'x', n::text, 'f', 201, '{}', $1 FROM generate_series(1, 2500) n",
        origin_world.START,
    )
    origin.world.clock.advance(24 * 3600 + 1)
    assert await sweeper_of(origin).forget_keys() == 2500


async def test_the_outbox_backlog_is_shown(origin: Origin) -> None:
    slot, ana = await origin.world.slot(), origin.visitor()
    backlog = Backlog(origin.state.database, origin.world.clock, WorkerMetrics(origin.state.metrics.registry))
    await backlog.watch()
    assert origin.metric("outbox_rows") == 0
    await ana.book(slot, await ana.decision())
    origin.world.clock.advance(7)
    await backlog.watch()
    assert (origin.metric("outbox_rows"), origin.metric("outbox_oldest_seconds")) == (1, 7)


async def test_the_worker_ends_when_told(database_url: str) -> None:
    environment = os.environ | {"VESTIBULE_DATABASE_URL": database_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "origin.worker", env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(20):
        assert b"worker_started" in await process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        said = await process.stderr.read()
        assert await process.wait() == 0
    assert b"worker_stopped" in said


async def test_the_worker_archives_what_has_been_over_for_the_days_of_its_setting(
    origin: Origin, database_url: str
) -> None:
    slots = [await origin.world.slot(hours=-24 * days) for days in (3650, 300)]  # the clock is ahead of the worker's
    environment = os.environ | {"VESTIBULE_DATABASE_URL": database_url, "VESTIBULE_SLOT_ARCHIVE_DAYS": "1000"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "origin.worker", env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(20):
        while b"slots_archived" not in await process.stderr.readline():
            assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        await process.stderr.read()
        assert await process.wait() == 0
    assert await origin.world.connection.fetchval("SELECT id FROM slot_archive") == slots[0]
    assert await origin.world.connection.fetchval("SELECT id FROM slot") == slots[1]
