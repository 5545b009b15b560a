"""A rush on two origins of their own processes while the database, an origin and connections are killed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from deploy.stores import Postgres
from origin.db.pool import connect
from shared.clock import ManualClock, SystemClock
from tests.books import assert_sold_exactly
from tests.edge_processes import until
from tests.faults.durable import durable_server
from tests.origin_processes import OriginProcess, origins
from tests.origin_world import Visitor, World, admission

PEOPLE = 120
SLOTS = 3
CAPACITY = 32
PLACES = SLOTS * CAPACITY
AT_ONCE = 8
DEADLINE_S = 120


@dataclass
class Rush:
    """People who each want a place and do not give up; ``faults``: what happens right behind how many confirmations."""

    processes: list[OriginProcess]
    slots: list[int]
    tokens: list[str]
    decisions: list[str] = field(default_factory=list)
    confirmed: dict[int, object] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    setbacks: Counter[str] = field(default_factory=Counter)
    faults: dict[int, Callable[[], Awaitable[None]]] = field(default_factory=dict)

    def visitor(self, number: int, at: int) -> Visitor:
        """One of the people, talking to one of the origins."""
        return Visitor(self.processes[at % len(self.processes)].browser, f"person-{number}", self.tokens[number])

    async def book(self, number: int, at: int) -> httpx.Response:
        """Ask once; always with the same key."""
        return await self.visitor(number, at).book(
            self.slots[number % SLOTS], self.decisions[number], key=f"key-{number}"
        )

    async def run(self) -> None:
        """Let everybody book, some at a time, until everybody has an answer that counts."""
        queue = iter(range(PEOPLE))

        async def some() -> None:
            for number in queue:
                await self._insist(number)

        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(some())

    async def _insist(self, number: int) -> None:
        at = number
        while not await self._is_told(number, at):
            at += 1  # to another origin
            await asyncio.sleep(0.02)

    async def _is_told(self, number: int, at: int) -> bool:
        try:
            answer = await self.book(number, at)
        except httpx.TransportError:
            self.setbacks["no answer"] += 1
            return False
        if answer.status_code == 201:
            self.confirmed[number] = answer.json()
            if fault := self.faults.pop(len(self.confirmed), None):
                await fault()
            return True
        code = answer.json()["code"]
        if code == "slot_gone":
            self.refused.add(number)
            return True
        assert code in {"store_unavailable", "key_in_flight"}, answer.text
        self.setbacks[code] += 1
        return False


@pytest.fixture
async def server() -> AsyncIterator[Postgres]:
    async with durable_server() as made:
        yield made


@pytest.fixture
async def rush(server: Postgres, tmp_path: Path) -> AsyncIterator[Rush]:
    world = World(await connect(server.url()), ManualClock(SystemClock().now()))
    await world.set_up()
    slots = [await world.slot(capacity=CAPACITY, hours=24 + number) for number in range(SLOTS)]
    await world.connection.close()
    async with origins(2, server.url(), tmp_path) as processes:
        made = Rush(processes, slots, [admission(now=world.clock.now()) for _ in range(PEOPLE)])
        made.decisions = [await made.visitor(number, number).decision() for number in range(PEOPLE)]
        yield made


async def check(rush: Rush, server: Postgres) -> None:
    """B1 to B4: what was confirmed is there, once, and is what the same key says at every origin."""
    assert len(rush.confirmed) == PLACES
    assert len(rush.refused) == PEOPLE - PLACES
    connection = await connect(server.url())
    try:
        await assert_sold_exactly(connection, PLACES)
        for number in range(PEOPLE):
            again = await rush.book(number, number + 1)  # the other origin
            if number in rush.confirmed:
                assert (again.status_code, again.json()) == (201, rush.confirmed[number])
            else:
                assert (again.status_code, again.json()["code"]) == (409, "slot_gone")
        await assert_sold_exactly(connection, PLACES)
    finally:
        await connection.close()


async def test_nothing_is_lost_or_sold_twice_whatever_is_killed(rush: Rush, server: Postgres) -> None:
    cut: list[int] = []

    async def kill_the_database() -> None:
        server.kill()
        await asyncio.to_thread(server.start)

    async def cut_connections() -> None:
        connection = await connect(server.url())
        rows = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vestibule-origin'"
        )
        cut.append(len(rows))
        await connection.close()

    async def kill_the_first() -> None:
        rush.processes[0].kill()
        rush.processes[0].start()

    async def kill_the_second() -> None:
        rush.processes[1].kill()
        rush.processes[1].start()

    rush.faults = {
        10: cut_connections,
        20: kill_the_first,
        35: kill_the_database,
        50: cut_connections,
        60: kill_the_second,
        75: kill_the_database,
        85: cut_connections,
    }
    await rush.run()
    assert not rush.faults
    assert min(cut) > 0
    assert rush.setbacks["no answer"] > 0
    assert rush.setbacks["store_unavailable"] > 0
    for each in rush.processes:
        await until(each.is_ready, 30)
    await check(rush, server)
