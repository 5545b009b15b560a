"""Supply by COPY, and the constraints that hold whoever writes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from origin.inventory.supply import RegionRow, SiteRow, SlotRow, import_supply
from tests import origin_world
from tests.origin_world import MADRID, START, World


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with origin_world.world(database_url) as made:
        yield made


def row(site: int, hours: float = 1, capacity: int = 3) -> SlotRow:
    starts_at = START + timedelta(hours=hours)
    return SlotRow("demo", site, starts_at, starts_at + timedelta(minutes=30), "140", capacity)


async def test_supply_comes_whole_and_begins_free(world: World) -> None:
    site = SiteRow(70, "X", "Site", "Street 1", "Town", *MADRID, "Europe/Madrid", step_free=False)
    slots = (row(70, hours) for hours in range(1, 6))
    assert await import_supply(world.connection, [RegionRow("X", "X-land")], [site], slots) == 5
    assert await world.count("slot", "site = 70 AND remaining = 3 AND capacity = 3") == 5
    generated = await world.connection.fetchval(
        "INSERT INTO site (region, name, address, town, lat, lng, time_zone)"
        " VALUES ('X', 'Next', '-', '-', 0, 0, 'UTC') RETURNING id"
    )
    assert generated == 71


async def test_an_import_that_fails_leaves_nothing(world: World) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await import_supply(world.connection, [RegionRow("X", "X-land")], [], [row(1), row(404)])
    assert await world.count("slot") == 0
    assert await world.count("region", "id = 'X'") == 0


async def test_the_same_slot_is_not_supplied_twice(world: World) -> None:
    await import_supply(world.connection, [], [], [row(1)])
    with pytest.raises(asyncpg.UniqueViolationError):
        await import_supply(world.connection, [], [], [row(1)])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE slot SET remaining = -1",
        "UPDATE slot SET remaining = capacity + 1",
        "UPDATE slot SET ends_at = starts_at",
        "UPDATE slot SET capacity = 1",
    ],
)
async def test_the_database_itself_refuses_books_that_cannot_be(world: World, change: str) -> None:
    """B1, the last line of defence."""
    await import_supply(world.connection, [], [], [row(1)])
    with pytest.raises(asyncpg.CheckViolationError):
        await world.connection.execute(change)
