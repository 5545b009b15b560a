"""The two meters together, in virtual time: people who do not turn up, or late, waste no capacity."""

import pytest
from redis.asyncio import Redis

from edge.line.room import PlaceState, Spot
from tests.edge_crowd import START, Crowd, Delay, People, soon, steadily, with_a_tail
from tests.edge_world import line, spots

WINDOW_S = 30
BURST = 10


async def crowd(valkey: Redis, people: People, rate: float, minutes: int) -> Crowd:
    """A room with more people than it can serve in so many minutes, however many stay away."""
    room = line(valkey, rate_per_s=rate, burst=BURST, call_window_s=WINDOW_S)
    await room.install(START)
    world = Crowd(room, [people])
    await world.join([round(rate * 60 * minutes * 4)])
    return world


@pytest.mark.parametrize("no_shows", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize(("rate", "delay"), [(20.0, with_a_tail), (50.0, soon)])
async def test_after_two_call_windows_capacity_is_used_whoever_stays_away(
    valkey: Redis, rate: float, delay: Delay, no_shows: float
) -> None:
    people = steadily(no_shows, delay)
    await (await crowd(valkey, people, rate, 6)).live(360)
    minutes = [people.tokens(begin, begin + 60) / (rate * 60) for begin in range(60, 360, 60)]
    print([round(minute, 3) for minute in minutes])
    assert min(minutes) >= 0.95
    assert sum(minutes) / 5 >= 0.97
    assert max(minutes) <= 1 + BURST / (rate * 60)


@pytest.mark.parametrize(("rate", "delay"), [(20.0, with_a_tail), (50.0, soon)])
async def test_a_sudden_wave_of_no_shows_wastes_no_minute_either(valkey: Redis, rate: float, delay: Delay) -> None:
    people = People(lambda second: 0.6 if 120 <= second < 240 else 0.1, delay)
    world = await crowd(valkey, people, rate, 6)
    await world.live(360)
    minutes = [people.tokens(begin, begin + 60) / (rate * 60) for begin in range(60, 360, 60)]
    print([round(minute, 3) for minute in minutes])
    assert min(minutes) >= 0.95, "also in the minute of the step, and in that of the step back"
    longest = max(picture.backlog for picture in world.looks) / rate
    print(f"{longest:.1f} s at the door at most")
    assert longest < 8, "what bridges a wave is short enough to stand for"


async def test_a_line_whose_people_never_come_is_not_called_through(valkey: Redis) -> None:
    world = await crowd(valkey, steadily(1.0), 20.0, 10)
    picture = await world.live(300)
    assert picture.called <= 4 * 20 * 300 + 200
    assert picture.called >= 20 * 300, "somebody may still come"


async def test_who_comes_minutes_late_keeps_the_turn(valkey: Redis) -> None:
    people = steadily(0.3)
    world = await crowd(valkey, people, 20.0, 6)
    await world.live(30)
    late = spots(range(1, people.called + 1))
    missed = [spot for spot, at in zip(late, await standings(world, late), strict=True) if at == "called"]
    assert len(missed) > 100
    await world.live(240)
    for spot in missed[:100]:
        world.come(spot, 0)
    await world.live(60)
    assert set(await standings(world, missed[:100])) == {"admitted"}


async def standings(world: Crowd, tickets: list[Spot]) -> list[PlaceState]:
    return (await world.room.look(tickets, world.now))[0]
