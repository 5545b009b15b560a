"""The slot search reads by index however much there is: a guard on its plan, on a table of realistic size."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from origin.db.pool import create_pool
from origin.db.sql import Connection, load
from origin.inventory import gazetteer
from origin.inventory.store import QUERIES, SEARCH
from origin.inventory.supply import RegionRow, SiteRow, SlotRow, import_supply
from tests.origin_world import START, world

SITES = 2_000
SLOTS_PER_SITE = 100


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    """A session as the origin has it, on 2,000 sites over half a continent and 200,000 slots over 28 days."""
    async with world(database_url) as made:
        await import_supply(made.connection, [RegionRow("R", "R")], _sites(), _slots())
        await made.connection.execute("UPDATE site SET accessibility = '{braille,hearing_loop}'")
        await made.connection.execute("VACUUM ANALYZE site")
    pool = await create_pool(database_url, size=1)
    async with pool.acquire() as lent:
        yield lent
    await pool.close()


def _sites() -> Iterator[SiteRow]:
    for number in range(SITES):
        lat, lng = 36 + (number % 50) * 0.15, -9 + (number // 50) * 0.3
        yield SiteRow(1000 + number, "R", f"S{number}", "-", "-", lat, lng, "Europe/Madrid")


def _slots() -> Iterator[SlotRow]:
    for site in range(SITES):
        for number in range(SLOTS_PER_SITE):
            starts_at = START + timedelta(hours=1 + number * 28 * 24 / SLOTS_PER_SITE)
            yield SlotRow("demo", 1000 + site, starts_at, starts_at + timedelta(minutes=30), "140", 10)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


async def explained(connection: Connection, name: str, file: Path = QUERIES, /, **values: object) -> dict[str, Any]:
    """Run a statement as its generic plan, the one that a long-lived session keeps, and return what it did."""
    statement = load(file)[name]
    literals = [
        await connection.fetchval("SELECT quote_nullable($1::text)", _text(each)) for each in statement.values(values)
    ]
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE guarded AS {statement.text}")
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE guarded ({', '.join(literals)})"
        answer = await connection.fetchval(explain)
        await connection.execute("DEALLOCATE guarded")
    plan: dict[str, Any] = json.loads(answer)[0]["Plan"]
    return plan


def _text(value: object) -> str | None:
    match value:
        case None:
            return None
        case list():
            return "{" + ",".join(value) + "}"
        case _:
            return str(value)


def read_of(plan: dict[str, Any], table: str) -> list[dict[str, Any]]:
    return [node for node in nodes(plan) if node.get("Relation Name") == table or table in node.get("Index Name", "")]


NEAR: dict[str, object] = {
    "programme": "demo",
    "lat": 40.4,
    "lng": -3.7,
    "radius_m": 50_000.0,
    "step_free": True,
    "accessibility": ["braille"],
    "starts_from": START,
    "starts_before": START + timedelta(days=7),
    "products": ["140"],
}
PAGE = NEAR | {"per_site": None, "at_most": 51}
FIRST: dict[str, object] = {
    "after_distance_m": -1.0,
    "after_site": 0,
    "after_starts_at": datetime(1, 1, 1, tzinfo=UTC),
    "after_slot": 0,
}


def read_rows(plan: dict[str, Any], table: str) -> float:
    return float(sum(node["Actual Rows"] * node["Actual Loops"] for node in read_of(plan, table)))


async def behind(connection: Connection, name: str) -> dict[str, object]:
    """The position of the 40th slot of a search."""
    rows = await load(SEARCH)[name].rows(connection, **PAGE, **FIRST)
    row = rows[39]
    return {
        "after_distance_m": row["distance_m"],
        "after_site": row["site"],
        "after_starts_at": row["starts_at"],
        "after_slot": row["id"],
    }


@pytest.mark.parametrize("page", ["first", "later"])
@pytest.mark.parametrize("name", ["nearest", "first_available"])
async def test_a_search_reads_near_sites_and_their_slots_by_index(connection: Connection, name: str, page: str) -> None:
    after = FIRST if page == "first" else await behind(connection, name)
    plan = await explained(connection, name, SEARCH, **PAGE, **after)
    assert plan["Actual Rows"] == 51
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in nodes(plan)} >= {"site_near", "slot_once"}
    # It looks at the sites within the box and the slots within the time, not at all there are.
    assert read_rows(plan, "slot") < 2_000
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 3_000


async def test_the_first_available_read_no_more_of_each_site_than_can_be_on_the_page(connection: Connection) -> None:
    wide = PAGE | {"radius_m": 300_000.0}
    plan = await explained(connection, "first_available", SEARCH, **wide, **FIRST)
    sites = read_rows(plan, "site")
    assert sites > 100
    assert read_rows(plan, "slot") < 4 * sites  # of 25 that each has within the week


async def test_the_days_of_a_month_read_the_nearest_sites_only(connection: Connection) -> None:
    days = {"first_day": date(2027, 3, 1), "end_day": date(2027, 4, 1), "sites": 10}
    wide = NEAR | {"radius_m": 300_000.0, "starts_before": START + timedelta(days=31)}
    plan = await explained(connection, "days", SEARCH, **wide, **days)
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in nodes(plan)} >= {"site_near", "slot_once"}
    assert read_rows(plan, "slot") <= 11 * SLOTS_PER_SITE


async def test_places_are_found_by_index(connection: Connection) -> None:
    await connection.execute(
        "INSERT INTO gazetteer (region, name, lat, lng, time_zone, population)"
        " SELECT 'R', 'Town ' || n, 40, n / 1000.0, 'UTC', 0 FROM generate_series(1, 20000) n"
    )
    await connection.execute(
        "INSERT INTO gazetteer_postcode (country, region, postcode, lat, lng, time_zone)"
        " SELECT 'ES', 'R', (20000 + n)::text, 40, n / 1000.0, 'UTC' FROM generate_series(1, 20000) n"
    )
    await connection.execute("UPDATE site SET town = 'Town ' || id, postcode = (10000 + id)::text")
    await connection.execute("VACUUM ANALYZE gazetteer, gazetteer_postcode, site")
    plan = await explained(connection, "places", gazetteer.QUERIES, typed="town 2776", region="", at_most=10)
    assert plan["Actual Rows"] == 1  # the same town in both
    assert {node.get("Index Name") for node in nodes(plan)} >= {"gazetteer_words", "site_town_words", "site_postcode"}
    assert read_rows(plan, "gazetteer") < 100
    assert read_rows(plan, "site") < 100
    plan = await explained(connection, "places", gazetteer.QUERIES, typed="2", region="", at_most=10)
    assert plan["Actual Rows"] == 10
    assert "gazetteer_postcode_key" in {node.get("Index Name") for node in nodes(plan)}
    assert read_rows(plan, "gazetteer_postcode") <= 1000
    await connection.execute(
        "INSERT INTO gazetteer (region, name, lat, lng, time_zone, population) VALUES ('R', 'Town', 40, 0, 'UTC', 0)"
    )
    found = await gazetteer.beginning(connection, "town", at_most=3)
    assert [place.name for place in found][:1] == ["Town"]  # although thousands begin so, and sites lie in some


async def test_the_alternatives_to_a_slot_are_read_by_index(connection: Connection) -> None:
    slot = await connection.fetchval(
        "SELECT slot.id FROM slot JOIN site ON site.id = slot.site"
        " WHERE lat BETWEEN 40 AND 40.5 AND lng BETWEEN -4 AND -3 LIMIT 1"
    )
    plan = await explained(
        connection,
        "alternatives",
        slot=slot,
        now=START,
        products=["140"],
        radius_m=50_000.0,
        sites=8,
        per_site=2,
        at_most=6,
    )
    assert plan["Actual Rows"] == 6
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    assert {node.get("Index Name") for node in nodes(plan)} >= {"site_near", "slot_once"}
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 1_500


async def test_the_guard_sees_a_scan_where_there_is_one(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute("DROP INDEX site_near")
        plan = await explained(connection, "nearest", SEARCH, **PAGE, **FIRST)
    assert [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
