"""Searches from a streaming replica: what they say of their age is true, and they go on whatever happens to it."""

import asyncio
import os
import signal
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from itertools import count
from pathlib import Path
from time import perf_counter

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from deploy.migrations import migrate
from deploy.stores import Postgres, free_port
from origin.db.pool import Database, connect, create_pool
from origin.db.replica import Reader, reading
from origin.db.sql import Connection
from origin.metrics import OriginMetrics
from shared.clock import SystemClock
from tests import origin_world
from tests.conftest import server_folder
from tests.origin_world import Origin
from tests.replicas import replica_of

BOUND_S = 1.0
TOLD_S = 4.0
WHERE = {"lat": "40.4", "lng": "-3.7"}


@pytest.fixture
async def servers() -> AsyncIterator[tuple[Postgres, Postgres]]:
    """A primary with the tables, and its replica."""
    with server_folder() as folder:
        primary = Postgres(folder / "postgres", free_port(), {"fsync": "off"})
        primary.start()
        try:
            await asyncio.to_thread(migrate, primary.url())
            with replica_of(primary) as replica:
                yield primary, replica
        finally:
            primary.stop()


@pytest.fixture
async def origin(servers: tuple[Postgres, Postgres], tmp_path: Path) -> AsyncIterator[Origin]:
    primary, replica = servers
    url = SecretStr(replica.url())
    async with origin_world.origin(primary.url(), tmp_path, replica_url=url, replica_staleness_s=BOUND_S) as made:
        yield made


async def until(so: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so; whoever asks, asks a server, and so lets others run."""
    async with asyncio.timeout(20):
        while not await so():
            pass


def reads(origin: Origin, source: str) -> float:
    return origin.metric("reads_total", source=source)


async def search(origin: Origin) -> list[int]:
    answer = await origin.client.get("/v1/slots", params=WHERE, headers=origin.visitor().headers)
    assert answer.status_code == 200, answer.text
    return [slot["id"] for slot in answer.json()["slots"]]


async def next_from(origin: Origin, source: str) -> None:
    """Search until an answer comes from there; every search on the way is answered."""

    async def comes() -> bool:
        before = reads(origin, source)
        await search(origin)
        return reads(origin, source) > before

    await until(comes)


async def act(server: Postgres, statement: str) -> None:
    connection = await connect(server.url())
    await connection.execute(statement)
    await connection.close()


async def test_searches_read_the_replica_while_it_keeps_up_and_the_primary_once_it_stops_replaying(
    servers: tuple[Postgres, Postgres], origin: Origin
) -> None:
    first = await origin.world.slot()
    await next_from(origin, "replica")
    await until(lambda: _sees(origin, [first]))
    staleness = origin.metric("replica_staleness_seconds")
    assert 0 <= staleness < BOUND_S
    await act(servers[1], "SELECT pg_wal_replay_pause()")
    second = await origin.world.slot(hours=25)
    await next_from(origin, "primary")
    assert await search(origin) == [first, second]
    assert origin.metric("replica_staleness_seconds") > BOUND_S
    await act(servers[1], "SELECT pg_wal_replay_resume()")
    await next_from(origin, "replica")
    assert await search(origin) == [first, second]


async def _sees(origin: Origin, slots: list[int]) -> bool:
    return await search(origin) == slots


async def test_searches_go_on_when_the_replica_dies_and_return_to_it_when_it_is_back(
    servers: tuple[Postgres, Postgres], origin: Origin
) -> None:
    slot = await origin.world.slot()
    await next_from(origin, "replica")
    await until(lambda: _sees(origin, [slot]))
    servers[1].kill()
    for _ in range(10):
        assert await search(origin) == [slot]
    assert reads(origin, "primary") >= 10
    await asyncio.to_thread(servers[1].start)
    await next_from(origin, "replica")


async def test_a_replica_that_hangs_costs_one_second_once(servers: tuple[Postgres, Postgres], origin: Origin) -> None:
    slot = await origin.world.slot()
    await next_from(origin, "replica")
    process = servers[1].process
    assert process is not None
    workers = [process.pid, *map(int, await _backends(servers[1]))]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        started = perf_counter()
        for _ in range(20):
            assert await search(origin) == [slot]
        assert perf_counter() - started < 4
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    await next_from(origin, "replica")


async def _backends(server: Postgres) -> list[int]:
    connection = await connect(server.url())
    rows = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    await connection.close()
    return [row["pid"] for row in rows]


async def test_a_replica_that_follows_nobody_any_more_is_not_asked(
    servers: tuple[Postgres, Postgres], origin: Origin
) -> None:
    await next_from(origin, "replica")
    await act(servers[1], "SELECT pg_promote()")
    await next_from(origin, "primary")
    before = reads(origin, "replica")
    slot = await origin.world.slot()
    assert await search(origin) == [slot]
    assert reads(origin, "replica") == before


async def _count(connection: Connection) -> int:
    number: int = await connection.fetchval("SELECT count(*) FROM region")
    return number


async def _truths(
    servers: tuple[Postgres, Postgres], told: Callable[[Reader], Awaitable[tuple[int, datetime]]]
) -> list[tuple[int, int]]:
    """Commit row after row while reading, the replica pausing now and then: what was read, and what had to be there."""
    clock, committed = SystemClock(), list[datetime]()
    metrics = OriginMetrics(CollectorRegistry())
    primary = Database(await create_pool(servers[0].url(), size=4), metrics, wait_s=5)
    urls = servers[0].url(), servers[1].url()
    async with reading(primary, clock, metrics, urls, bound_s=BOUND_S, size=4) as reader:
        writer = await asyncpg.connect(servers[0].url())
        replica = await asyncpg.connect(servers[1].url())
        seen, ends = [], perf_counter() + TOLD_S
        for number in count():
            if perf_counter() > ends:
                break
            await writer.execute("INSERT INTO region (id, name) VALUES ($1, '')", f"r{number}")
            committed.append(clock.now())
            if number % 1000 == 600:
                await replica.execute("SELECT pg_wal_replay_pause()")
            if number % 1000 == 900:
                await replica.execute("SELECT pg_wal_replay_resume()")
            rows, as_of = await told(reader)
            seen.append((rows, bisect_right(committed, as_of)))
        assert metrics.registry.get_sample_value("vestibule_origin_reads_total", {"source": "replica"})
        await writer.close()
        await replica.close()
    await primary.close()
    return seen


async def test_whatever_was_committed_until_as_of_is_in_the_answer(servers: tuple[Postgres, Postgres]) -> None:
    seen = await _truths(servers, lambda reader: reader.read(_count))
    assert [(rows, had_to) for rows, had_to in seen if rows < had_to] == []


async def test_to_call_a_replicas_data_that_of_now_would_be_found_out(servers: tuple[Postgres, Postgres]) -> None:
    async def boast(reader: Reader) -> tuple[int, datetime]:
        now = SystemClock().now()
        rows, _ = await reader.read(_count)
        return rows, now

    assert [rows for rows, had_to in await _truths(servers, boast) if rows < had_to]
