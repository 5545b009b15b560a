"""Events reach their receiver, in order and signed, however it fails."""

import asyncio

import pytest
from structlog.testing import capture_logs

from deploy.stores import free_port
from edge.events.courier import Patience
from shared.clock import SystemClock
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_processes import until
from tests.receiver import SECRET, Receiver, check
from tests.serving import serving
from tests.telling import Begin, until_leads

pytestmark = ON_SINGLE_AND_CLUSTER


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
