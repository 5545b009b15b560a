"""The two meters together, in virtual time: people who do not turn up waste no capacity."""

import heapq
from collections import Counter
from random import Random

import pytest
from redis.asyncio import Redis

from edge.line import Line
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import line, spots

pytestmark = ON_SINGLE_AND_CLUSTER

START = 1_800_000_000_000_000
STEP_US = 100_000


class Crowd:
    """More people than can be served; a share of them never turns up, the others within five seconds of their call."""

    def __init__(self, room: Line, no_shows: float, seed: int) -> None:
        self.room = room
        self.no_shows = no_shows
        self.chance = Random(seed)
        self.called = 0
        self.coming: list[tuple[float, int]] = []
        self.admitted: Counter[int] = Counter()  # by minute

    async def live(self, minutes: int) -> None:
        for step in range(1, minutes * 60_000_000 // STEP_US + 1):
            await self.turn(step * STEP_US)

    async def turn(self, us: int) -> None:
        second = us / 1e6
        _, picture = await self.room.look([], START + us)
        for place in range(self.called + 1, picture.called + 1):
            if self.chance.random() >= self.no_shows:
                heapq.heappush(self.coming, (second + self.chance.uniform(0.1, 5), place))
        self.called = picture.called
        here = []
        while self.coming and self.coming[0][0] <= second:
            here.append(heapq.heappop(self.coming)[1])
        if here:
            await self.claim(here, us)

    async def claim(self, here: list[int], us: int) -> None:
        outcomes, picture = await self.room.claim(spots(here), START + us)
        for place, outcome in zip(here, outcomes, strict=True):
            if outcome == "admitted":
                self.admitted[us // 60_000_000] += 1
            else:
                assert outcome == "paced"
                again = us / 1e6 + max(1, picture.backlog / picture.rate) * self.chance.uniform(0.9, 1.1)
                heapq.heappush(self.coming, (again, place))


@pytest.mark.parametrize(("rate", "no_shows"), [(50.0, 0.0), (50.0, 0.3), (20.0, 0.5)])
async def test_after_two_call_windows_capacity_is_used_whoever_stays_away(
    valkey: Redis, rate: float, no_shows: float
) -> None:
    room = line(valkey, rate_per_s=rate, burst=10, call_window_s=30)
    await room.install(START)
    await room.join([int(rate * 60 * 4 * 3)], START)
    crowd = Crowd(room, no_shows, seed=1)
    await crowd.live(3)
    for minute in (1, 2):
        assert crowd.admitted[minute] >= 0.95 * rate * 60
        assert crowd.admitted[minute] <= rate * 60 + 10


async def test_nobody_new_is_called_while_many_wait_for_a_token(valkey: Redis) -> None:
    room = line(valkey, rate_per_s=10.0, burst=1)
    await room.install(START)
    await room.join([1000], START)
    room._called = [100]
    await room.claim(spots(range(1, 101)), START)
    _, picture = await room.look([], START + 2_000_000)
    assert (picture.called, picture.backlog) == (100, 100)
    outcomes, _ = await room.claim(spots([1]), START + 2_000_000)
    assert outcomes == ["admitted"]


async def test_people_who_leave_when_called_give_their_turn_to_others(valkey: Redis) -> None:
    room = line(valkey, rate_per_s=10.0, burst=1)
    await room.install(START)
    await room.join([1000], START)
    room._called = [100]
    await room.claim(spots(range(1, 101)), START)
    await room.leave(spots(range(1, 101)), START)
    _, picture = await room.look([], START + 1_000_000)
    assert picture.backlog <= 1
    assert picture.called > 100
