"""Trips that many share."""

import asyncio
from collections.abc import Sequence

import pytest

from edge.line.shuttle import Hold, Shuttle


class Store:
    """Answers a trip when told to."""

    def __init__(self) -> None:
        self.trips: list[list[int]] = []
        self.gate = asyncio.Event()
        self.fails = False

    async def run(self, arguments: Sequence[int]) -> list[int]:
        self.trips.append(list(arguments))
        await self.gate.wait()
        if self.fails:
            raise ConnectionError
        return [10 * argument for argument in arguments]


async def test_what_arrives_during_a_trip_shares_the_next_in_order() -> None:
    store = Store()
    shuttle = Shuttle(store.run, limit=100, linger_s=0)
    first = shuttle.submit(1)
    await asyncio.sleep(0)
    others = [shuttle.submit(number) for number in (2, 3, 4)]
    store.gate.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
    assert store.trips == [[1], [2, 3, 4]]


async def test_a_trip_takes_no_more_than_its_limit() -> None:
    store = Store()
    store.gate.set()
    shuttle = Shuttle(store.run, limit=2, linger_s=0)
    assert await asyncio.gather(*(shuttle.submit(number) for number in range(5))) == [0, 10, 20, 30, 40]
    assert store.trips == [[0, 1], [2, 3], [4]]


async def test_a_failed_trip_fails_for_those_who_shared_it_and_the_next_goes_on() -> None:
    store = Store()
    store.fails = True
    store.gate.set()
    shuttle = Shuttle(store.run, limit=100, linger_s=0)
    shared = [shuttle.submit(1), shuttle.submit(2)]
    for future in shared:
        with pytest.raises(ConnectionError):
            await future
    store.fails = False
    assert await shuttle.submit(3) == 30


async def test_whoever_gives_up_does_not_disturb_the_others() -> None:
    store = Store()
    shuttle = Shuttle(store.run, limit=100, linger_s=0)
    one, two = shuttle.submit(1), shuttle.submit(2)
    one.cancel()
    store.gate.set()
    assert await two == 20


def held(store: Store, *, seconds: float, most: int = 100) -> Shuttle[int, int]:
    return Shuttle(store.run, limit=2, linger_s=0, hold=Hold((ConnectionError,), seconds, most, every_s=0.001))


async def tried(store: Store, trips: int) -> None:
    for _ in range(5000):
        if len(store.trips) >= trips:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the shuttle does not try again")


async def test_who_is_held_gets_the_result_of_a_later_trip_in_the_order_of_arrival() -> None:
    store = Store()
    store.fails = True
    store.gate.set()
    shuttle = held(store, seconds=10)
    futures = [shuttle.submit(number) for number in range(5)]
    await tried(store, 3)
    store.fails = False
    failed = len(store.trips)
    assert await asyncio.gather(*futures) == [0, 10, 20, 30, 40]
    assert set(map(tuple, store.trips[:failed])) == {(0, 1)}
    assert [number for trip in store.trips[failed:] for number in trip][-3:] == [2, 3, 4]


async def test_nobody_is_held_for_longer_than_was_promised() -> None:
    store = Store()
    store.fails = True
    store.gate.set()
    shuttle = held(store, seconds=0.05)
    began = asyncio.get_running_loop().time()
    for future in [shuttle.submit(number) for number in range(5)]:
        with pytest.raises(ConnectionError):
            await future
    assert 0.05 <= asyncio.get_running_loop().time() - began < 1
    store.fails = False
    assert await shuttle.submit(7) == 70


async def test_no_more_are_held_than_was_said() -> None:
    store = Store()
    store.fails = True
    store.gate.set()
    shuttle = held(store, seconds=10, most=3)
    first = shuttle.submit(0)
    await tried(store, 2)
    others = [shuttle.submit(number) for number in range(1, 10)]
    refused = [future for future in others if future.done()]
    assert len(refused) >= 6
    for future in refused:
        with pytest.raises(ConnectionError):
            await future
    store.fails = False
    assert await first == 0


async def test_what_is_not_worth_holding_fails_at_once() -> None:
    store = Store()
    store.fails = True
    store.gate.set()
    shuttle = Shuttle(store.run, limit=2, linger_s=0, hold=Hold((TimeoutError,), 10, 100))
    with pytest.raises(ConnectionError):
        await shuttle.submit(1)


async def test_trips_keep_their_distance_and_a_crowd_does_not_wait_for_it() -> None:
    store = Store()
    store.gate.set()
    shuttle = Shuttle(store.run, limit=100, linger_s=30)
    assert await shuttle.submit(0) == 0, "nobody has travelled lately: no waiting"
    some = [shuttle.submit(number) for number in range(1, 32)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(store.trips) == 1, "they wait for company"
    assert await shuttle.submit(32) == 320
    assert await asyncio.gather(*some) == [10 * number for number in range(1, 32)]
    assert [len(trip) for trip in store.trips] == [1, 32]
