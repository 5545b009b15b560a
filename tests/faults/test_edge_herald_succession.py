"""Events when the process that tells is gone, asleep, or killed: another goes on."""

from edge.events.outbox import Outbox
from edge.line.line import StoreUnavailable
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.receiver import Receiver
from tests.telling import Begin, until_leads

pytestmark = ON_SINGLE_AND_CLUSTER


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
