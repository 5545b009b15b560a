"""Changes of a room in the store: made with a row or not at all, thought of for the settings that are in force."""

import asyncio
import json

import pytest
from redis.asyncio import Redis

from edge.events.happenings import Seen, observe
from edge.line.line import Late, Line
from edge.line.oplog import LogStore
from edge.line.room import Picture
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import Failures, line, plan

pytestmark = ON_SINGLE_AND_CLUSTER

START = 1_800_000_000_000_000
SECOND = 1_000_000
LATER = "2100-01-01T00:00:00Z"


async def logged(valkey: Redis) -> dict[int, str]:
    store = LogStore(valkey, plan(), Failures())
    return await store.rows(sorted(await store.versions()))


async def test_a_change_and_its_row_are_one(valkey: Redis) -> None:
    room = line(valkey)
    await room.install(START)
    picture = await room.change({"rate": 5.0}, "a row", now_us=START + SECOND)
    assert picture.version == START + SECOND
    assert await logged(valkey) == {START + SECOND: "a row"}


async def test_a_change_for_other_settings_is_late_and_does_nothing(valkey: Redis) -> None:
    one, two = line(valkey), line(valkey)
    seen = await one.install(START)
    await two.change({"rate": 5.0}, "two", now_us=START + SECOND)
    with pytest.raises(Late):
        await one.change({"rate": 9.0}, "one", seen.version, now_us=START + 2 * SECOND)
    _, picture = await one.look([], START + 2 * SECOND)
    assert (picture.rate, list((await logged(valkey)).values())) == (5, ["two"])
    await one.change({"rate": 9.0}, "one", picture.version, now_us=START + 3 * SECOND)
    assert list((await logged(valkey)).values()) == ["two", "one"]


@pytest.mark.parametrize("guarded", [True, False])
async def test_of_racing_changes_each_sees_the_one_before(valkey: Redis, guarded: bool) -> None:
    """Read and then write, as operators do; without the guard changes are lost, which is the negative control."""
    await line(valkey).install()

    async def faster(room: Line) -> None:
        while True:
            _, picture = await room.look([])
            row = json.dumps({"from": picture.rate})
            try:
                await room.change({"rate": picture.rate + 1}, row, picture.version if guarded else None)
            except Late:
                continue
            return

    await asyncio.gather(*(faster(line(valkey)) for _ in range(12)))
    _, picture = await line(valkey).look([])
    rows = [json.loads(row)["from"] for row in (await logged(valkey)).values()]
    assert len(rows) == 12
    if guarded:
        assert (picture.rate, rows) == (62, [float(rate) for rate in range(50, 62)])
    else:
        assert picture.rate < 62


async def test_once_somebody_stands_in_line_the_discipline_stays(valkey: Redis) -> None:
    room = line(valkey, opens_at=LATER, prequeue_at="2020-01-01T00:00:00Z")
    await room.install(START)
    await room.change({"discipline": "lottery", "seed": "00" * 32}, now_us=START)
    await room.change({"discipline": "lottery", "rate": 9.0}, now_us=START)
    await room.join([1], START + SECOND)
    with pytest.raises(Late):
        await room.change({"discipline": "fifo"}, "a row", now_us=START + 2 * SECOND)
    assert await logged(valkey) == {}
    assert (await room.change({"discipline": "lottery", "rate": 8.0}, now_us=START + 2 * SECOND)).rate == 8


async def test_a_new_line_is_begun_once_with_the_settings_in_force_and_its_moment(valkey: Redis) -> None:
    one, two = line(valkey), line(valkey)
    await one.install(START)
    await two.install(START)
    await one.join([3], START)
    await two.change({"rate": 5.0}, now_us=START + SECOND)
    with pytest.raises(Late):
        await one.reset("too early", START + 2 * SECOND)
    await one.look([], START + 2 * SECOND)
    picture = await one.reset("now", START + 3 * SECOND)
    assert (picture.epoch, picture.joined, picture.rate, picture.version) == (2, 0, 5, START + 3 * SECOND)
    with pytest.raises(Late):
        await two.reset("a moment later", START + 3 * SECOND)
    assert await logged(valkey) == {START + 3 * SECOND: "now"}
    await valkey.flushall()
    with pytest.raises(Late):
        await one.reset("while it is lost", START + 4 * SECOND)
    assert await logged(valkey) == {}


async def test_revoked_passes_stay_revoked_in_a_new_line_and_after_a_loss(valkey: Redis) -> None:
    room = line(valkey)
    await room.install(START)
    await room.change({"revoked": '{"K7Q2M9XD":null}', "revoked_at": START}, now_us=START)
    await room.reset("a row", START + SECOND)
    await valkey.flushall()
    await room.install(START + 2 * SECOND)
    other = line(valkey)
    await other.install(START + 2 * SECOND)
    await other.read_revoked()
    assert other.revoked == '{"K7Q2M9XD":null}'


async def test_revocations_outlive_a_loss_on_an_edge_that_has_not_read_them(valkey: Redis) -> None:
    one, two = line(valkey), line(valkey)
    await one.install(START)
    await one.change({"revoked": '{"K7Q2M9XD":null}', "revoked_at": START}, now_us=START)
    await two.look([], START)  # it knows that something was changed, and not yet what was revoked
    await valkey.flushall()
    await two.install(START + SECOND)
    await one.look([], START + SECOND)
    await two.read_revoked()
    assert two.revoked == '{"K7Q2M9XD":null}'
    await two.change({"revoked": "", "revoked_at": START + SECOND}, now_us=START + SECOND)
    await one.look([], START + SECOND)
    await one.read_revoked()
    assert one.revoked == "", "what was made good again later stays so"


async def test_a_new_line_keeps_revocations_that_its_edge_has_not_read(valkey: Redis) -> None:
    one, two = line(valkey), line(valkey)
    await one.install(START)
    await one.change({"revoked": '{"K7Q2M9XD":null}', "revoked_at": START}, now_us=START)
    await two.look([], START)
    assert (await two.reset("a row", START + SECOND)).revoked_at == START
    await two.read_revoked()
    assert two.revoked == '{"K7Q2M9XD":null}'


async def test_nothing_is_changed_while_another_edge_may_know_of_later_settings(valkey: Redis) -> None:
    one, two = line(valkey, heal_s=1), line(valkey, heal_s=1)
    await one.install(START)
    seen = (await two.look([], START + 2 * SECOND))[1]
    await one.look([], START + 2 * SECOND)
    await two.change({"rate": 5.0}, "two", seen.version, now_us=START + 2 * SECOND)
    await valkey.flushall()
    with pytest.raises(Late):
        await one.change({"burst": 3}, "one", seen.version, now_us=START + 3 * SECOND)
    with pytest.raises(Late):
        await one.reset("one", START + 3 * SECOND)
    await two.look([], START + 3 * SECOND)
    _, healed = await one.look([], START + 5 * SECOND)
    assert healed.healing_until == START + 4 * SECOND != seen.healing_until
    assert (await one.change({"burst": 3}, "one", healed.version, now_us=START + 5 * SECOND)).rate == 5


async def test_no_row_is_left_out_or_changed_where_a_clock_was_set_back(valkey: Redis) -> None:
    room = line(valkey)
    await room.install(START)
    await LogStore(valkey, plan(), Failures()).restore({START + SECOND: "before", START + 2 * SECOND: "before"})
    assert (await room.change({"rate": 5.0}, "now", now_us=START + SECOND)).version == START + SECOND + 1
    assert (await room.reset("a new line", START + 2 * SECOND)).version == START + 2 * SECOND + 1
    assert list((await logged(valkey)).values()) == ["before", "now", "before", "a new line"]


async def test_a_new_line_is_late_where_its_row_tells_of_other_settings(valkey: Redis) -> None:
    room = line(valkey)
    seen = await room.install(START)
    await room.change({"rate": 5.0}, now_us=START + SECOND)
    with pytest.raises(Late):
        await room.reset("a row", START + SECOND, seen=seen.version)
    assert await logged(valkey) == {}


async def test_who_looks_while_another_edge_begins_a_new_line_sees_it(valkey: Redis) -> None:
    one, two = line(valkey), line(valkey)
    await one.install(START)
    await one.join([2], START)
    await two.install(START)
    await one.reset("a row", START + SECOND)
    _, picture = await two.look([], START + 2 * SECOND)
    assert (picture.epoch, picture.joined) == (2, 0)


async def test_draining_closing_and_a_new_line_are_told(valkey: Redis) -> None:
    room = line(valkey)
    looks: list[Picture] = [await room.install(START)]
    for at, state in enumerate(("draining", "closed", "open"), 1):
        looks.append(await room.change({"state": state}, now_us=START + at * SECOND))
    await room.join([2], START + 4 * SECOND)
    looks.append(await room.reset("a row", START + 5 * SECOND))
    _, picture = await room.look([], START + 6 * SECOND)
    seen: Seen | None = None
    told = []
    for look in [*looks, picture]:
        seen, happened = observe("demo", seen, look)
        told += [each.type for each in happened]
    assert told == ["room.draining", "room.closed", "room.opened", "room.opened"]
