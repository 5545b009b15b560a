"""A room's governor in the store, in virtual time: who may act, and that no act of theirs creates a token."""

from random import Random

import pytest
from redis.asyncio import Redis

from edge.governor.pacing import Bounds, Decision
from edge.governor.steering import Steering, bounds_of, written
from edge.line.lease import Lease
from edge.line.line import Line
from edge.line.pace import Pace
from edge.line.room import Held
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import Failures, line, plan, spots

pytestmark = ON_SINGLE_AND_CLUSTER

START = 1_800_000_000_000_000
SECOND = 1_000_000


def steering(valkey: Redis, holder: str, lease_s: float = 5) -> Steering:
    return Steering(valkey, plan(), Failures(), pace=Pace(), holder=holder, lease_s=lease_s)


def decision(held: Held = "", *, rate: float | None = None, remaining: int | None = None) -> Decision:
    return Decision(held, remaining, rate, "none")


async def leading(valkey: Redis, now_us: int = START) -> tuple[Steering, Lease]:
    ours = steering(valkey, "one")
    lease = await ours.lease(now_us)
    assert lease is not None
    return ours, lease


async def test_one_at_a_time_holds_the_lease_and_another_takes_over_when_it_runs_out(valkey: Redis) -> None:
    one, two = steering(valkey, "one"), steering(valkey, "two")
    first = await one.lease(START)
    assert first is not None
    assert await two.lease(START + 4 * SECOND) is None
    assert await one.lease(START + 4 * SECOND) == first, "kept, the term stays"
    assert await two.lease(START + 8 * SECOND) is None
    second = await two.lease(START + 9 * SECOND)
    assert second is not None
    assert int(second.term) > int(first.term)
    assert await one.lease(START + 9 * SECOND) is None


async def test_a_lease_that_is_given_up_can_be_taken_at_once_and_only_its_holder_gives_it_up(valkey: Redis) -> None:
    one, two = steering(valkey, "one"), steering(valkey, "two")
    assert await one.lease(START)
    await two.give_up(START)
    assert await two.lease(START + 1) is None
    await one.give_up(START)
    assert await two.lease(START + 1)


async def test_terms_rise_even_when_the_store_forgets_everything(valkey: Redis) -> None:
    _, before = await leading(valkey)
    await valkey.flushall()
    after = await steering(valkey, "one").lease(START + 1)
    assert after is not None
    assert int(after.term) > int(before.term)


async def test_a_holder_who_comes_late_changes_nothing(valkey: Redis) -> None:
    room = line(valkey)
    seen = await room.install(START)
    one, lease = await leading(valkey)
    assert await steering(valkey, "two").lease(START + 6 * SECOND)
    assert not await one.govern(lease, seen, decision("frozen", rate=1.0), START + 6 * SECOND)
    assert not await one.govern(Lease("two", lease.term), seen, decision("frozen"), START + 6 * SECOND)
    _, picture = await room.look([], START + 7 * SECOND)
    assert (picture.held, picture.rate) == ("", 50)


async def test_a_lease_that_ran_out_lets_nobody_act_though_nobody_else_has_it(valkey: Redis) -> None:
    room = line(valkey)
    seen = await room.install(START)
    one, lease = await leading(valkey)
    assert await one.govern(lease, seen, decision("frozen"), START + 4_999_999)
    _, seen = await room.look([], START + 5 * SECOND)
    assert not await one.govern(lease, seen, decision(), START + 5 * SECOND)


async def test_what_an_operator_changes_meanwhile_is_not_overridden(valkey: Redis) -> None:
    room = line(valkey)
    seen = await room.install(START)
    one, lease = await leading(valkey)
    picture = await room.change({"rate": 7.0}, now_us=START + SECOND)
    assert not await one.govern(lease, seen, decision(rate=40.0), START + SECOND), "decided on what is no longer so"
    assert await one.govern(lease, picture, decision(rate=8.0), START + SECOND)
    paused = await room.change({"state": "paused", "reason": "lunch"}, now_us=START + 2 * SECOND)
    assert await one.govern(lease, paused, decision("frozen"), START + 2 * SECOND)
    _, picture = await room.look([], START + 2 * SECOND)
    assert await one.govern(lease, picture, decision(), START + 2 * SECOND)
    _, picture = await room.look([], START + 3 * SECOND)
    assert (picture.state, picture.reason, picture.held, picture.rate) == ("paused", "lunch", "", 8)


@pytest.mark.parametrize("held", ["frozen", "origin_down", "origin_unhealthy", "full", "sold_out"])
async def test_while_a_room_is_held_nobody_is_called_and_nothing_is_issued_or_banked(valkey: Redis, held: Held) -> None:
    room = line(valkey, rate_per_s=10.0, burst=5)
    await room.install(START)
    await room.join([100], START)
    _, seen = await room.look([], START + 2 * SECOND)
    called = seen.called
    assert 0 < called < 100
    one, lease = await leading(valkey, START + 2 * SECOND)
    assert await one.govern(lease, seen, decision(held, remaining=3), START + 2 * SECOND)
    outcomes, picture = await room.claim(spots(range(1, called + 1)), START + 4 * SECOND)
    assert set(outcomes) == {"paced"}, "the turn is kept"
    assert (picture.called, picture.admitted, picture.calls_per_s) == (called, 0, 0)
    assert (picture.shown, picture.state) == ("closed" if held == "sold_out" else "paused", "open")
    assert await one.govern(lease, picture, decision(), START + 5 * SECOND)
    outcomes, _ = await room.claim(spots(range(1, called + 1)), START + 5 * SECOND)
    assert outcomes.count("admitted") <= 5, "five tokens, and not those of three seconds"
    _, later = await room.look([], START + 7 * SECOND)
    assert later.called > called, "it goes on by itself"


async def test_sold_out_closes_the_door_and_nothing_else_does(valkey: Redis) -> None:
    room = line(valkey)
    seen = await room.install(START)
    one, lease = await leading(valkey)
    assert await one.govern(lease, seen, decision("sold_out", remaining=0), START)
    [refused], _ = await room.join([1], START)
    assert refused.refused == "closed"
    _, seen = await room.look([], START)
    assert (seen.joined, seen.remaining) == (0, 0)
    assert await one.govern(lease, seen, decision("frozen", remaining=0), START)
    [joined], _ = await room.join([1], START)
    assert (joined.first, joined.refused) == (1, "")


async def test_the_last_word_of_a_governor_that_fell_silent_holds_for_a_minute(valkey: Redis) -> None:
    room = line(valkey)
    seen = await room.install(START)
    one, lease = await leading(valkey)
    assert await one.govern(lease, seen, decision("origin_down", remaining=9), START)
    _, picture = await room.look([], START + 59 * SECOND)
    assert (picture.held, picture.remaining) == ("origin_down", 9)
    _, picture = await room.look([], START + 61 * SECOND)
    assert (picture.held, picture.remaining) == ("", None)


async def test_a_room_that_the_store_loses_stays_held_and_keeps_its_bounds(valkey: Redis) -> None:
    room = line(valkey)
    await room.install(START)
    bounds = Bounds("automatic", 2, 80, 500)
    seen = await room.change({"governor": written(bounds)}, now_us=START)
    one, lease = await leading(valkey)
    assert await one.govern(lease, seen, decision("frozen", remaining=9), START)
    await room.look([], START + SECOND)
    await valkey.flushall()
    _, picture = await room.look([], START + 2 * SECOND)
    assert (picture.held, picture.remaining) == ("frozen", None)
    assert bounds_of(plan(), picture) == bounds


async def test_before_operators_say_otherwise_a_room_is_manual(valkey: Redis) -> None:
    picture = await line(valkey, rate_per_s=40.0).install(START)
    assert bounds_of(plan(rate_per_s=40.0), picture) == Bounds("manual", 4, 40, None)


@pytest.mark.parametrize(("before", "after", "tokens"), [("", "", 4), ("frozen", "", 0), ("", "frozen", 4)])
async def test_the_time_until_a_decision_is_settled_as_it_was_before_it(
    valkey: Redis, before: Held, after: Held, tokens: float
) -> None:
    room = line(valkey, rate_per_s=1.0, burst=500)
    seen = await room.install(START)
    one, lease = await leading(valkey)
    assert await one.govern(lease, seen, decision(before), START)
    _, seen = await room.look([], START)
    assert await one.govern(lease, seen, decision(after, rate=100.0), START + 4 * SECOND)
    _, picture = await room.look([], START + 4 * SECOND)
    assert (picture.rate, picture.tokens) == (100, tokens)


async def hurry(room: Line, claimed: int, now_us: int) -> int:
    """Everybody who was called claims at once; return how many got a token."""
    _, seen = await room.look([], now_us)
    if seen.called <= claimed:
        return 0
    outcomes, _ = await room.claim(spots(range(claimed + 1, seen.called + 1)[:200]), now_us)
    return outcomes.count("admitted")


async def test_no_change_by_a_governor_lets_more_through_than_rate_times_time_plus_burst(valkey: Redis) -> None:
    """A1 over any interval, with a governor that changes its mind at random, every 0.3 s on average."""
    chance, burst = Random(12), 5
    room = line(valkey, rate_per_s=30.0, burst=burst)
    await room.install(START)
    await room.join([20_000], START)
    room._called = [20_000]  # everybody stands at the door: whatever there is, is taken at once
    one = steering(valkey, "one", lease_s=1000)
    lease = await one.lease(START)
    assert lease is not None
    flow, issued, total, allowed = [0.0], [0], 0, 0.0  # what may have flowed in, and what was issued, at each moment
    rate, held, at = 30.0, False, START
    for _ in range(400):
        step = chance.randrange(1, 150_000)
        at += step
        allowed += 0 if held else rate * step / SECOND
        total += await hurry(room, total, at)
        flow.append(allowed)
        issued.append(total)
        if chance.random() < 0.25:
            _, seen = await room.look([], at)
            at += (late := chance.randrange(200_000))  # deciding takes time, in which the old rate holds
            allowed += 0 if held else rate * late / SECOND
            rate, held = float(chance.choice([0.5, 5, 30, 90])), chance.random() < 0.3
            change = decision("frozen" if held else "", rate=rate)
            assert await one.govern(lease, seen, change, at)
    assert total > 100
    worst = max(
        issued[end] - issued[start] - (flow[end] - flow[start]) for end in range(len(flow)) for start in range(end)
    )
    assert worst <= burst + 1e-6
