"""A room's schedule in virtual time: who may join when, and that nothing flows before it opens or after it closes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from edge.line.line import Line
from edge.line.room import Phase, Picture
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_crowd import START, Crowd, steadily
from tests.edge_world import line, spots

pytestmark = ON_SINGLE_AND_CLUSTER

S = 1_000_000
RATE, BURST = 20.0, 10
PREQUEUE, OPENS, CLOSES = 60, 120, 240  # seconds after START


def at(second: float) -> int:
    return START + round(second * S)


def moment(second: float) -> str:
    return datetime.fromtimestamp(at(second) / S, UTC).isoformat()


async def scheduled(valkey: Redis, **changes: object) -> Line:
    """A room with a schedule."""
    times: dict[str, Any] = {"prequeue_at": moment(PREQUEUE), "opens_at": moment(OPENS), "closes_at": moment(CLOSES)}
    room = line(valkey, rate_per_s=RATE, burst=BURST, **(times | changes))
    await room.install(START)
    return room


async def join(room: Line, second: float, visitors: int = 1) -> tuple[str, Picture]:
    [joined], picture = await room.join([visitors], at(second))
    return joined.refused, picture


async def admitted(room: Line, second: float, places: Sequence[int]) -> int:
    outcomes, _ = await room.claim(spots(places), at(second))
    return outcomes.count("admitted")


@pytest.mark.parametrize(
    ("second", "phase", "refused"),
    [
        (0, "scheduled", "scheduled"),
        (59.999999, "scheduled", "scheduled"),
        (60, "prequeue", ""),
        (119.999999, "prequeue", ""),
        (120, "open", ""),
        (239.999999, "open", ""),
        (240, "closed", "closed"),
        (100_000, "closed", "closed"),
    ],
)
async def test_the_clock_of_the_store_decides_to_the_microsecond(
    valkey: Redis, second: float, phase: Phase, refused: str
) -> None:
    room = await scheduled(valkey)
    why, picture = await join(room, second)
    assert (picture.phase, why) == (phase, refused)
    assert picture.joined == (0 if refused else 1), "who is refused takes no place"


async def test_the_opening_finds_an_empty_bucket_and_calls_a_burst_not_the_crowd(valkey: Redis) -> None:
    room = await scheduled(valkey)
    _, picture = await join(room, PREQUEUE, 5_000)
    assert picture.called == 0
    everybody = range(1, 5_001)
    assert await admitted(room, OPENS - 0.000_001, everybody) == 0
    _, picture = await room.look([], at(OPENS))
    assert (picture.called, picture.tokens) == (0, 0), "nothing was banked in the hour before"
    assert await admitted(room, OPENS + 0.1, everybody) <= BURST + RATE * 0.1
    _, picture = await room.look([], at(OPENS + 0.2))
    assert picture.called <= BURST + 2 * RATE


async def test_from_the_opening_to_the_close_capacity_is_used_and_not_a_second_longer(valkey: Redis) -> None:
    room = await scheduled(valkey)
    people = steadily(0.2)
    world = Crowd(room, [people])
    world.us = PREQUEUE * S
    await world.join([20_000])
    await world.live(CLOSES - PREQUEUE - 0.2)
    assert people.tokens(0, OPENS) == 0
    for end in range(OPENS + 1, CLOSES + 1):
        assert people.tokens(OPENS, end) <= RATE * (end - OPENS) + BURST
    assert people.tokens(OPENS + 60, CLOSES) >= 0.95 * RATE * (CLOSES - OPENS - 60)
    called = people.called
    outcomes, picture = await room.claim(spots(range(1, called + 1)), at(CLOSES))
    assert set(outcomes) == {"closed"}
    _, picture = await room.look([], at(CLOSES + 3_600))
    assert picture.called == called


async def test_what_flowed_until_the_close_is_all_there_is_when_it_opens_again(valkey: Redis) -> None:
    room = await scheduled(valkey)
    await join(room, PREQUEUE, 5_000)
    await room.look([], at(OPENS + 1))
    picture = await room.change({"closes": 0}, now_us=at(CLOSES + 3_600))
    assert picture.phase == "open"
    assert picture.tokens <= BURST
    assert await admitted(room, CLOSES + 3_600, range(1, 5_001)) <= BURST


@pytest.mark.parametrize("opens", [90, 180])
async def test_people_who_wait_see_the_opening_moved(valkey: Redis, opens: int) -> None:
    room = await scheduled(valkey)
    await join(room, PREQUEUE, 1_000)
    await room.change({"opens": at(opens)}, now_us=at(PREQUEUE + 10))
    _, picture = await room.look([], at(opens - 0.1))
    assert (picture.phase, picture.called) == ("prequeue", 0)
    _, picture = await room.look([], at(opens + 0.5))
    assert picture.phase == "open"
    assert 0 < picture.called <= BURST + RATE


async def test_an_opening_moved_to_the_past_lets_nothing_flow_in_from_then(valkey: Redis) -> None:
    room = await scheduled(valkey)
    await join(room, PREQUEUE, 1_000)
    picture = await room.change({"opens": at(PREQUEUE + 1)}, now_us=at(100))
    assert (picture.phase, picture.tokens, picture.called) == ("open", 0, 0)
    assert await admitted(room, 100.5, range(1, 1_001)) <= RATE * 0.5


async def test_an_opening_put_off_after_it_has_begun_keeps_every_turn(valkey: Redis) -> None:
    room = await scheduled(valkey)
    await join(room, PREQUEUE, 1_000)
    _, picture = await room.look([], at(OPENS + 2))
    called = picture.called
    await room.change({"opens": at(200)}, now_us=at(OPENS + 2))
    assert await admitted(room, 199, range(1, called + 1)) == 0
    states, picture = await room.look(spots(range(1, called + 1)), at(199.9))
    assert (set(states), picture.phase) == ({"called"}, "prequeue")
    assert await admitted(room, 201, range(1, called + 1)) > 0


@pytest.mark.parametrize("lost_at", [PREQUEUE + 30, OPENS, OPENS + 0.5, OPENS + 30])
async def test_a_store_that_is_lost_around_the_opening_keeps_to_the_schedule(valkey: Redis, lost_at: float) -> None:
    room, other = await scheduled(valkey), await scheduled(valkey)
    await room.change({"closes": at(300)}, now_us=at(1))
    await join(room, PREQUEUE, 3_000)
    before = 0
    for second in range(PREQUEUE + 1, int(lost_at)):
        before += await admitted(room, second, range(1, 3_001))
    assert before <= max(0.0, RATE * (lost_at - OPENS) + BURST)
    _, seen = await room.look([], at(lost_at - 0.001))
    await valkey.flushall()
    await other.install(at(lost_at))  # it knows the rooms file alone
    await room.look([], at(lost_at))
    _, picture = await other.look([], at(lost_at))
    assert (picture.joined, picture.called) == (3_000, seen.called)
    assert (picture.opens, picture.closes) == (at(OPENS), at(300))
    assert await admitted(room, max(lost_at, OPENS), range(1, 3_001)) == 0, "no token comes out of a loss"
    after = max(lost_at, OPENS) + 10
    assert await admitted(room, after, range(1, 3_001)) <= BURST
    [joined], _ = await other.join([1], at(after))
    assert joined.first == 3_001


async def test_an_operators_state_holds_within_the_schedule(valkey: Redis) -> None:
    room = await scheduled(valkey)
    await room.change({"state": "paused"}, now_us=at(10))
    why, picture = await join(room, PREQUEUE, 100)
    assert (why, picture.phase) == ("", "prequeue")
    _, picture = await room.look([], at(OPENS + 10))
    assert (picture.phase, picture.called) == ("paused", 0)
    picture = await room.change({"state": "draining"}, now_us=at(OPENS + 20))
    why, picture = await join(room, OPENS + 21)
    assert (why, picture.phase) == ("draining", "draining")
    assert picture.called > 0, "who is in line is served"
