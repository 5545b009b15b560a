"""Events reach their receiver whatever fails: the receiver, the process that tells, the store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from structlog.testing import capture_logs

from deploy.stores import free_port
from edge.events.courier import Courier, Patience
from edge.events.herald import Herald
from edge.events.outbox import Fate, Outbox
from edge.events.webhook import Target, Webhook
from edge.governor.feed import connect
from edge.line.desk import Desk
from edge.line.kept import Keeper
from edge.line.line import StoreUnavailable
from edge.line.logfile import LogFile
from edge.line.oplog import LogStore, OpLog
from edge.line.pace import Pace
from edge.metrics import EdgeMetrics
from shared.clock import SystemClock
from shared.ids import SystemIds
from tests.conftest import ON_SINGLE_AND_CLUSTER, Serve, serving
from tests.edge_processes import until
from tests.edge_world import line, plan
from tests.receiver import SECRET, SECRET_BYTES, Receiver, check

pytestmark = ON_SINGLE_AND_CLUSTER

AT_ONCE = Patience(first_s=0, most_s=0)
LEASE_S = 0.3


@dataclass
class Telling:
    """One process' herald of the room, driven by hand."""

    herald: Herald
    desk: Desk
    metrics: EdgeMetrics

    async def turn(self) -> None:
        """Look afresh and act once, then deliver as far as it goes."""
        await self.desk.refresh()
        await self.herald.turn()
        await self.herald.send(asyncio.Event())

    async def change(self, state: Literal["open", "paused", "closed"]) -> None:
        """Do what an operator does, and let it be seen."""
        await self.desk.change({"state": state})
        await self.turn()

    def sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"vestibule_edge_{name}", {"room": "demo"} | labels) or 0.0

    @property
    def leads(self) -> bool:
        return self.sample("herald_leads") == 1


Begin = Callable[..., Telling]


@pytest.fixture
async def begin(valkey: Redis, receiver: Receiver, serve: Serve) -> AsyncIterator[Begin]:
    """Makes heralds, each as if in a process of its own."""
    address = f"{await serve(receiver.app())}/events"

    http = connect()

    def made(
        name: str = "one",
        url: str = address,
        *,
        patience: Patience = AT_ONCE,
        timeout_s: float = 5,
        outbox: type[Outbox] = Outbox,
    ) -> Telling:
        metrics = EdgeMetrics(CollectorRegistry())
        desk = Desk(
            plan(),
            line(valkey),
            metrics,
            keeper=Keeper(None, "demo"),
            log=OpLog(LogStore(valkey, plan(), metrics), LogFile(None, "demo")),
            pace=Pace(),
            hold_s=0,
            hold_most=0,
        )
        box = outbox(valkey, "demo", metrics, pace=Pace(), holder=name, lease_s=LEASE_S)
        webhook = Webhook(http, Target(url, (SECRET_BYTES,)), timeout_s=timeout_s)
        courier = Courier("demo", box, webhook, metrics.herald, clock=SystemClock(), ids=SystemIds(), patience=patience)
        return Telling(Herald(desk, box, courier, metrics.herald, every_s=0.02), desk, metrics)

    async with http:
        yield made


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


async def until_leads(telling: Telling) -> None:
    """Take turns until the lease of whoever had it has run out."""

    async def leads() -> bool:
        await telling.turn()
        return telling.leads

    await until(leads)


async def test_what_happens_is_told_in_order_and_signed(begin: Begin, receiver: Receiver) -> None:
    one = begin()
    await one.turn()
    assert receiver.asked == 0, "a first look tells nothing"
    for state in ("paused", "open", "closed"):
        await one.change(state)
    assert receiver.types == ["paused", "resumed", "closed"]
    for delivery in receiver.taken:
        check(SECRET, delivery.headers, delivery.body, SystemClock().unix())
        assert delivery.headers["webhook-id"] == delivery.event["id"]
        assert delivery.headers["content-type"] == "application/json"
    assert one.sample("events_total", type="room.paused") == 1
    assert one.sample("event_deliveries_total", outcome="delivered") == 3


@pytest.mark.parametrize("answer", [500, 400, 307])
async def test_a_receiver_that_fails_is_asked_again_until_it_takes_the_event(
    begin: Begin, receiver: Receiver, answer: int
) -> None:
    one = begin()
    await one.turn()
    receiver.says = answer
    await one.change("paused")
    for _ in range(3):
        await one.turn()
    await one.change("open")
    assert receiver.taken == []
    assert one.sample("event_deliveries_total", outcome="refused") == receiver.asked == 5
    assert one.sample("event_pending_seconds") > 0
    receiver.says = 200
    await one.turn()
    assert receiver.types == ["paused", "resumed"]
    assert receiver.asked == 7
    await one.turn()
    assert one.sample("event_pending_seconds") == 0


async def test_after_a_failure_nothing_is_sent_before_the_pause_is_over(begin: Begin, receiver: Receiver) -> None:
    one = begin(patience=Patience(first_s=3600, most_s=3600))
    await one.turn()
    receiver.says = 503
    await one.change("paused")
    receiver.says = 200
    await one.change("open")
    await one.turn()
    assert receiver.asked == 1


async def test_a_receiver_that_is_away_gets_everything_when_it_is_back(begin: Begin, receiver: Receiver) -> None:
    port = free_port()
    one = begin(url=f"http://127.0.0.1:{port}/events")
    await one.turn()
    for state in ("paused", "open"):
        await one.change(state)
    assert one.sample("event_deliveries_total", outcome="unreachable") == 2
    async with serving(receiver.app(), port):
        await one.turn()
    assert receiver.types == ["paused", "resumed"]


async def test_a_receiver_that_does_not_answer_delays_its_events_and_no_look(begin: Begin, receiver: Receiver) -> None:
    one = begin(timeout_s=0.1)
    receiver.hangs = True
    stop = asyncio.Event()
    await one.turn()
    running = asyncio.create_task(one.herald.run(stop))

    async def timed_out() -> bool:
        return one.sample("event_deliveries_total", outcome="timeout") > 0

    await one.desk.change({"state": "paused"})
    await until(timed_out)
    await one.desk.change({"state": "open"})

    async def resumed() -> bool:
        return one.sample("events_total", type="room.resumed") == 1

    await until(resumed)
    receiver.hangs = False
    receiver.released.set()

    async def told() -> bool:
        await one.desk.refresh()
        return receiver.types == ["paused", "resumed"]

    await until(told)
    stop.set()
    await running


async def test_who_answers_gone_is_sent_nothing_more_by_anybody(begin: Begin, receiver: Receiver) -> None:
    one, two = begin("one"), begin("two")
    await one.turn()
    receiver.says = 500
    await one.change("paused")
    await one.change("open")
    receiver.says, receiver.asked = 410, 0
    with capture_logs() as logs:
        await one.turn()
    assert [each["why"] for each in logs if each["event"] == "event_not_delivered"] == ["gone", "gone"]
    assert one.sample("event_deliveries_total", outcome="gone") == 2
    assert receiver.asked == 1
    receiver.says = 200
    await until_leads(two)
    await two.change("closed")
    assert two.sample("event_deliveries_total", outcome="gone") == 1
    assert (receiver.asked, receiver.taken) == (1, [])
    elsewhere = begin("three", url=f"http://127.0.0.1:{free_port()}/events")
    await until_leads(elsewhere)
    await elsewhere.change("open")
    assert elsewhere.sample("event_deliveries_total", outcome="unreachable") == 1, "another address is asked"


async def test_what_is_too_old_is_tried_once_more_then_given_up_loudly(begin: Begin, receiver: Receiver) -> None:
    one = begin(patience=Patience(first_s=0, most_s=0, give_up_s=0))
    await one.turn()
    receiver.says = 500
    with capture_logs() as logs:
        await one.change("paused")
    assert [each["why"] for each in logs if each["event"] == "event_not_delivered"] == ["given_up"]
    assert one.sample("event_deliveries_total", outcome="given_up") == 1
    receiver.says = 200
    await one.change("open")
    assert receiver.types == ["resumed"]


async def test_when_the_one_that_tells_is_gone_another_goes_on_and_nothing_is_lost(
    begin: Begin, receiver: Receiver
) -> None:
    one, two = begin("one"), begin("two")
    await one.turn()
    receiver.says = 500
    await one.change("paused")
    await two.turn()
    assert not two.leads
    # From here on the first is gone: it neither settles anything nor gives its lease up.
    await two.desk.change({"state": "open"})
    receiver.says = 200
    await until_leads(two)
    await two.change("closed")
    assert receiver.types == ["paused", "resumed", "closed"]
    assert len(receiver.taken) == 3


class DiesBeforeItSettles(Outbox):
    """As of a process that is killed between a delivery and its note of it."""

    async def settle(self, *_asked: object, **_how: object) -> bool:
        raise StoreUnavailable("killed")


async def test_what_is_delivered_twice_has_the_same_id_and_body(begin: Begin, receiver: Receiver) -> None:
    one, two = begin("one", outbox=DiesBeforeItSettles), begin("two")
    await one.turn()
    await one.change("paused")
    await until_leads(two)
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert receiver.types == ["paused"]


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


async def test_what_another_has_delivered_meanwhile_is_not_sent_again(begin: Begin, receiver: Receiver) -> None:
    one, two = begin("one"), begin("two")
    await one.turn()
    receiver.says = 500
    await one.change("paused")
    receiver.says = 200
    await until_leads(two)
    assert len(receiver.taken) == 1
    await until_leads(one)
    assert len(receiver.taken) == 1


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


async def test_one_that_sleeps_through_its_lease_tells_nothing_when_it_wakes_up(
    begin: Begin, receiver: Receiver
) -> None:
    one, two = begin("one"), begin("two")
    await one.turn()
    await until_leads(two)
    await two.change("paused")
    await two.change("open")
    await one.turn()
    assert not one.leads
    assert [each.event["type"] for each in receiver.taken] == ["room.paused", "room.resumed"]


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


class AwayForAWhile(Outbox):
    """A store that can be away."""

    is_away = False

    async def _run(self, *asked: object, **how: object) -> bytes:
        if self.is_away:
            raise StoreUnavailable("away")
        return await super()._run(*asked, **how)  # type: ignore[arg-type]  # handed on as it came
