"""Waits as they are told, in virtual time: they shrink, and where one grows the reason is said; and they hold."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from edge.governor.pacing import Decision
from edge.governor.steering import Steering
from edge.line.estimate import Wait
from edge.line.pace import Pace
from edge.line.room import Held, Setting
from edge.line.standing import expect
from edge.line.view import View
from tests.edge_crowd import START, Crowd, Delay, People, soon, steadily, with_a_tail
from tests.edge_world import Failures, line

S = 1_000_000
RATE = 20.0


@dataclass
class Waiting:
    """Somebody far back in line, who looks each second."""

    world: Crowd
    place: int
    lane: int = 0
    told: Wait | None = None
    grown: list[str] = field(default_factory=list)  # reasons given
    unexplained: list[tuple[float, Wait, Wait]] = field(default_factory=list)

    def look(self) -> None:
        picture = self.world.looks[-1]
        view = View(self.world.room._plan, picture, 0)
        seen = picture.lanes[self.lane]
        if self.place <= seen.called:
            return
        now = expect(view, self.lane, self.place - seen.called - 1)
        if now is None or self.told is None:
            self.told = now or self.told
            return
        if now.p50_s > self.told.p50_s or now.p90_s > self.told.p90_s:
            why = view.lanes[self.lane].slowdown
            if why is None:
                self.unexplained.append((self.world.us / S, self.told, now))
            else:
                self.grown.append(why)
        self.told = now


Deed = Callable[[Crowd], Awaitable[object]]


async def live(world: Crowd, seconds: int, deeds: dict[int, Deed], *people: Waiting) -> None:
    """Let time pass second by second, and do at its second what is to be done."""
    begin = world.us // S
    for second in range(begin, begin + seconds):
        if second in deeds:
            await deeds[second](world)
        await world.live(1)
        for each in people:
            each.look()


def change(**settings: Setting) -> Deed:
    """What an operator does."""

    async def do(world: Crowd) -> None:
        await world.room.change(settings, now_us=world.now)

    return do


def govern(rate: float | None, held: Held = "") -> Deed:
    """What the leading edge does when the booking system says so."""

    async def do(world: Crowd) -> None:
        room = world.room
        steering = Steering(room._client, room._plan, Failures(), pace=Pace(), holder="edge", lease_s=3600)
        lease = await steering.lease(world.now)
        assert lease is not None
        _, seen = await world.room.look([], world.now)
        assert await steering.govern(lease, seen, Decision(held, None, rate, "none"), world.now)

    return do


async def lose(world: Crowd) -> None:
    """The store loses everything."""
    await world.room._client.flushall()


async def crowd(valkey: Redis, *people: People, visitors: int = 40_000, **changes: Any) -> Crowd:
    room = line(valkey, rate_per_s=RATE, burst=10, call_window_s=30, **changes)
    await room.install(START)
    world = Crowd(room, people)
    await world.join([visitors] * len(people))
    return world


STEPS = People(
    lambda second: 0.1 if second < 80 else 0.5 if second < 160 else 0.0 if second < 240 else 0.3, with_a_tail
)
GOVERNED: dict[int, Deed] = {second: govern(RATE * (0.9 if second % 10 else 1.0)) for second in range(60, 300, 5)}


@pytest.mark.parametrize(
    ("people", "deeds", "reasons"),
    [
        (STEPS, {}, {"more_show_up"}),
        (steadily(0.3), {90: change(rate=12.0), 150: change(rate=30.0), 210: change(rate=24.0)}, {"rate_lowered"}),
        (steadily(0.3), {90: change(state="paused"), 130: change(state="open")}, None),
        (steadily(0.3), {90: govern(12.0), 150: govern(RATE), 200: govern(RATE, "full"), 220: govern(RATE)}, None),
        (steadily(0.3), GOVERNED, {"lost_capacity"}),
        (steadily(0.3), {100: lose, 170: lose}, {"lost_capacity"}),
    ],
    ids=["no-shows", "operator", "pause", "governor", "governor-hunts", "loss"],
)
async def test_a_wait_grows_only_with_a_reason(
    valkey: Redis, people: People, deeds: dict[int, Deed], reasons: set[str] | None
) -> None:
    people.called = 0
    people.admitted.clear()
    world = await crowd(valkey, people)
    far, near = Waiting(world, 30_000), Waiting(world, 3_000)
    await live(world, 300, deeds, far, near)
    for each in (far, near):
        assert each.unexplained == []
    assert reasons is None or set(far.grown) == reasons


async def test_a_rate_that_hunts_does_not_wear_down_what_is_told(valkey: Redis) -> None:
    world = await crowd(valkey, steadily(0.3))
    await live(world, 300, GOVERNED)
    called = world.looks[-1].called - world.looks[len(world.looks) // 2].called
    assert world.looks[-1].lanes[0].pace == pytest.approx(called / 150, rel=0.15)


async def test_lanes_that_are_given_less_are_told_why(valkey: Redis) -> None:
    lanes = [{"lane": "general"}, {"lane": "phone"}, {"lane": "passes", "access": "pass"}]
    world = await crowd(valkey, *(steadily(0.2) for _ in lanes), lanes=lanes)
    deeds: dict[int, Deed] = {
        60: change(**{"1.weight": 3.0}),
        100: change(**{"2.floor": 12.0}),
        140: change(bypass_rate=5.0, bypass_burst=3),
        180: change(bypass_rate=0),
    }
    people = [Waiting(world, 30_000, lane) for lane in (0, 1)]
    await live(world, 240, deeds, *people)
    for each in people:
        assert each.unexplained == []
        assert each.grown


async def test_a_lane_that_opens_beside_another_slows_it_for_a_reason(valkey: Redis) -> None:
    lanes = [{"lane": "early"}, {"lane": "late", "weight": 3, "opens_at": "2027-01-15T08:01:30Z"}]
    times: dict[str, Any] = {"prequeue_at": "2027-01-15T07:00:00Z", "opens_at": "2027-01-15T08:00:00Z"}
    world = await crowd(valkey, steadily(0.2), steadily(0.2), lanes=lanes, **times)
    early = Waiting(world, 30_000)
    await live(world, 200, {}, early)
    assert early.unexplained == []
    assert set(early.grown) == {"shared"}


@dataclass(frozen=True)
class Told:
    """What somebody was told on joining."""

    place: int
    at_us: int
    wait: Wait


@pytest.mark.parametrize(("no_shows", "delay"), [(0.0, soon), (0.3, soon), (0.5, with_a_tail)])
async def test_nine_in_ten_are_called_within_what_they_were_told(valkey: Redis, no_shows: float, delay: Delay) -> None:
    world = await crowd(valkey, steadily(no_shows, delay), visitors=1_000)
    told: list[Told] = []
    arriving = round(6 * RATE / (1 - no_shows))  # in five seconds: a few more than are called
    called: list[tuple[int, int]] = []  # how far, and when
    for second in range(360):
        if second % 5 == 0 and second < 240:
            [joined], picture = await world.room.join([arriving], world.now)
            last = joined.first + arriving - 1
            expected = expect(View(world.room._plan, picture, 0), 0, max(0, last - picture.lanes[0].called - 1))
            assert expected is not None
            told.append(Told(last, world.us, expected))
        picture = await world.live(1)
        called.append((picture.called, world.us))
        assert View(world.room._plan, picture, 0).lanes[0].slowdown is None, (
            "nothing has happened that would slow the line"
        )
    waits = [(_waited(each, called), each.wait) for each in told]
    in_time = [waited <= wait.p90_s for waited, wait in waits if waited < math.inf or wait.p90_s < 100]
    learnt = sorted(waited / wait.p50_s for waited, wait in waits[24:])  # after two minutes of seeing who comes
    middle = learnt[len(learnt) // 2]
    print(f"{sum(in_time)} of {len(in_time)} within p90; median real / p50 {middle:.2f}")
    assert len(in_time) >= 20
    assert sum(in_time) >= 0.9 * len(in_time)
    assert 0.8 <= middle <= 1.1, "and what is told is near to what it is"


def _waited(told: Told, called: list[tuple[int, int]]) -> float:
    """Seconds until the call; without end where there was none."""
    return next(((us - told.at_us) / S for far, us in called if far >= told.place), math.inf)
