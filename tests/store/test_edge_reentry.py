"""Coming in again: free shortly after the call, three times afterwards; on a real store, in virtual time."""

import asyncio
from collections import Counter

from redis.asyncio import Redis

from edge.line.line import Line
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import line, spots

pytestmark = ON_SINGLE_AND_CLUSTER

START = 1_800_000_000_000_000
S = 1_000_000


async def called(valkey: Redis, people: int = 10) -> Line:
    """A room that has called so many, and has a token for each."""
    room = line(valkey, rate_per_s=10.0, burst=people)
    await room.install(START)
    now = START + people * S
    await room.join([people], now)
    _, picture = await room.look([], now)
    assert picture.called == people
    return room


async def age(room: Line, seconds: int) -> int:
    """Let time pass, looked at now and then; return the moment."""
    begin = START + 10 * S
    for passed in range(0, seconds + 1, 10):
        await room.look([], begin + passed * S)
    return begin + seconds * S


async def test_shortly_after_the_call_coming_in_again_is_free(valkey: Redis) -> None:
    room = await called(valkey)
    now = await age(room, 30)
    outcomes = [(await room.claim(spots([1]), now + step * S))[0][0] for step in range(20)]
    assert outcomes == ["admitted"] + ["again"] * 19


async def test_long_after_the_call_it_works_three_times(valkey: Redis) -> None:
    room = await called(valkey)
    await room.claim(spots([1, 2]), START + 11 * S)
    now = await age(room, 200)
    outcomes = [(await room.claim(spots([1]), now))[0][0] for _ in range(6)]
    assert outcomes == ["again"] * 3 + ["spent"] * 3
    outcomes, picture = await room.claim(spots([2, 3]), now)
    assert outcomes == ["again", "admitted"], "nobody else's are touched"
    assert picture.admitted == 3, "and no token is taken for it"


async def test_a_late_comer_who_claims_fifty_times_at_once_takes_one_token(valkey: Redis) -> None:
    room = await called(valkey)
    now = await age(room, 200)
    other = line(valkey, rate_per_s=10.0, burst=10)
    racing = [one.claim(spots([7]), now) for one in (room, other) for _ in range(25)]
    outcomes = Counter([outcome for [outcome], _ in await asyncio.gather(*racing)])
    assert outcomes == {"admitted": 1, "again": 3, "spent": 46}
    _, picture = await room.look([], now)
    assert (picture.admitted, picture.tokens) == (1, 9)
