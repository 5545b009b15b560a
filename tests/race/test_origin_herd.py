"""A herd on few slots: every place is sold, and none twice.

``VESTIBULE_HERD_ATTEMPTS`` says how many attempts (``docs/measuring.md``); progress is shown where it is set.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from time import perf_counter

import pytest

from tests import origin_world
from tests.books import assert_sold_exactly, read_books
from tests.origin_world import World
from tests.race.check_then_write import CheckThenWrite
from tests.race.herd import Progress, Size, Told, gather_herd, origins

GIVEN = os.environ.get("VESTIBULE_HERD_ATTEMPTS")
ATTEMPTS = int(GIVEN or 20_000)
SLOTS = 500
LONGEST_S = 60 + ATTEMPTS / 50
"""A machine that makes fewer than 50 attempts a second is not busy but stuck."""


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with origin_world.world(database_url) as made:
        yield made


def shown(capsys: pytest.CaptureFixture[str]) -> Progress:
    """From now on, say every so often how many attempts were answered, and how fast."""
    started = perf_counter()

    def show(told: Told) -> None:
        answered = told.outcomes.total()
        if GIVEN and answered % (ATTEMPTS // 20) == 0:
            took_s = perf_counter() - started
            with capsys.disabled():
                print(f"\n{answered:,} attempts in {took_s:.0f} s, {answered / took_s:,.0f}/s:", end=" ", flush=True)
                print(", ".join(f"{count:,} {name}" for name, count in told.outcomes.most_common()), flush=True)

    return show


async def test_a_herd_on_hot_slots_is_sold_exactly_what_there_is(
    database_url: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """B1, B2 and B7, with twice as many people as places, each of whom tries ten times."""
    size = Size(ATTEMPTS, people=ATTEMPTS // 10, slots=SLOTS, capacity=max(1, ATTEMPTS // 20 // SLOTS))
    herd = await gather_herd(world, size)
    async with origins(database_url) as ways, asyncio.timeout(LONGEST_S):
        told = await herd.run(ways, shown(capsys))
    assert told.outcomes["booked"] == size.places
    assert {"slot_gone", "already_booked", "admission_used"} <= set(told.outcomes)
    assert told.lies == []
    rows = await world.connection.fetch("SELECT id FROM appointment")
    assert {row["id"] for row in rows} == told.appointments
    await assert_sold_exactly(world.connection, size.places)


async def test_check_then_write_sells_a_herd_more_than_there_is(database_url: str, world: World) -> None:
    await world.connection.execute("DROP INDEX appointment_one_active")
    await world.connection.execute("ALTER TABLE appointment DROP CONSTRAINT appointment_one_per_admission")
    size = Size(attempts=200, people=200, slots=1, capacity=1)
    herd = await gather_herd(world, size)
    async with origins(database_url, CheckThenWrite) as ways, asyncio.timeout(LONGEST_S):
        told = await herd.run(ways, lambda _: None)
    assert told.outcomes["booked"] > size.places
    assert (await read_books(world.connection)).appointments > size.places
