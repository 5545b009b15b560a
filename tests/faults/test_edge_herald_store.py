"""Events when the store fails, or loses everything."""

import asyncio

import pytest
from redis.asyncio import Redis

from edge.events.outbox import Fate, Outbox
from edge.line.line import StoreUnavailable
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.receiver import Receiver
from tests.telling import Begin, until_leads

pytestmark = ON_SINGLE_AND_CLUSTER


class FailsOnce(Outbox):
    """A store that is away when the first delivery is to be noted."""

    failed = False

    async def settle(self, event_id: str, fate: Fate, *, gone: str = "", now_us: int | None = None) -> bool:
        if not self.failed:
            self.failed = True
            raise StoreUnavailable("away")
        return await super().settle(event_id, fate, gone=gone, now_us=now_us)


async def test_what_the_store_did_not_take_note_of_is_settled_later_and_not_sent_again(
    begin: Begin, receiver: Receiver
) -> None:
    one = begin(outbox=FailsOnce)
    await one.turn()
    await one.change("paused")
    await one.change("open")
    await one.turn()
    assert [each.event["type"] for each in receiver.taken] == ["room.paused", "room.resumed"]
    assert one.sample("event_pending_seconds") == 0


@pytest.mark.parametrize("survivor", ["one", "two"])
async def test_a_store_that_loses_everything_is_told_again_what_was_pending(
    begin: Begin, receiver: Receiver, valkey: Redis, survivor: str
) -> None:
    heralds = {name: begin(name) for name in ("one", "two")}
    await heralds["one"].turn()
    receiver.says = 500
    await heralds["one"].change("paused")
    await heralds["two"].turn()
    await valkey.flushall()
    receiver.says = 200
    left = heralds[survivor]
    await left.turn()
    await left.turn()
    assert receiver.types == ["paused"], "neither lost, nor anything told that has not happened"
    await left.change("open")
    assert receiver.types == ["paused", "resumed"]


async def test_what_one_told_just_before_the_loss_is_put_back_though_another_was_first_to_tell_since(
    begin: Begin, receiver: Receiver, valkey: Redis
) -> None:
    one, two = begin("one"), begin("two")
    await one.turn()
    await two.turn()
    receiver.says = 500
    await one.change("paused")
    await one.change("open")
    await valkey.flushall()
    receiver.says = 200
    await two.turn()
    assert two.leads
    await two.turn()
    assert receiver.types == [], "it has not heard of a pause that is over"
    await one.turn()
    await two.turn()
    assert receiver.types == ["paused", "resumed"]


class PutsNothingBack(Outbox):
    """The way without a memory of one's own."""

    async def put_back(self, entries: object, now_us: int | None = None) -> None:
        pass


async def lose_the_store_and_then_who_told(begin: Begin, receiver: Receiver, valkey: Redis, box: type[Outbox]) -> None:
    """Only the store, which has lost everything in between, knows what a new edge is to deliver."""
    one = begin(outbox=box)
    await one.turn()
    receiver.says = 500
    await one.change("paused")
    await valkey.flushall()
    await one.turn()
    receiver.says = 200
    await until_leads(begin("new"))


async def test_what_a_store_has_lost_is_in_it_again(begin: Begin, receiver: Receiver, valkey: Redis) -> None:
    await lose_the_store_and_then_who_told(begin, receiver, valkey, Outbox)
    assert receiver.types == ["paused"]


async def test_it_would_be_lost_if_edges_did_not_carry_what_is_pending(
    begin: Begin, receiver: Receiver, valkey: Redis
) -> None:
    await lose_the_store_and_then_who_told(begin, receiver, valkey, PutsNothingBack)
    assert receiver.types == []


class AwayForAWhile(Outbox):
    """A store that can be away."""

    is_away = False

    async def _run(self, *asked: object, **how: object) -> bytes:
        if self.is_away:
            raise StoreUnavailable("away")
        return await super()._run(*asked, **how)  # type: ignore[arg-type]  # handed on as it came


async def test_while_the_store_is_away_nothing_is_sent_and_what_happened_is_told_when_it_is_back(
    begin: Begin, receiver: Receiver
) -> None:
    one = begin(outbox=AwayForAWhile)
    await one.turn()
    receiver.says = 500
    await one.change("paused")
    receiver.says, receiver.asked = 200, 0
    AwayForAWhile.is_away = True
    try:
        with pytest.raises(StoreUnavailable):
            await one.change("open")
        assert not one.leads
        await one.herald.send(asyncio.Event())
        assert receiver.asked == 0, "another may have it by now"
    finally:
        AwayForAWhile.is_away = False
    await one.turn()
    assert receiver.types == ["paused", "resumed"]
