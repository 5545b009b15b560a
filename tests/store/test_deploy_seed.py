"""The demo programme gets into a database once, and never runs out of days."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from deploy import demo
from deploy.errors import StackError
from deploy.seed import seed
from deploy.settings import StackSettings
from origin.inventory.archive import archive_all
from shared.clock import ManualClock

_START = datetime(2026, 3, 20, 23, 30, tzinfo=UTC)  # a Friday; on the mainland it is Saturday already


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(_START)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def sow(database_url: str, clock: ManualClock, told: list[str]) -> Callable[..., None]:
    def sow(*, sites: int = 40, days: int = 14) -> None:
        settings = StackSettings(demo_sites=sites, demo_days=days)
        seed(database_url, settings, clock, told.append)

    return sow


async def _slots(database: asyncpg.Connection) -> list[tuple[object, ...]]:
    rows = await database.fetch("SELECT site, starts_at, ends_at, product, capacity FROM slot ORDER BY site, starts_at")
    return [tuple(row) for row in rows]


async def test_the_whole_demo_has_its_size_rules_and_programme(
    database: asyncpg.Connection, sow: Callable[..., None]
) -> None:
    defaults = StackSettings()

    await asyncio.to_thread(sow, sites=defaults.demo_sites, days=defaults.demo_days)

    assert await database.fetchval("SELECT count(*) FROM site") >= 300
    assert await database.fetchval("SELECT count(*) FROM slot") >= 100_000
    assert await database.fetchval("SELECT count(DISTINCT time_zone) FROM site") >= 2
    assert await database.fetchval("SELECT version FROM rules_in_force WHERE programme = $1", demo.PROGRAMME) == 1
    offered = {row["product"] for row in await database.fetch("SELECT DISTINCT product FROM slot")}
    assert offered == set(demo.PRODUCTS)
    # A second dose can be had behind the slots of the first week.
    course = await database.fetchrow("SELECT product, days_max FROM course WHERE programme = $1", demo.PROGRAMME)
    assert course is not None
    assert course["product"] in offered
    assert course["days_max"] + 7 <= defaults.demo_days


async def test_a_second_start_on_the_same_day_adds_nothing(
    database: asyncpg.Connection, sow: Callable[..., None], told: list[str]
) -> None:
    await asyncio.to_thread(sow)
    before = await _slots(database)
    told.clear()

    await asyncio.to_thread(sow, sites=50)

    assert await _slots(database) == before
    assert told == []


@pytest.mark.parametrize("away", [1, 5, 100])
async def test_a_later_start_has_as_many_days_ahead_as_a_new_one_and_none_doubled(
    database: asyncpg.Connection, sow: Callable[..., None], clock: ManualClock, away: int
) -> None:
    await asyncio.to_thread(sow)
    before = await _slots(database)
    clock.advance(timedelta(days=away).total_seconds())

    await asyncio.to_thread(sow)

    after = await _slots(database)
    assert set(before) <= set(after)
    assert len({(slot[0], slot[1]) for slot in after}) == len(after)
    expected = {
        (slot.site, slot.starts_at, slot.ends_at, slot.product, slot.capacity)
        for site in demo.sites(demo.towns(), 40)
        for slot in demo.slots(site, _today(site, clock), 14, demo.PRODUCTS)
    }
    assert expected <= set(after)
    assert set(after) - set(before) <= expected


async def test_days_go_on_behind_slots_that_are_in_the_archive(
    database: asyncpg.Connection, sow: Callable[..., None], clock: ManualClock
) -> None:
    await asyncio.to_thread(sow, sites=3)
    clock.advance(timedelta(days=100).total_seconds())
    await archive_all(database, 30, clock.now(), lambda *_: None)
    assert await database.fetchval("SELECT count(*) FROM slot") == 0

    await asyncio.to_thread(sow, sites=3)

    assert await database.fetchval("SELECT count(DISTINCT site) FROM slot") == 3
    assert await database.fetchval("SELECT count(*) FROM slot WHERE starts_at <= $1", clock.now()) == 0


async def test_days_begin_on_the_sites_own_calendar(database: asyncpg.Connection, sow: Callable[..., None]) -> None:
    await asyncio.to_thread(sow, sites=60)

    first = await database.fetch(
        "SELECT DISTINCT site.time_zone, min(starts_at AT TIME ZONE time_zone)::date AS day FROM slot"
        " JOIN site ON site.id = slot.site GROUP BY site.time_zone"
    )

    assert {row["time_zone"]: row["day"].day for row in first if row["time_zone"] != "Africa/Ceuta"} == {
        "Europe/Madrid": 21,
        "Atlantic/Canary": 20,
    }


async def test_other_supply_is_left_alone(database: asyncpg.Connection, sow: Callable[..., None]) -> None:
    await database.execute("INSERT INTO region VALUES ('XX', 'Elsewhere')")

    with pytest.raises(StackError, match="supply of its own"):
        await asyncio.to_thread(sow)

    assert await database.fetchval("SELECT count(*) FROM programme") == 0


def _today(site: demo.DemoSite, clock: ManualClock) -> date:
    return clock.now().astimezone(ZoneInfo(site.town.time_zone)).date()


async def test_every_site_of_the_demo_has_a_postcode_also_one_from_before_there_were_any(
    database: asyncpg.Connection, sow: Callable[..., None]
) -> None:
    await asyncio.to_thread(sow)
    assert await database.fetchval("SELECT count(*) FROM site WHERE postcode !~ '^[0-9]{5}$'") == 0
    await database.execute("UPDATE site SET postcode = ''")
    await database.execute("UPDATE site SET name = 'Renamed' WHERE id = 1")

    await asyncio.to_thread(sow)

    assert [row["id"] for row in await database.fetch("SELECT id FROM site WHERE postcode = ''")] == [1]


async def test_people_can_look_from_towns_that_have_no_site(
    database: asyncpg.Connection, sow: Callable[..., None]
) -> None:
    await asyncio.to_thread(sow, sites=40)
    before = await database.fetchval("SELECT count(*) FROM gazetteer")
    assert before == len(demo.towns()) > 500
    assert await database.fetchval("SELECT count(*) FROM gazetteer WHERE name NOT IN (SELECT town FROM site)") > 400
    await asyncio.to_thread(sow)
    assert await database.fetchval("SELECT count(*) FROM gazetteer") == before
