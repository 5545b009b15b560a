"""Ten million places cost next to nothing to keep, and no more to serve than a thousand."""

import shlex
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import Monitor

from edge.line.line import Line
from tests.edge_world import line, spots

START = 1_800_000_000_000_000
CROWD = 10_000_000
_CHUNK = 256


async def fill(valkey: Redis, room: Line, joined: int) -> None:
    """A room with that many places: half of them called and heard from, a quarter let through, an eighth once more.

    Places and calls go through the scripts; the bits are written as the scripts write them, a megabyte at a time.
    """
    await room.install(START)
    await room.join([joined], START)
    room._called = [joined // 2]
    await room.look([], START)
    for name, upto in (("answered", joined // 2), ("admitted", joined // 4)):
        key = f"{room.keys.left(0).removesuffix('left')}{name}"
        step = 8 * 1024 * 1024
        for begin in range(0, upto, step):
            size = min(step, upto - begin) // 8
            await valkey.setrange(key, begin // 8, b"\xff" * size)
    for begin in range(0, joined // 8 // 4, 1024 * 1024):  # two bits each: four to a byte
        size = min(1024 * 1024, joined // 8 // 4 - begin)
        await valkey.setrange(f"{room.keys.left(0).removesuffix('left')}entered", begin, b"\x55" * size)


async def used(valkey: Redis) -> int:
    info = await valkey.info("memory")
    return int(info["used_memory"])


async def test_ten_million_places_cost_half_a_byte_each_at_most(valkey: Redis) -> None:
    room = line(valkey)
    await fill(valkey, line(valkey, id="small"), 1_000)  # the scripts themselves are no cost of a place
    for act in ("claim", "leave"):
        await getattr(line(valkey, id="small"), act)(spots([1]), START)
    before = await used(valkey)
    await fill(valkey, room, CROWD)
    # The last of each kind, through the scripts: the bitmaps have the size that they really have.
    await room.claim(spots(range(CROWD // 2 - _CHUNK, CROWD // 2)), START + 1_000_000)
    now = START
    for _ in range(4):  # until the last who was let through is long settled
        now += 61_000_000
        await room.look([], now)
    outcomes, _ = await room.claim(spots([CROWD // 4 - 1]), now)
    assert outcomes == ["again"]
    assert await valkey.strlen("vestibule:{demo}:general:entered") >= CROWD // 4 // 4
    await room.leave(spots([CROWD]), now)
    picture = await room.install(now)
    assert picture.joined == CROWD
    assert picture.called >= CROWD // 2
    per_place = (await used(valkey) - before) / CROWD
    print(f"{per_place:.3f} bytes per place")
    assert per_place <= 0.5


async def test_joins_looks_and_claims_cost_the_same_among_ten_million_as_among_a_thousand(valkey: Redis) -> None:
    """What the store does for an act: the commands, and the bits that it counts; a machine's clock is no scale."""
    costs = {}
    for crowd in (1_000, CROWD):
        await valkey.flushall()
        room = line(valkey)
        await fill(valkey, room, crowd)
        costs[crowd] = [await cost(valkey, room, act, crowd // 2 - 10) for act in ("join", "look", "claim")]
    print(costs)
    assert costs[1_000] == costs[CROWD]


@pytest.mark.parametrize("crowd", [1_000, CROWD])
async def test_what_is_counted_bit_by_bit_is_bounded_by_the_call_window(valkey: Redis, crowd: int) -> None:
    room = line(valkey)
    await fill(valkey, room, crowd)
    for second in (1, 60, 90):  # half of them were called in one second, which is looked at for a call window
        await room.look([], START + second * 1_000_000)
    async with valkey.monitor() as heard:
        await room.look([], START + 92_000_000)
        await valkey.ping()
        asked = [each async for each in _until_ping(heard) if each[0].upper() == "BITCOUNT"]
    counted = [int(last) - int(first) + 1 for _, _, first, last, _ in asked]
    assert counted
    assert max(counted) <= 4 * 30 * 50 / 0.25, "four call windows of calls, at four to a token"


async def _until_ping(heard: Monitor) -> AsyncIterator[list[str]]:
    async for each in heard.listen():
        command = shlex.split(each["command"])
        if command[0].upper() == "PING":
            return
        yield command


async def cost(valkey: Redis, room: Line, act: str, place: int) -> dict[str, int]:
    """Commands that a hundred times one act costs the store, all within one second of its clock."""
    before = await commands(valkey)
    for _ in range(100):
        match act:
            case "join":
                await room.join([1], START)
            case "look":
                await room.look(spots([place]), START)
            case _:
                await room.claim(spots([place]), START)
    after = await commands(valkey)
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}


async def commands(valkey: Redis) -> dict[str, int]:
    """How often each command was run; what is asked for to know it is left out."""
    stats = await valkey.info("commandstats")
    return {name: each["calls"] for name, each in stats.items() if name != "cmdstat_info"}
