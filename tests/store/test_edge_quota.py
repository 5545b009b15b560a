"""The limits' bookkeeping on a real store: shares, what is lent, what is refused, and what gives way."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as StoreGone

from edge.guard import quota
from edge.guard.quota import WINDOW_S, Limited, Quota, SharedStorage
from shared.clock import SystemClock
from tests.conftest import ON_SINGLE_AND_CLUSTER

pytestmark = ON_SINGLE_AND_CLUSTER

ADDRESS = "198.51.100.7"


class Trips(MovingWindowRateLimiter):
    """Counts the round trips; fails them while the store is gone."""

    def __init__(self, client: Redis) -> None:
        super().__init__(SharedStorage(client))
        self.trips = 0
        self.gone = False

    async def hit(self, *arguments: Any, **more: Any) -> bool:
        self.trips += 1
        if self.gone:
            raise StoreGone
        return await super().hit(*arguments, **more)


class World:
    """One edge's quota, on an event loop's clock that is moved by hand."""

    def __init__(self, valkey: Redis, per_window: int) -> None:
        self.trips = Trips(valkey)
        self.opened: list[None] = []
        self.retries: list[int] = []
        name = "{demo}:joins"
        self.quota = Quota(name, per_window, self.trips, SystemClock(), lambda: self.opened.append(None))

    async def ask(self, address: str = ADDRESS, ahead_s: float = 0) -> bool:
        """Do one thing; return whether it was allowed."""
        try:
            await self.quota.ask(address, asyncio.get_running_loop().time() + ahead_s)
        except Limited as refused:
            self.retries.append(refused.retry_after_s)
            return False
        return True

    async def allowed(self, times: int) -> int:
        """Do it many times; return how often it was allowed."""
        return sum([await self.ask() for _ in range(times)])


Make = Callable[[int], World]


@pytest.fixture
def edge(valkey: Redis) -> Make:
    return lambda per_window: World(valkey, per_window)


@pytest.mark.parametrize("limit", [1, 2, 19, 39])
async def test_a_small_limit_is_exact_whatever_the_number_of_edges(edge: Make, limit: int) -> None:
    edges = [edge(limit) for _ in range(3)]
    allowed = 0
    for _ in range(limit):
        for each in edges:
            allowed += await each.ask()
    assert allowed == limit


@pytest.mark.parametrize("edges", [1, 2, 4])
async def test_a_large_limit_is_kept_within_a_tenth_per_edge(edge: Make, edges: int) -> None:
    limit = 600
    started = [edge(limit) for _ in range(edges)]
    refusals, allowed = 0, 0
    for _ in range(limit):
        for each in started:
            if await each.ask():
                allowed += 1
                assert refusals == 0 or edges > 1
            else:
                refusals += 1
                assert allowed >= limit * (1 - edges / 10)
    assert allowed <= limit * (1 + edges / 10)


async def test_far_below_the_limit_the_store_hears_nothing_and_beyond_it_one_request_in_thirty(edge: Make) -> None:
    one = edge(600)
    assert await one.allowed(30) == 30
    assert one.trips.trips == 0
    assert await one.allowed(300) == 300
    assert one.trips.trips == 10


async def test_a_flood_costs_the_store_nothing(edge: Make) -> None:
    one = edge(2)
    await one.allowed(3)
    asked = one.trips.trips
    assert await one.allowed(1_000) == 0
    assert one.trips.trips == asked
    assert {WINDOW_S - 1, WINDOW_S} >= set(one.retries)


async def test_requests_at_once_share_one_round_trip(edge: Make) -> None:
    one = edge(600)
    answers = await asyncio.gather(*(one.ask() for _ in range(60)))
    assert all(answers)
    assert one.trips.trips == 1


async def test_what_was_lent_is_charged_with_the_next_share(edge: Make, valkey: Redis) -> None:
    one = edge(600)
    await one.allowed(31)
    [key] = await valkey.keys("vestibule:limits:*")
    assert await valkey.llen(key) == 2, "a share that was lent, and one that was asked for"
    assert 0 < await valkey.ttl(key) <= WINDOW_S


async def test_the_store_being_gone_refuses_nobody_and_is_asked_once_a_second(edge: Make) -> None:
    one = edge(2)
    one.trips.gone = True
    assert await one.allowed(50) == 50
    assert one.trips.trips == 1
    assert len(one.opened) == 1
    one.trips.gone = False
    assert await one.allowed(5) == 5, "within the second"


async def test_memory_is_bounded(edge: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "_MOST_ACCOUNTS", 100)
    one = edge(600)
    for host in range(1_000):
        assert await one.ask(f"198.51.{host // 250}.{host % 250}")
    assert len(one.quota._accounts) <= 100


async def test_a_minute_later_what_was_little_is_forgotten(edge: Make) -> None:
    one = edge(600)
    await one.allowed(29)
    await one.ask("203.0.113.1", ahead_s=WINDOW_S + 1)
    assert set(one.quota._accounts) == {"203.0.113.1"}
