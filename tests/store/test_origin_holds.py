"""What the database keeps of holds: through a migration back and forth, in plans that do not grow with the slots."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.migrations import migrate, migrations_dir
from deploy.stores import Postgres
from origin.db.sql import Connection
from tests import origin_world
from tests.origin_world import START, World
from tests.store.test_origin_rule_history import step

MIGRATION = "20261130000001_holds_changes_and_groups"
PERSON = b"a" * 32


async def hold(connection: Connection, person: bytes, slot: int) -> UUID:
    """A hold as it stands in the table, with its place taken."""
    await connection.execute("UPDATE slot SET remaining = remaining - 1 WHERE id = $1", slot)
    made: UUID = await connection.fetchval(
        "INSERT INTO hold VALUES (gen_random_uuid(), 'demo', $1, $2, 'opened', $3, $3) RETURNING id",
        person,
        slot,
        START,
    )
    return made


async def decision(connection: Connection) -> UUID:
    ref: UUID = await connection.fetchval("SELECT ref FROM decision")
    return ref


async def test_the_migration_back_frees_held_places_and_keeps_every_appointment(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    url = postgres_server.url("holds_there_and_back")
    await asyncio.to_thread(migrate, url)
    async with origin_world.origin(url, tmp_path) as made:
        slots = [await made.world.slot(hours=24 + number, capacity=3) for number in range(2)]
        ana, bo = made.visitor("ana"), made.visitor("bo")
        booked = await ana.book(slots[0], await ana.decision())
        assert (await ana.move(booked, slots[1])).status_code == 200
        theirs = await bo.book(slots[0], await bo.decision())
        assert (await bo.cancel(theirs)).status_code == 204
        await hold(made.world.connection, PERSON, slots[1])
        await made.world.connection.execute("INSERT INTO course VALUES ('demo', '140', 1, 21, 28)")
        assert await made.world.unbalanced() == []
        before = await appointments(made.world)

    back = [each for each in migrations_dir().iterdir() if each.name >= MIGRATION]
    for _ in back:
        await asyncio.to_thread(step, url, "down")
    async with origin_world.reopened(url, made.world.clock) as world:
        assert await world.count("slot", "remaining <> capacity - 1") == 1  # none but the appointment's
        assert await world.connection.fetchval("SELECT to_regclass('hold')") is None
        assert await appointments(world) == before
    await asyncio.to_thread(migrate, url)
    async with origin_world.reopened(url, made.world.clock) as world:
        assert await appointments(world) == before
        assert await world.unbalanced() == []
        assert await world.count("appointment", "cancelled_by = 'visitor'") == 1
        policy = "SELECT hold_lasts, change_until, moves_at_most FROM programme"
        assert tuple(await world.connection.fetchrow(policy) or ()) == (timedelta(minutes=2), timedelta(0), None)


async def appointments(world: World) -> list[tuple[object, ...]]:
    rows = await world.connection.fetch(
        "SELECT id, person, slot, status, version, admission FROM appointment ORDER BY id"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("already", [False, True])
async def test_holding_a_place_looks_at_few_slots_however_many_there_are(
    database_url: str, tmp_path: Path, *, already: bool
) -> None:
    async with origin_world.origin(database_url, tmp_path) as made:
        connection = made.world.connection
        slots = [await made.world.slot(hours=24 + number) for number in range(2)]
        await connection.execute(
            "INSERT INTO slot (programme, site, starts_at, ends_at, product, capacity, remaining)"
            " SELECT 'demo', 1, $1::timestamptz + n * interval '1 minute', $1::timestamptz + (n + 1) * interval"
            " '1 minute', '140', 1, 1 FROM generate_series(10000, 30000) n",
            START,
        )
        await made.visitor().decision()
        person: bytes = await connection.fetchval("SELECT person FROM decision")
        if already:
            await hold(connection, person, slots[0])
        await connection.execute("SET enable_seqscan = off")
        await connection.execute("SELECT pg_stat_force_next_flush()")
        before = await touched(connection)
        outcome = await connection.fetchval(
            "SELECT outcome FROM hold_place($1, 'demo', $2, $3, $4, NULL, $5)",
            uuid4(),
            person,
            slots[1],
            await decision(connection),
            START,
        )
        assert outcome == "held"
        assert 0 < await touched(connection) - before < 30


async def touched(connection: Connection) -> int:
    """How many rows of `slot` this session's backend has fetched so far."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    number: int = await connection.fetchval(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'slot'"
    )
    return number
