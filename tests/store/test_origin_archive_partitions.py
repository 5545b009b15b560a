"""Partitions of the archive are taken out of it without a row being read or written, and stay as tables."""

import asyncio

import pytest

from origin.db.pool import connect
from origin.db.sql import Connection
from origin.inventory.archive import ArchiveBusy, ArchiveStore, archive_all
from tests.origin_world import Origin, World
from tests.store.test_origin_archive import DAYS, MONTH, facts, ids, silent

MARCH = "slot_archive_2027_03_es_md"


async def filled(world: World) -> None:
    """March and April of two regions, in the archive."""
    for hours in (1, 2, 24 * 40):
        for site in (1, 2):
            await world.slot(site=site, hours=hours)
    world.clock.advance(4 * MONTH)
    assert await archive_all(world.connection, DAYS, world.clock.now(), silent) == 6


async def files(connection: Connection, table: str) -> list[tuple[object, ...]]:
    """Where a table's rows lie, and who wrote them: changed by whatever moves or rewrites one."""
    rows = await connection.fetch(f"SELECT pg_relation_filenode('{table}'), ctid, xmin, id FROM {table} ORDER BY id")
    return [tuple(str(value) for value in row) for row in rows]


async def read_rows(connection: Connection) -> int:
    """How many rows of the archive and of the live table anybody has read or written so far."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    number: int = await connection.fetchval(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del)"
        " FROM pg_stat_user_tables WHERE relname ~ '^slot'"
    )
    return number


async def names(connection: Connection) -> list[str]:
    return [each.name for each in await ArchiveStore().partitions(connection)]


async def test_a_partition_leaves_without_a_row_being_touched_and_stays_as_a_table(origin: Origin) -> None:
    world, connection = origin.world, origin.world.connection
    await filled(world)
    there, all_facts = await files(connection, MARCH), await facts(world)
    assert len(there) == 2
    before = await read_rows(connection)

    assert await ArchiveStore().detach(connection, MARCH) == "slot_detached_2027_03_es_md"

    assert await read_rows(connection) == before
    assert await files(connection, "slot_detached_2027_03_es_md") == there
    assert len(await facts(world)) == len(all_facts) - 2
    listed = await ArchiveStore().partitions(connection)
    assert [(each.name, each.region, each.slots, each.is_attached) for each in listed] == [
        ("slot_archive_2027_03_es_cm", "ES-CM", 2, True),
        ("slot_detached_2027_03_es_md", "ES-MD", 2, False),
        ("slot_archive_2027_04_es_cm", "ES-CM", 1, True),
        ("slot_archive_2027_04_es_md", "ES-MD", 1, True),
    ]
    assert all(each.bytes > 0 for each in listed)


async def test_what_is_archived_later_gets_a_partition_of_its_own_and_no_name_is_taken_twice(origin: Origin) -> None:
    world, store = origin.world, ArchiveStore()
    await filled(world)
    assert await store.detach(world.connection, MARCH) == "slot_detached_2027_03_es_md"
    assert await store.detach(world.connection, MARCH) is None
    late = await world.slot(hours=-4 * 31 * 24 + 5)
    assert await archive_all(world.connection, DAYS, world.clock.now(), silent) == 1
    assert await ids(world, MARCH) == [late]
    assert await store.detach(world.connection, MARCH) == "slot_detached_2027_03_es_md_2"
    assert "slot_detached_2027_03_es_md" in await names(world.connection)


async def test_a_partition_can_be_put_back_as_the_document_says_and_be_taken_out_again(origin: Origin) -> None:
    world, store = origin.world, ArchiveStore()
    await filled(world)
    before = await facts(world)
    gone = await store.detach(world.connection, MARCH)
    await world.connection.execute(f"ALTER TABLE {gone} RENAME TO {MARCH}")
    await world.connection.execute(
        f"ALTER TABLE slot_archive_region_es_md ATTACH PARTITION {MARCH}"
        " FOR VALUES FROM ('2027-03-01T00:00Z') TO ('2027-04-01T00:00Z')"
    )
    assert await facts(world) == before
    await world.slot(hours=-4 * 31 * 24 + 5)
    assert await archive_all(world.connection, DAYS, world.clock.now(), silent) == 1
    assert await store.detach(world.connection, MARCH) == gone


async def test_many_partitions_are_made_some_at_a_time(origin: Origin) -> None:
    world, store = origin.world, ArchiveStore()
    for month in range(60):
        await world.slot(hours=-(60 + 31 * month) * 24)
    now = world.clock.now()
    made = []
    for _ in range(3):
        step = await store.archive(world.connection, before=now, after=0, now=now)
        made.append((len(await names(world.connection)), step.archived))
    assert made == [(50, 0), (60, 0), (60, 60)]


@pytest.mark.parametrize("not_a_partition", ["slot", "appointment", "slot_archive", "nothing", "slot; DROP TABLE slot"])
async def test_nothing_but_a_partition_is_taken_out(origin: Origin, not_a_partition: str) -> None:
    await filled(origin.world)
    before = await names(origin.world.connection)
    assert await ArchiveStore().detach(origin.world.connection, not_a_partition) is None
    assert await names(origin.world.connection) == before


async def test_two_who_detach_the_same_at_once_detach_it_once(origin: Origin, database_url: str) -> None:
    await filled(origin.world)
    both = [await connect(database_url) for _ in range(2)]
    became = await asyncio.gather(*(ArchiveStore().detach(each, MARCH) for each in both))
    assert sorted(became, key=str) == [None, "slot_detached_2027_03_es_md"]
    for each in both:
        await each.close()


async def test_whoever_reads_another_regions_archive_is_not_in_the_way_and_one_who_reads_this_is_told_of(
    origin: Origin, database_url: str
) -> None:
    await filled(origin.world)
    store, reader = ArchiveStore(), await connect(database_url)
    async with reader.transaction():
        await reader.fetch("SELECT FROM slot_archive_region_es_cm")
        assert await store.detach(origin.world.connection, MARCH) == "slot_detached_2027_03_es_md"
        with pytest.raises(ArchiveBusy):
            await store.detach(origin.world.connection, "slot_archive_2027_03_es_cm")
    assert await store.detach(origin.world.connection, "slot_archive_2027_03_es_cm") == "slot_detached_2027_03_es_cm"
    await reader.close()


async def test_archiving_goes_on_while_somebody_reads_the_archive(origin: Origin, database_url: str) -> None:
    """New partitions of a month and of a region are attached, which no reader is in the way of."""
    await filled(origin.world)
    await origin.world.slot(hours=-60 * 24)
    await origin.world.slot(site=3, hours=-60 * 24)
    reader = await connect(database_url)
    async with reader.transaction():
        assert await reader.fetchval("SELECT count(*) FROM slot_archive") == 6
        await origin.world.connection.execute("SET lock_timeout = 1000")
        assert await archive_all(origin.world.connection, DAYS, origin.world.clock.now(), silent) == 2
    assert await reader.fetchval("SELECT count(*) FROM slot_archive") == 8
    await reader.close()
