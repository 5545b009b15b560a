"""Lanes of one room share its tokens as planned, in virtual time, and waste none."""

from typing import Any

import pytest
from redis.asyncio import Redis

from edge.line.room import Spot
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_crowd import START, Crowd, People, steadily
from tests.edge_world import line, spots

pytestmark = ON_SINGLE_AND_CLUSTER

RATE = 20.0
FLOOR = 5.0


def lane(name: str, **changes: Any) -> dict[str, Any]:
    return {"lane": name} | changes


async def crowd(valkey: Redis, *lanes: dict[str, Any], people: list[People]) -> Crowd:
    """A room with far more people in each lane than it can serve."""
    room = line(valkey, rate_per_s=RATE, burst=20, lanes=list(lanes))
    await room.install(START)
    world = Crowd(room, people)
    await world.join([20_000] * len(lanes))
    return world


def all_tokens(world: Crowd, begin_s: int, end_s: int) -> int:
    return sum(people.tokens(begin_s, end_s) for people in world.lanes)


async def test_lanes_share_by_weight_whatever_their_people_do(valkey: Redis) -> None:
    one, two, three = steadily(0.0), steadily(0.5), steadily(0.2)
    lanes = (lane("one", weight=5), lane("two", weight=3), lane("three", weight=2))
    world = await crowd(valkey, *lanes, people=[one, two, three])
    await world.live(180)
    assert all_tokens(world, 60, 180) >= 0.97 * RATE * 120
    for people, weight in ((one, 5), (two, 3), (three, 2)):
        assert people.tokens(60, 180) == pytest.approx(RATE * 120 * weight / 10, rel=0.1)


async def test_a_lane_in_which_nobody_waits_costs_nothing(valkey: Redis) -> None:
    room = line(valkey, rate_per_s=RATE, lanes=[lane("general"), lane("phone", weight=9, floor_per_s=15)])
    await room.install(START)
    people = steadily(0.2)
    world = Crowd(room, [people, steadily(0.0)])
    await world.join([10_000, 0])
    await world.live(180)
    for begin in (60, 120):
        assert people.tokens(begin, begin + 60) >= 0.97 * RATE * 60


async def test_a_lane_that_runs_dry_leaves_its_part_to_the_others(valkey: Redis) -> None:
    room = line(valkey, rate_per_s=RATE, lanes=[lane("general"), lane("phone")])
    await room.install(START)
    world = Crowd(room, [steadily(0.0), steadily(0.3)])
    await world.join([10_000, 900])
    await world.live(240)
    for begin in range(60, 240, 60):
        assert all_tokens(world, begin, begin + 60) >= 0.97 * RATE * 60


async def herd(world: Crowd, size: int) -> None:
    """So many of the first lane have been called without coming, and all come at once now."""
    first = world.lanes[0].called + 1
    world.room._called[0] = world.lanes[0].called = first + size
    await world.room.look([], world.now)
    for place in range(first, first + size):
        world.come(Spot(0, place, place), world.chance.uniform(0, 1))


async def test_a_floor_holds_against_a_herd_at_the_door(valkey: Redis) -> None:
    everybody, phone = steadily(0.0), steadily(0.3)
    lanes = (lane("general", weight=100), lane("phone", weight=1, floor_per_s=FLOOR))
    world = await crowd(valkey, *lanes, people=[everybody, phone])
    await world.live(60)
    await herd(world, 5_000)
    await world.live(120)
    for begin in (60, 120):
        assert phone.tokens(begin, begin + 60) >= 0.95 * FLOOR * 60
        assert all_tokens(world, begin, begin + 60) >= 0.95 * RATE * 60, "and nothing is wasted for it"


async def test_what_is_kept_for_people_who_go_away_again_is_not_wasted(valkey: Redis) -> None:
    lanes = (lane("general"), lane("phone", floor_per_s=RATE))
    room = line(valkey, rate_per_s=RATE, burst=20, lanes=list(lanes))
    await room.install(START)
    everybody = steadily(0.0)
    world = Crowd(room, [everybody, steadily(0.0)])
    await world.join([10_000, 500])
    room._called[1] = 500
    world.lanes[1].called = 500
    await room.claim(spots(range(1, 501), 1), world.now)  # they come, are told to wait for a token, and give up
    await world.live(60)
    assert everybody.tokens(0, 60) >= 0.85 * RATE * 60, "but for what the bucket takes to fill now and then"


async def test_a_lane_may_open_later_than_the_room(valkey: Redis) -> None:
    early, late = steadily(0.1), steadily(0.1)
    opens = "2027-01-15T08:01:00Z"  # a minute after START
    lanes = [lane("early"), lane("late", weight=3, opens_at=opens)]
    room = line(
        valkey, rate_per_s=RATE, lanes=lanes, prequeue_at="2027-01-15T07:00:00Z", opens_at="2027-01-15T08:00:00Z"
    )
    await room.install(START)
    world = Crowd(room, [early, late])
    await world.join([20_000, 20_000])
    await world.live(59.8)
    assert world.looks[-1].lanes[1].called == 0
    assert early.tokens(30, 60) >= 0.95 * RATE * 30
    await world.live(0.4)
    assert world.looks[-1].lanes[1].called <= 20, "it opens with its burst, not with its crowd"
    await world.live(120)
    assert late.tokens(120, 180) == pytest.approx(0.75 * RATE * 60, rel=0.1)
    assert all_tokens(world, 60, 180) >= 0.95 * RATE * 120
