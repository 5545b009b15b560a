"""The two meters together, in virtual time, on one store and on a cluster; see ``test_edge_capacity.py``, too."""

import pytest
from redis.asyncio import Redis

from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_crowd import START, Crowd, steadily
from tests.edge_world import line, spots

pytestmark = ON_SINGLE_AND_CLUSTER


@pytest.mark.parametrize("no_shows", [0.0, 0.4])
async def test_capacity_is_used_whoever_stays_away(valkey: Redis, no_shows: float) -> None:
    room = line(valkey, rate_per_s=20.0, burst=10, call_window_s=30)
    await room.install(START)
    people = steadily(no_shows)
    world = Crowd(room, [people])
    await world.join([10_000])
    await world.live(120)
    assert 0.95 * 20 * 60 <= people.tokens(60, 120) <= 20 * 60 + 10


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
