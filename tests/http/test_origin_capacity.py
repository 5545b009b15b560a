"""The capacity feed, over HTTP and on a real database."""

import asyncio
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import msgspec
import pytest

from origin.capacity import feed, supply
from origin.capacity.supply import Supply
from origin.inventory.supply import SlotRow, import_supply
from shared.capacity import Capacity, ProgrammeSupply
from tests import origin_world
from tests.origin_world import Origin


@pytest.fixture
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the database each time."""
    monkeypatch.setattr(feed, "FRESH_S", 0.0)
    monkeypatch.setattr(supply, "_SOONEST_S", 0.0)
    monkeypatch.setattr(supply, "_SHARE", float("inf"))


async def read(origin: Origin) -> Capacity:
    answer = await origin.client.get("/v1/capacity")
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=Capacity)


async def test_the_feed_tells_supply_freeze_people_and_how_far_they_came(
    database_url: str, tmp_path: Path, always_fresh: None
) -> None:
    async with origin_world.origin(database_url, tmp_path, capacity_per_s=80) as origin:
        slot = await origin.world.slot(capacity=5)
        await origin.world.slot(capacity=3, site=2)
        await origin.world.slot(capacity=7, hours=-1)
        told = await read(origin)
        assert told.programmes == [ProgrammeSupply("demo", "demo", 8, False, None)], "what has begun is not left"
        assert (told.bookings_per_s, told.inside, told.time_inside_s, told.health) == (80, 0, None, "ok")
        visitor = origin.visitor()
        decision = await visitor.decision()
        told = await read(origin)
        assert (told.inside, told.funnel.evaluated, told.funnel.booked) == (1, 1, 0)
        assert told.latency is not None
        assert told.latency.samples == 1, "asking for the feed is not traffic"
        assert (await visitor.book(slot, decision)).status_code == 201
        told = await read(origin)
        assert told.programmes[0].remaining == 7
        assert (told.inside, told.funnel.booked) == (0, 1)
        assert told.time_inside_s is not None
        await origin.world.connection.execute("UPDATE programme SET frozen_since = now(), frozen_reason = 'recall'")
        told = await read(origin)
        assert (told.programmes[0].frozen, told.programmes[0].frozen_reason) == (True, "recall")


async def test_without_its_database_the_origin_says_unhealthy_and_what_it_knew(
    database_url: str, tmp_path: Path, always_fresh: None
) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        await origin.world.slot(capacity=5)
        assert (await read(origin)).health == "ok"
        await origin.world.connection.execute("BEGIN; LOCK TABLE programme IN ACCESS EXCLUSIVE MODE")
        told = await read(origin)
        assert (told.health, told.programmes[0].remaining) == ("unhealthy", 5)
        await origin.world.connection.execute("ROLLBACK")
        assert (await read(origin)).health == "ok"


async def test_however_many_ask_the_same_bytes_are_given_and_a_cache_learns_that_nothing_changed(
    database_url: str, tmp_path: Path
) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        answers = await asyncio.gather(*(origin.client.get("/v1/capacity") for _ in range(20)))
        assert len({answer.content for answer in answers}) == 1
        tag = answers[0].headers["etag"]
        assert answers[0].headers["cache-control"] == "public, max-age=1"
        same = await origin.client.get("/v1/capacity", headers={"If-None-Match": tag})
        assert (same.status_code, same.content) == (304, b"")


async def test_counting_a_countrys_slots_takes_two_percent_of_a_connection_at_most(
    database_url: str, tmp_path: Path
) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        world = origin.world
        first = world.clock.now() + timedelta(days=1)
        starts = [first + timedelta(minutes=30 * index) for index in range(48_000)]
        rows = [SlotRow("demo", site, at, at + timedelta(minutes=30), "140", 4) for site in (1, 2, 3) for at in starts]
        await import_supply(world.connection, [], [], rows)
        at = 0.0
        counted = Supply(origin.state.database, tick=lambda: at)
        started = perf_counter()
        told, _ = await counted.read(world.clock.now())
        took = perf_counter() - started
        assert told[0].remaining == 4 * len(rows)
        assert took < 1
        tick = iter([0.0, 0.0, 0.2, 0.2, 9.0, 10.3, 10.3, 10.3, 10.3])  # as if counting took 0.2 s
        slow = Supply(origin.state.database, tick=lambda: next(tick))
        await slow.read(world.clock.now())
        await world.slot(capacity=1, hours=1)
        seen = [(await slow.read(world.clock.now()))[0][0].remaining for _ in range(2)]
        assert seen == [4 * len(rows), 4 * len(rows) + 1], "kept for ten seconds, then counted again"
