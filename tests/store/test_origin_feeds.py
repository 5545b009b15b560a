"""A file of the public feed costs the same memory however many slots there are, and reads them by index."""

import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from origin.admin.programmes import Programme
from origin.db.pool import Database, create_pool
from origin.db.sql import load
from origin.inventory.feeds import store
from origin.inventory.feeds.publish import Feeds
from origin.inventory.feeds.store import PAGE, FeedStore
from origin.inventory.supply import SlotRow, import_supply
from origin.metrics import OriginMetrics
from tests.origin_world import START, World, world
from tests.store.test_origin_search_plan import nodes

DEMO = Programme("demo", "Demo programme", "demo", timedelta(hours=1))
FEW, MANY = 3_000, 30_000


def rows(programme: str, number: int) -> Iterator[SlotRow]:
    for n in range(1, number + 1):
        at = START + timedelta(minutes=5 * n)
        yield SlotRow(programme, 1, at, at + timedelta(minutes=5), "140", 2)


@pytest.fixture
async def made(database_url: str) -> AsyncIterator[World]:
    async with world(database_url) as each:
        await each.connection.execute("UPDATE site SET postcode = '28001'")
        yield each


@pytest.fixture
async def feeds(database_url: str, made: World) -> AsyncIterator[Feeds]:
    metrics = OriginMetrics(CollectorRegistry())
    database = Database(await create_pool(database_url, size=2), metrics, wait_s=5)
    opened = Feeds(
        FeedStore(database), made.clock, metrics, every_s=60, origin_url="http://o.example", edge_url="http://e.example"
    )
    yield opened
    opened.close()
    await database.close()


async def peak(feeds: Feeds) -> int:
    """Make the file of slots, read it through, and return the most memory that this took, in bytes."""
    tracemalloc.start()
    try:
        _, reader = await feeds.read(DEMO, "Slot", "ES-MD")
        length = 0
        async for chunk in reader.plain():
            length += len(chunk)
        reader.close()
        assert length > FEW * 300
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_ten_times_the_slots_take_no_more_memory(feeds: Feeds, made: World) -> None:
    await import_supply(made.connection, [], [], rows("demo", FEW))
    await peak(feeds)  # what is loaded once
    made.clock.advance(60)
    few = await peak(feeds)
    await import_supply(made.connection, [], [], (row for n, row in enumerate(rows("demo", MANY)) if n >= FEW))
    made.clock.advance(60)

    many = await peak(feeds)

    assert many < 1.5 * few + 1_000_000, f"{few:,} bytes for {FEW} slots, {many:,} for {MANY}"


async def test_no_transaction_spans_two_pages(feeds: Feeds, made: World) -> None:
    await import_supply(made.connection, [], [], rows("demo", 2 * PAGE))
    pages = feeds._store.slots("demo", 1, START)

    await anext(pages)

    holding = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    assert await made.connection.fetchval(holding) == 0
    await pages.aclose()  # type: ignore[attr-defined]  # it is an async generator


async def test_a_later_page_costs_no_more_than_the_first(feeds: Feeds, made: World) -> None:
    await import_supply(made.connection, [], [], rows("demo", MANY))
    statement = load(store._QUERIES)["feed_slots"]
    where = {"programme": "demo", "site": 1, "product": "140", "at_most": PAGE}
    async with feeds._store._database.connection() as connection:
        for skipped in (0, MANY // 2, MANY - PAGE):
            behind = START + timedelta(minutes=5 * skipped)
            values = statement.values(where | {"starts_at": behind})
            text = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.text}"
            plan = json.loads(await connection.fetchval(text, *values))[0]["Plan"]
            assert plan["Actual Rows"] == PAGE
            assert {node.get("Index Name") for node in nodes(plan)} >= {"slot_once"}
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 200


async def test_who_reads_reads_to_the_end_while_the_next_file_is_made(feeds: Feeds, made: World) -> None:
    await import_supply(made.connection, [], [], rows("demo", 2 * PAGE))
    edition, reader = await feeds.read(DEMO, "Slot", "ES-MD")
    made.clock.advance(60)
    later, other = await feeds.read(DEMO, "Slot", "ES-MD")
    other.close()

    assert later is not edition
    lines = b"".join([chunk async for chunk in reader.plain()]).splitlines()
    reader.close()
    assert len(lines) == 2 * PAGE
