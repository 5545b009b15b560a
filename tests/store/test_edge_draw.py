"""A room's lottery on a real store, in virtual time: entries, the draw at the opening, what a loss leaves of it."""

import asyncio
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from edge.line import lottery
from edge.line.line import Healing, Line, Moved
from edge.line.room import Picture, Setting, Spot
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_crowd import START
from tests.edge_world import line, spots

S = 1_000_000
OPENS = START + 100 * S


def moment(us: int) -> str:
    return datetime.fromtimestamp(us / S, UTC).isoformat()


def room_of(valkey: Redis, *, heal_s: float = 1, **changes: object) -> Line:
    """An edge's line to a lottery room that people may join from START."""
    times = {"prequeue_at": moment(START), "opens_at": moment(OPENS), "discipline": "lottery"}
    return line(valkey, heal_s=heal_s, **(times | changes))


async def installed(room: Line, now: int = START) -> Picture:
    """Installed, and asked again once the time to heal is over, as an edge does: then it has its seed."""
    await room.install(now)
    return await room.install(now + S)


async def entered(valkey: Redis, entries: int) -> Line:
    room = room_of(valkey)
    await installed(room)
    [joined], picture = await room.join([entries], START + 2 * S)
    assert (joined.first, joined.refused, picture.lanes[0].entries) == (1, "", -1)
    return room


def places(room: Line, entries: int) -> list[int]:
    return [room.place_of(0, entry, entry=True) for entry in range(1, entries + 1)]


@ON_SINGLE_AND_CLUSTER
async def test_places_are_those_that_anyone_can_compute_and_no_two_are_the_same(valkey: Redis) -> None:
    room = await entered(valkey, 500)
    assert set(places(room, 500)) == {0}, "nobody has a place before the opening"
    states, picture = await room.look([Spot(0, entry, 0) for entry in range(1, 501)], OPENS - 1)
    assert set(states) == {"entered"}
    assert picture.called == 0
    _, picture = await room.look([], OPENS)
    assert picture.lanes[0].entries == 500
    seed = bytes.fromhex(picture.seed)
    drawn = places(room, 500)
    assert drawn == [
        lottery.place(seed, room="demo", epoch=1, lane="general", entries=500, entry=entry) for entry in range(1, 501)
    ]
    assert sorted(drawn) == list(range(1, 501))
    assert drawn != sorted(drawn)


@ON_SINGLE_AND_CLUSTER
async def test_whoever_joins_after_the_opening_is_behind_every_entry(valkey: Redis) -> None:
    room = await entered(valkey, 300)
    [joined], picture = await room.join([5], OPENS)
    assert (joined.first, picture.lanes[0].entries) == (301, 300), "the first act at the opening draws"
    [joined], picture = await room.join([5], OPENS + 10 * S)
    assert (joined.first, picture.lanes[0].entries) == (306, 300)
    assert [room.place_of(0, number, entry=False) for number in (301, 310)] == [301, 310]
    assert max(places(room, 300)) == 300


@ON_SINGLE_AND_CLUSTER
async def test_people_are_called_and_let_through_by_their_drawn_places(valkey: Redis) -> None:
    room = await entered(valkey, 200)
    _, picture = await room.look([], OPENS)
    _, picture = await room.look([], OPENS + S)
    drawn = places(room, 200)
    tickets = [Spot(0, entry, place) for entry, place in enumerate(drawn, 1)]
    outcomes, picture = await room.claim(tickets, OPENS + S)
    assert 0 < outcomes.count("admitted") <= 10
    for ticket, outcome in zip(tickets, outcomes, strict=True):
        assert (outcome == "waiting") == (ticket.place > picture.called)
    last = max((each for each in tickets if each.number != each.place), key=lambda ticket: ticket.place)
    await room.leave([last], OPENS + S)
    [state], _ = await room.look([last], OPENS + S)
    assert state == "left", "what was given back is the ticket"
    other = next(ticket for ticket in tickets if ticket.number == last.place)
    [state], _ = await room.look([other], OPENS + S)
    assert state != "left", "and not that of whose number is its place"


async def test_the_draw_of_a_million_costs_one_small_write(valkey: Redis) -> None:
    costs = {}
    for entries in (10, 1_000_000):
        await valkey.flushall()
        room = await entered(valkey, entries)
        await room.look([], OPENS - 1)
        before = await _calls(valkey), int((await valkey.info("memory"))["used_memory"])
        await room.look([], OPENS)
        after = await _calls(valkey), int((await valkey.info("memory"))["used_memory"])
        calls = {act: after[0][act] - before[0].get(act, 0) for act in after[0]}
        costs[entries] = {act: count for act, count in calls.items() if count and not act.startswith("info")}
        grown = after[1] - before[1]
        keys = [key async for key in valkey.scan_iter("*")]
        print(costs[entries], grown, keys)
        assert grown < 4_096
        assert len(keys) <= 2, "the room and its calls; nothing for each entry"
    assert costs[10] == costs[1_000_000]


async def _calls(valkey: Redis) -> dict[str, int]:
    stats = await valkey.info("commandstats")
    return {act.removeprefix("cmdstat_"): int(each["calls"]) for act, each in stats.items()}


@ON_SINGLE_AND_CLUSTER
async def test_edges_that_install_at_once_agree_on_one_seed(valkey: Redis) -> None:
    edges = [room_of(valkey) for _ in range(5)]
    await asyncio.gather(*(edge.install(START) for edge in edges))
    await asyncio.gather(*(edge.install(START + S) for edge in edges))
    seeds = {(await edge.look([], START + S))[1].seed for edge in edges}
    assert len(seeds) == 1
    assert len(bytes.fromhex(seeds.pop())) == 32


@ON_SINGLE_AND_CLUSTER
async def test_nobody_enters_before_the_seed_is_committed_to(valkey: Redis) -> None:
    room = room_of(valkey)
    picture = await room.install(START)
    assert picture.seed == ""
    with pytest.raises(Healing):
        await room.join([1], START + 2 * S)
    picture = await room.install(START + 2 * S)
    assert picture.seed
    [joined], _ = await room.join([1], START + 2 * S)
    assert joined.first == 1


@ON_SINGLE_AND_CLUSTER
async def test_no_change_of_settings_changes_the_seed_or_the_draw(valkey: Redis) -> None:
    room = await entered(valkey, 50)
    seed = (await room.install(START + 3 * S)).seed
    changes: list[dict[str, Setting]] = [
        {"rate": 3.0},
        {"opens": OPENS + S},
        {"state": "paused"},
        {"state": "open"},
        {"closes": OPENS + 90 * S},
    ]
    for step, change in enumerate(changes, 4):
        assert (await room.change(change, now_us=START + step * S)).seed == seed
    await room.look([], OPENS + S)
    drawn = places(room, 50)
    opens_later: dict[str, Setting] = {"opens": OPENS + 30 * S}
    for step, change in enumerate([*changes, opens_later], 2):
        picture = await room.change(change, now_us=OPENS + step * S)
        assert (picture.seed, picture.lanes[0].entries) == (seed, 50)
    await room.join([20], OPENS + 40 * S)
    assert places(room, 50) == drawn


@ON_SINGLE_AND_CLUSTER
async def test_two_edges_draw_the_same(valkey: Redis) -> None:
    one = await entered(valkey, 100)
    two = room_of(valkey)
    await two.install(START + 3 * S)
    await two.join([50], START + 4 * S)
    await one.look([], OPENS)
    await two.look([], OPENS)
    assert places(one, 150) == places(two, 150)
    assert sorted(places(two, 150)) == list(range(1, 151))


@ON_SINGLE_AND_CLUSTER
@pytest.mark.parametrize("lost_at", [START + 50 * S, OPENS - 1, OPENS, OPENS + S // 2, OPENS + 60 * S])
async def test_a_lost_store_keeps_seed_and_entries_whenever_it_is_lost(valkey: Redis, lost_at: int) -> None:
    knows, stranger = await entered(valkey, 100), room_of(valkey)
    await stranger.install(START + 3 * S)
    await knows.join([20], START + 4 * S)
    _, picture = await knows.look([], lost_at)
    seed, late = picture.seed, 0
    if lost_at >= OPENS:
        assert picture.lanes[0].entries == 120
        await knows.join([7], lost_at)
        late = 7
    await valkey.flushall()
    new = room_of(valkey)  # an edge that was started this moment installs first: it knows the rooms file alone
    await new.install(lost_at + 1_000)
    with pytest.raises(Healing):
        await new.join([1], lost_at + 2_000)
    for edge in (stranger, knows):
        await edge.look([], lost_at + 150_000)
    healed = max(lost_at, OPENS) + 2 * S
    [joined], picture = await new.join([1], healed)
    assert (picture.seed, picture.lanes[0].entries, joined.first) == (seed, 120, 121 + late)
    await knows.look([], healed)
    assert places(knows, 120) == places(new, 120)
    assert sorted(places(new, 120)) == list(range(1, 121))


@ON_SINGLE_AND_CLUSTER
async def test_a_draw_that_nobody_heard_of_is_made_again_the_same(valkey: Redis) -> None:
    knows = await entered(valkey, 100)
    dies = room_of(valkey)
    await dies.install(START + 3 * S)
    await dies.look([], OPENS)
    drawn = places(dies, 100)
    await valkey.flushall()  # and with the store goes the only edge that had heard of it
    await knows.look([], OPENS + 1)
    await knows.look([], OPENS + 2 * S)
    assert places(knows, 100) == drawn


@ON_SINGLE_AND_CLUSTER
async def test_the_tickets_alone_bring_the_entries_back(valkey: Redis) -> None:
    knows = await entered(valkey, 100)
    known = knows.known
    await valkey.flushall()
    restarted = room_of(valkey)
    restarted.recall(known)
    restarted._joined = [0]  # what it had written down is older than the last tickets
    with pytest.raises(Healing):
        await restarted.look([Spot(0, 100, 0)], START + 50 * S)
    _, picture = await restarted.look([], OPENS + 2 * S)
    assert picture.lanes[0].entries == 100


@ON_SINGLE_AND_CLUSTER
async def test_a_new_line_has_a_new_seed_and_none_of_the_old_tickets(valkey: Redis) -> None:
    room, other = await entered(valkey, 100), room_of(valkey)
    await other.install(START + 3 * S)
    _, before = await room.look([], OPENS)
    assert before.lanes[0].entries == 100
    picture = await room.reset('{"what": "reset"}', OPENS + S)
    assert (picture.epoch, picture.joined, picture.called, picture.seed) == (2, 0, 0, "")
    picture = await room.install(OPENS + 2 * S)
    assert picture.seed not in {"", before.seed}
    with pytest.raises(Moved):
        await other.look(spots([1]), OPENS + 2 * S)
    assert other.epoch == 2
    assert places(other, 100) == [0] * 100
    [joined], picture = await other.join([1], OPENS + 3 * S)
    assert joined.first == 1
    assert picture.lanes[0].entries == 0, "it is open already: nobody enters, everybody lines up"


async def test_a_lane_that_opens_later_is_drawn_later(valkey: Redis) -> None:
    lanes = [{"lane": "general"}, {"lane": "phone", "opens_at": moment(OPENS + 60 * S)}]
    room = room_of(valkey, lanes=lanes)
    await installed(room)
    await room.join([50, 20], START + 2 * S)
    await room.join([0, 10], OPENS + S)
    _, picture = await room.look([], OPENS + 2 * S)
    assert [lane.entries for lane in picture.lanes] == [50, -1]
    _, picture = await room.look([], OPENS + 60 * S)
    assert [lane.entries for lane in picture.lanes] == [50, 30]
    drawn = [room.place_of(1, entry, entry=True) for entry in range(1, 31)]
    assert sorted(drawn) == list(range(1, 31))
