"""Passing by the line, in virtual time: a switch with a bucket of its own."""

from typing import Any

from redis.asyncio import Redis

from edge.line.line import Line
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_crowd import START, Crowd, steadily
from tests.edge_world import line, spots

pytestmark = ON_SINGLE_AND_CLUSTER

RATE, BURST = 20.0, 10
PASSES = 1
LANES: list[dict[str, Any]] = [{"lane": "general"}, {"lane": "passes", "access": "pass"}]


async def room_of_two(valkey: Redis, **passes: object) -> Line:
    room = line(valkey, rate_per_s=RATE, burst=BURST, lanes=[LANES[0], LANES[1] | passes])
    await room.install(START)
    return room


async def test_it_is_off_until_an_operator_turns_it_on(valkey: Redis) -> None:
    room = await room_of_two(valkey)
    await room.join([1_000, 1_000], START)
    _, picture = await room.look([], START + 500_000)
    assert [lane.bypasses for lane in picture.lanes] == [0, 1], "the lane whose people hold passes may"
    assert picture.lanes[PASSES].called < 20
    picture = await room.change({"bypass_rate": 5.0, "bypass_burst": 3}, now_us=START + 600_000)
    _, picture = await room.look([], START + 700_000)
    assert picture.lanes[PASSES].called == 1_000, "whoever holds a pass is called at once"
    assert picture.lanes[0].called < 30
    [_, late], picture = await room.join([0, 1], START + 800_000)
    assert picture.lanes[PASSES].called == late.first


async def test_the_second_bucket_is_as_strict_as_the_first_and_they_share_nothing(valkey: Redis) -> None:
    room = await room_of_two(valkey)
    general = steadily(0.0)
    world = Crowd(room, [general, steadily(0.0)])
    await room.change({"bypass_rate": 5.0, "bypass_burst": 3}, now_us=START)
    await world.join([5_000, 2_000])
    picture = await world.live(120)
    assert picture.bypassed == sum(world.lanes[PASSES].admitted.values())
    assert picture.bypassed >= 0.95 * 5 * 120
    for begin in range(120):
        for end in range(begin + 1, 121):
            assert world.lanes[PASSES].tokens(begin, end) <= 5 * (end - begin) + 3 + 1e-6
    assert general.tokens(60, 120) >= 0.97 * RATE * 60, "nobody in line loses a token to it"


async def test_nothing_is_kept_in_the_first_bucket_for_who_uses_the_second(valkey: Redis) -> None:
    room = await room_of_two(valkey, floor_per_s=RATE)
    await room.change({"bypass_rate": 1.0, "bypass_burst": 1}, now_us=START)
    general = steadily(0.0)
    world = Crowd(room, [general, steadily(0.0)])
    await world.join([5_000, 2_000])
    await world.live(120)
    assert general.tokens(60, 120) >= 0.97 * RATE * 60


async def test_when_it_is_off_again_who_was_called_keeps_the_turn(valkey: Redis) -> None:
    room = await room_of_two(valkey)
    await room.change({"bypass_rate": 5.0, "bypass_burst": 3}, now_us=START)
    await room.join([1_000, 50], START)
    _, picture = await room.look([], START + 100_000)
    assert picture.lanes[PASSES].called == 50
    picture = await room.change({"bypass_rate": 0}, now_us=START + 1_100_000)
    await room.join([0, 500], START + 1_100_000)
    states, picture = await room.look(spots([*range(1, 51), 550], PASSES), START + 1_200_000)
    assert states == ["called"] * 50 + ["waiting"]
    before = picture.bypassed
    outcomes, picture = await room.claim(spots(range(1, 51), PASSES), START + 2_000_000)
    assert outcomes.count("admitted") == BURST, "tokens come out of the one bucket now"
    assert picture.bypassed == before
    assert set(outcomes) == {"admitted", "paced"}


async def test_turning_it_off_and_on_banks_nothing(valkey: Redis) -> None:
    room = await room_of_two(valkey)
    await room.join([0, 500], START)
    now = START
    for _ in range(5):
        await room.change({"bypass_rate": 2.0, "bypass_burst": 3}, now_us=now)
        await room.change({"bypass_rate": 0}, now_us=now + 1_000_000)
        now += 60_000_000
    await room.change({"bypass_rate": 2.0}, now_us=now)
    outcomes, _ = await room.claim(spots(range(1, 501), PASSES), now)
    assert outcomes.count("admitted") == 3


async def test_a_pause_stops_it_too(valkey: Redis) -> None:
    room = await room_of_two(valkey)
    await room.change({"bypass_rate": 5.0, "bypass_burst": 3}, now_us=START)
    await room.join([0, 10], START)
    await room.change({"state": "paused"}, now_us=START + 1_000_000)
    outcomes, _ = await room.claim(spots(range(1, 11), PASSES), START + 60_000_000)
    assert set(outcomes) == {"paced"}
    await room.change({"state": "open"}, now_us=START + 60_000_000)
    outcomes, _ = await room.claim(spots(range(1, 11), PASSES), START + 60_000_000)
    assert outcomes.count("admitted") == 3


async def test_the_second_bucket_banks_its_burst_and_no_more(valkey: Redis) -> None:
    room = await room_of_two(valkey)
    await room.change({"bypass_rate": 5.0, "bypass_burst": 30}, now_us=START)
    await room.look([], START + 60_000_000)
    await room.change({"bypass_burst": 3}, now_us=START + 60_000_000)
    await room.join([0, 500], START + 120_000_000)
    outcomes, _ = await room.claim(spots(range(1, 501), PASSES), START + 120_000_000)
    assert outcomes.count("admitted") == 3
    await room.change({"bypass_burst": 30}, now_us=START + 180_000_000)
    await room.change({"bypass_burst": 2}, now_us=START + 180_000_000)
    await room.change({"bypass_burst": 30}, now_us=START + 180_000_000)
    outcomes, _ = await room.claim(spots(range(1, 501), PASSES), START + 180_000_000)
    assert outcomes.count("admitted") == 2
