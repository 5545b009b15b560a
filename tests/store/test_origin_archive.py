"""Slots that are over move into the archive, each once; what anything refers to stays."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from deploy.migrations import migrate, migrations_dir
from deploy.stores import Postgres
from origin.booking.reconcile import faulty_slots
from origin.db.pool import connect
from origin.inventory import archive
from origin.inventory.archive import Archiver, ArchiveStore, archive_all
from origin.metrics import WorkerMetrics
from tests import origin_world
from tests.origin_world import Origin, World
from tests.sites_world import Clinic
from tests.store.test_origin_rule_history import step
from tests.supply_world import Desk, row, slots_csv

DAYS = 30
MONTH = 31 * 24 * 3600
FACTS = "id, programme, region, site, site_code, starts_at, ends_at, product, capacity, remaining, clinic, cancellation"


def silent(_archived: int, _at: int, _last: int) -> None:
    """Be told how far it is."""


def archiver_of(origin: Origin, days: int = DAYS) -> Archiver:
    return Archiver(origin.state.database, origin.world.clock, WorkerMetrics(origin.state.metrics.registry), days)


async def facts(world: World) -> list[tuple[object, ...]]:
    """All that is known of every slot, wherever it is."""
    return [tuple(each) for each in await world.connection.fetch(f"SELECT {FACTS} FROM every_slot ORDER BY id")]


async def ids(world: World, table: str) -> list[int]:
    return [each["id"] for each in await world.connection.fetch(f"SELECT id FROM {table} ORDER BY id")]


async def over(world: World, count: int) -> list[int]:
    """Slots of a few regions that nobody books, and a month and more behind them."""
    slots = [await world.slot(site=number % 3 + 1, hours=1 + number) for number in range(count)]
    world.clock.advance(MONTH + count * 3600)
    return slots


async def test_what_is_over_and_untouched_moves_and_all_else_stays(origin: Origin) -> None:
    world, clinic = origin.world, Clinic(origin)
    free = [await world.slot(site=number % 3 + 1, hours=1 + number, capacity=4) for number in range(5)]
    booked, left, held, displaced, faulty, emptied = [await world.slot(hours=20 + n, capacity=2) for n in range(6)]
    offered = await world.slot(hours=23.1)
    await clinic.booked(booked, "ana")
    bo = origin.visitor("bo")
    assert (await bo.cancel(await bo.book(left, await bo.decision()))).status_code == 204
    assert (await origin.visitor("cleo").hold(held, await origin.visitor("cleo").decision())).status_code == 201
    ((dan, _),) = await clinic.booked(displaced, "dan")
    await clinic.cancel(displaced, 1)
    await clinic.work()
    offer = await clinic.offer(dan)
    assert offer["slot"]["id"] in {offered, str(offered)}
    assert (await clinic.answer(dan, "decline", offer)).status_code in {200, 204}
    await clinic.cancel(emptied, 0)
    world.clock.advance(MONTH + 48 * 3600)
    newer, ahead = await world.slot(hours=-DAYS * 24), await world.slot()
    await world.connection.execute("UPDATE slot SET remaining = 1 WHERE id = $1", faulty)
    before, archiver = await facts(world), archiver_of(origin)

    assert await archiver.run() == 6

    assert await ids(world, "slot_archive") == [*free, emptied]
    assert await ids(world, "slot") == sorted({booked, left, held, displaced, faulty, newer, ahead, offered})
    assert await facts(world) == before
    assert origin.metric("slots_archived_total") == 6
    assert [each.slot for each in await faulty_slots(world.connection)] == [faulty]
    assert await archiver.run() == 0


async def test_a_slot_stays_for_as_many_days_as_the_setting_says_after_its_end(origin: Origin) -> None:
    slot, archiver = await origin.world.slot(hours=-DAYS * 24 - 0.5), archiver_of(origin)
    assert await archiver.run() == 0
    origin.world.clock.advance(1)
    assert await archiver.run() == 1
    assert await ids(origin.world, "slot_archive") == [slot]


async def test_without_days_nothing_is_archived(origin: Origin) -> None:
    await over(origin.world, 2)
    assert await archiver_of(origin, 0).run() == 0
    assert await origin.world.count("slot") == 2


async def test_killed_in_the_middle_whole_batches_are_there_and_the_next_one_goes_on(
    origin: Origin, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "AT_ONCE", 4)
    slots, world, store = await over(origin.world, 10), origin.world, ArchiveStore()
    before, now = await facts(world), world.clock.now()
    victim = await connect(database_url)
    made = await store.archive(victim, before=now - timedelta(days=DAYS), after=0, now=now)
    assert (made.archived, made.last) == (0, 0)  # the partitions come first, in a transaction of their own
    one = await store.archive(victim, before=now - timedelta(days=DAYS), after=0, now=now)
    assert (one.archived, one.last) == (4, slots[3])
    await victim.execute("BEGIN")
    await store.archive(victim, before=now - timedelta(days=DAYS), after=slots[3], now=now)
    await world.connection.execute("SELECT pg_terminate_backend($1, 5000)", victim.get_server_pid())
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError)):
        await victim.execute("COMMIT")

    assert await ids(world, "slot_archive") == slots[:4]
    assert await facts(world) == before
    assert await archive_all(world.connection, DAYS, now, silent) == 6
    assert await ids(world, "slot_archive") == slots
    assert await facts(world) == before


async def test_of_two_who_archive_at_once_one_leaves_it_to_the_other(
    origin: Origin, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would make the same partition, for different slots."""
    slots, world, archiver = await over(origin.world, 6), origin.world, archiver_of(origin)
    other = await connect(database_url)
    async with other.transaction():
        with monkeypatch.context() as little:
            little.setattr(archive, "AT_ONCE", 1)
            await ArchiveStore().archive(other, before=world.clock.now(), after=0, now=world.clock.now())
        assert await archiver.run() == 0
    await other.close()
    assert await archiver.run() == 6
    assert await ids(world, "slot_archive") == slots


async def test_moving_a_slot_reads_no_appointments_but_its_own(origin: Origin) -> None:
    """Not even the foreign key does: its index holds the cancelled ones, too."""
    await over(origin.world, 3)

    async def scans() -> int:
        await origin.world.connection.execute("SELECT pg_stat_force_next_flush()")
        async with origin.state.database.connection() as connection:
            await connection.execute("SELECT pg_stat_force_next_flush()")
        number: int = await origin.world.connection.fetchval(
            "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ('appointment', 'hold', 'displaced')"
        )
        return number

    before = await scans()
    assert await archiver_of(origin).run() == 3
    assert await scans() == before


@pytest.mark.parametrize("region", ["Île-de-France", "O'Brien's", "A-VERY-LONG-NAME-OF-A-REGION-WITH-CAPITALS"])
async def test_a_region_may_be_called_anything_and_months_end_by_utc(origin: Origin, region: str) -> None:
    connection = origin.world.connection
    await connection.execute("INSERT INTO region VALUES ($1, 'Somewhere')", region)
    await connection.execute("UPDATE site SET region = $1 WHERE id = 1", region)
    for hours in (-9, 24 * 31 - 9, 24 * 31 - 10):  # the last ends on 31 March, by UTC, and later in Madrid
        await origin.world.slot(hours=hours)
    origin.world.clock.advance(3 * MONTH)
    await connection.execute("SET timezone = 'Asia/Tokyo'")
    assert await archive_all(connection, DAYS, origin.world.clock.now(), silent) == 3
    listed = await ArchiveStore().partitions(connection)
    assert [(each.region, f"{each.month:%m}", each.slots) for each in listed] == [(region, "03", 2), (region, "04", 1)]


async def test_files_and_clinics_make_no_slot_anew_that_is_in_the_archive(origin: Origin, tmp_path: Path) -> None:
    desk = Desk(origin.world, tmp_path)
    header = "template,site,weekdays,opens,closes,slot_minutes,capacity,product,from"
    template = f"{header}\ndaily,2,mon-sun,09:00,10:00,30,4,140,2027-03-02\n"
    files = (template, slots_csv(row(9), row(10)))
    await desk.bring(*files)
    await desk.generate()
    before, last = await facts(origin.world), "starts_at <= (SELECT max(starts_at) FROM slot_archive)"
    assert {each[-2] for each in before} == {None, "daily"}
    origin.world.clock.advance(3 * MONTH)
    assert await archive_all(origin.world.connection, DAYS, origin.world.clock.now(), silent) == len(before)

    again = await desk.bring(*files)
    await desk.generate(date(2027, 3, 1))

    assert (again.outcome, again.slots.past, again.slots.added) == ("unchanged", 2, 0)
    assert await origin.world.count("slot") > 0
    assert await origin.world.count("slot", last) == 0
    assert await origin.world.count("slot_archive") == len(before)


async def test_the_migration_back_brings_every_slot_out_of_the_archive(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    url = postgres_server.url("archive_there_and_back")
    await asyncio.to_thread(migrate, url)
    columns = "id, programme, site, starts_at, ends_at, product, capacity, remaining"
    async with origin_world.world(url) as world:
        await over(world, 6)
        before = await world.connection.fetch(f"SELECT {columns} FROM slot ORDER BY id")
        assert await archive_all(world.connection, DAYS, world.clock.now(), silent) == 6
    for each in sorted(migrations_dir().iterdir(), reverse=True):
        if each.name >= "20261201000001":
            await asyncio.to_thread(step, url, "down")
    async with origin_world.reopened(url, world.clock) as world:
        assert await world.connection.fetch(f"SELECT {columns} FROM slot ORDER BY id") == before
    await asyncio.to_thread(migrate, url)
