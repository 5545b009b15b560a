"""Bookings that share a round trip: each gets its own answer, and one's bad luck is not another's."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from origin.booking.store import Attempt, BookingStore, Result
from origin.booking.together import Bookings
from origin.db.pool import Database
from origin.db.sql import Connection
from origin.db.together import LANES, LINGER_S, MOST_TOGETHER, MOST_TRIPS, MOST_WAITING, SLOW_TRIP_S, one_by_one
from origin.metrics import OriginMetrics
from shared import problem
from shared.problem import Problem

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def attempt(slot: int) -> Attempt:
    return Attempt(b"p", str(slot), b"f", slot, NOW, "demo", UUID(int=1), "a", UUID(int=slot))


class Trips(BookingStore):
    """Notes each round trip; ``answer`` decides how one comes out. The gate holds trips back until it opens."""

    def __init__(self, answer: Callable[[Sequence[Attempt]], list[Result]]) -> None:
        self.trips: list[list[int]] = []
        self.gate = asyncio.Event()
        self._answer = answer

    async def book(self, _connection: Connection, attempts: Sequence[Attempt]) -> list[Result]:
        self.trips.append([each.slot for each in attempts])
        await self.gate.wait()
        return self._answer(attempts)


class Lent:
    """A database that lends nothing, at most ``size`` times at once, or is away."""

    def __init__(self, size: int = 16) -> None:
        self.away = False
        self.size = size
        self.asked = 0
        self.lent = 0
        self.out = 0
        self.all_back = asyncio.Event()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[None]:
        self.asked += 1
        if self.away or self.out >= self.size:
            raise Problem(problem.STORE_UNAVAILABLE)
        self.lent += 1
        self.out += 1
        try:
            yield
        finally:
            self.out -= 1
            if not self.out:
                self.all_back.set()

    @contextmanager
    def watched(self) -> Iterator[None]:
        yield


def booked(attempts: Sequence[Attempt]) -> list[Result]:
    return [Result("booked", str(each.slot)) for each in attempts]


def together(store: BookingStore, database: Lent | None = None) -> Bookings:
    return Bookings(cast("Database", database or Lent()), store, OriginMetrics(CollectorRegistry()))


async def gathered(bookings: Bookings, slots: Sequence[int]) -> "list[asyncio.Task[Result]]":
    tasks = [asyncio.create_task(bookings.book(attempt(slot))) for slot in slots]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_requests_gather_while_the_lanes_are_busy_and_each_gets_its_own_answer() -> None:
    store = Trips(booked)
    bookings = together(store)
    first = await gathered(bookings, range(3))
    later = await gathered(bookings, range(100, 100 + MOST_TOGETHER + 5))
    store.gate.set()
    answers = await asyncio.gather(*first, *later)
    assert [each.answer for each in answers] == [str(n) for n in (*range(3), *range(100, 105 + MOST_TOGETHER))]
    assert [len(trip) for trip in store.trips] == [3, MOST_TOGETHER, 5]


async def test_a_slow_trip_holds_up_nobody_who_comes_later() -> None:
    """Up to the number of lanes, also for those who come long after the trip has become slow."""
    store = Trips(booked)
    bookings = together(store)
    tasks: list[asyncio.Task[Result]] = []
    async with asyncio.timeout(5):
        for number in range(LANES):
            tasks += await gathered(bookings, [number])
            while len(store.trips) <= number:
                await asyncio.wait(tasks, timeout=SLOW_TRIP_S / 4)
            await asyncio.wait(tasks, timeout=SLOW_TRIP_S * 2)
    tasks += await gathered(bookings, [77])
    await asyncio.wait(tasks, timeout=SLOW_TRIP_S * 3)
    assert store.trips == [[number] for number in range(LANES)]
    store.gate.set()
    assert [each.answer for each in await asyncio.gather(*tasks)] == [*map(str, range(LANES)), "77"]


async def test_a_race_that_one_lost_is_asked_again_one_by_one() -> None:
    def lose_once(attempts: Sequence[Attempt]) -> list[Result]:
        if len(attempts) > 1 or store.trips.count([7]) == 1:
            raise asyncpg.UniqueViolationError("lost")
        return booked(attempts)

    store = Trips(lose_once)
    store.gate.set()
    bookings = together(store, Lent(size=1))  # whoever is asked again needs no further connection
    answers = await asyncio.gather(*(bookings.book(attempt(slot)) for slot in (6, 7, 8, 9)))
    assert [each.answer for each in answers] == ["6", "7", "8", "9"]
    assert store.trips.count([7]) == 2


async def test_a_race_that_is_always_lost_is_told_by_its_constraint() -> None:
    def lose(_: Sequence[Attempt]) -> list[Result]:
        lost = asyncpg.UniqueViolationError("lost")
        cast("Any", lost).constraint_name = "appointment_one_active"
        raise lost

    store = Trips(lose)
    store.gate.set()
    assert await together(store).book(attempt(1)) == Result("already_booked")


async def test_a_fault_reaches_everybody_who_shared_the_trip_and_the_next_goes_on() -> None:
    database = Lent()
    store = Trips(booked)
    store.gate.set()
    bookings = together(store, database)
    database.away = True
    refused = await asyncio.gather(*(bookings.book(attempt(slot)) for slot in range(3)), return_exceptions=True)
    assert [type(each) for each in refused] == [Problem] * 3
    database.away = False
    assert (await bookings.book(attempt(1))).outcome == "booked"


async def test_a_herd_keeps_its_connection_for_some_trips_and_gives_it_back() -> None:
    """Those who come soon after one another; others who want a connection have their turn in between."""
    database = Lent()
    store = Trips(booked)
    store.gate.set()
    bookings = together(store, database)
    for number in range(MOST_TRIPS):
        await bookings.book(attempt(number))
    assert (len(store.trips), database.lent) == (MOST_TRIPS, 1)
    await bookings.book(attempt(77))
    assert database.lent == 2
    database.all_back.clear()
    async with asyncio.timeout(5):
        await database.all_back.wait()  # nobody comes any more
    await bookings.book(attempt(78))
    assert database.lent == 3


async def test_a_connection_with_a_slow_trip_is_not_kept() -> None:
    database = Lent()
    store = Trips(booked)
    bookings = together(store, database)
    tasks = await gathered(bookings, [0])
    await asyncio.wait(tasks, timeout=SLOW_TRIP_S * 2)
    store.gate.set()
    assert (await tasks[0]).outcome == "booked"
    await bookings.book(attempt(1))
    assert database.lent == 2


async def test_a_fault_on_a_kept_connection_is_for_those_who_were_on_it_alone() -> None:
    def broken_once(attempts: Sequence[Attempt]) -> list[Result]:
        if attempts[0].slot == 2:
            raise ConnectionResetError("gone")
        return booked(attempts)

    database = Lent()
    store = Trips(broken_once)
    store.gate.set()
    bookings = together(store, database)
    assert (await bookings.book(attempt(1))).answer == "1"
    with pytest.raises(ConnectionResetError):
        await bookings.book(attempt(2))
    assert (await bookings.book(attempt(3))).answer == "3"
    assert database.lent == 2


async def test_where_no_connection_can_be_had_all_who_wait_are_told_at_once() -> None:
    database = Lent()
    database.away = True
    bookings = together(Trips(booked), database)
    tasks = await gathered(bookings, range(3 * MOST_TOGETHER))
    refused = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in refused] == [Problem] * 3 * MOST_TOGETHER
    assert database.asked == 1


async def test_who_comes_as_a_lane_gives_up_is_served_and_nothing_is_logged() -> None:
    """The moment is over while the loop is busy, and somebody comes in that same turn."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    store = Trips(booked)
    store.gate.set()
    bookings = together(store)
    await bookings.book(attempt(1))
    await asyncio.sleep(0)  # the lane waits for somebody
    busy_until = time.monotonic() + LINGER_S * 2
    while time.monotonic() < busy_until:
        pass
    assert (await asyncio.create_task(bookings.book(attempt(2)))).answer == "2"
    assert faults == []


async def test_what_stays_locked_is_waited_for_once_and_one_fault_is_nobody_elses() -> None:
    asked: list[str] = []

    async def alone(name: str) -> str:
        asked.append(name)
        if name.startswith("locked"):
            raise Problem(problem.STORE_UNAVAILABLE)
        if name == "odd":
            raise ValueError(name)
        return name

    results = await one_by_one(
        ["a", "locked-1", "odd", "locked-2", "away-1", "b"], alone, lambda name: name.split("-")[0]
    )
    assert asked == ["a", "locked-1", "odd", "away-1", "b"]
    assert [type(each) for each in results] == [str, Problem, ValueError, Problem, str, str]
    assert results[1] is results[3]


async def test_who_gives_up_waiting_does_not_disturb_the_others() -> None:
    store = Trips(booked)
    bookings = together(store)
    tasks = await gathered(bookings, [0])
    tasks += await gathered(bookings, range(1, 5))
    tasks[-1].cancel()
    store.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(each, Result) for each in answers] == [True] * 4 + [False]


async def test_nobody_is_left_standing_when_a_lane_ends_as_they_come() -> None:
    """A store that answers at once makes lanes end all the time; each request must find a lane, or start one."""
    store = Trips(booked)
    store.gate.set()
    bookings = together(store)

    async def regular(number: int) -> None:
        for _ in range(50):
            assert (await bookings.book(attempt(number))).answer == str(number)

    async with asyncio.timeout(10):
        await asyncio.gather(*(regular(number) for number in range(16)))


async def test_the_queue_is_bounded() -> None:
    store = Trips(booked)
    bookings = together(store)
    tasks = await gathered(bookings, range(MOST_WAITING + MOST_TOGETHER + 1))
    store.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, Problem)]
    assert 1 <= len(refused) <= MOST_TOGETHER + 1
    assert {each.kind for each in refused} == {problem.STORE_UNAVAILABLE}
    assert sum(isinstance(each, Result) for each in answers) + len(refused) == len(answers)
