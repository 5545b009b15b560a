"""A room's outbox in the store: who may tell, that nothing is told twice, and that the store may lose it all."""

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from edge.events.happenings import Happening, Seen, observe
from edge.events.outbox import Entry, Outbox
from edge.line.lease import Lease
from edge.line.line import StoreUnavailable
from edge.line.pace import Pace
from edge.line.store import connect
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import Failures, line

pytestmark = ON_SINGLE_AND_CLUSTER

START = 1_800_000_000_000_000
SECOND = 1_000_000
SEEN = Seen(epoch=1, version=3, at_us=START, called=0, phase="open", told={"paused": ("1_paused_2", 1)})


def outbox(valkey: Redis, holder: str = "one") -> Outbox:
    return Outbox(valkey, "demo", Failures(), pace=Pace(), holder=holder, lease_s=5)


async def leading(valkey: Redis, now_us: int = START) -> tuple[Outbox, Lease]:
    ours = outbox(valkey)
    lease = await ours.lease(now_us)
    assert lease is not None
    return ours, lease


async def happened(valkey: Redis) -> Happening:
    """Something real, with a reason that needs escaping."""
    picture = await line(valkey).install(START)
    _, [told] = observe(
        "demo", SEEN, replace(picture, state="paused", phase="paused", version=4, reason='"café" \\ {"id": 5}')
    )
    return told


def entries(happening: Happening, *numbers: int) -> list[Entry]:
    return [Entry.of(replace(happening, id=f"evt_{number}"), START + number) for number in numbers]


async def test_what_is_told_is_read_byte_for_byte_with_what_was_seen(valkey: Redis) -> None:
    ours, lease = await leading(valkey)
    empty = await ours.read(START)
    assert (empty.now_us, empty.seen, empty.gone, empty.pending) == (START, None, "", ())
    told = entries(await happened(valkey), 1, 2)
    assert await ours.tell(lease, SEEN, told, START) == 0
    kept = await outbox(valkey, "two").read()
    assert kept.seen == SEEN
    assert kept.pending == tuple(told)
    assert abs(kept.now_us - START) > SECOND, "the store's own clock"


async def test_who_has_no_lease_or_comes_late_tells_nothing(valkey: Redis) -> None:
    ours, lease = await leading(valkey)
    told = entries(await happened(valkey), 1)
    assert await ours.tell(Lease("two", lease.term), SEEN, told, START) is None
    assert await ours.tell(Lease(lease.holder, "7"), SEEN, told, START) is None
    assert await ours.tell(lease, SEEN, told, START + 5 * SECOND) is None
    assert await outbox(valkey, "two").lease(START + 6 * SECOND)
    assert await ours.tell(lease, SEEN, told, START + 6 * SECOND) is None
    kept = await ours.read()
    assert (kept.seen, kept.pending) == (None, ())


async def test_an_event_is_put_once_however_often_it_is_told_or_put_back(valkey: Redis) -> None:
    ours, lease = await leading(valkey)
    first, second = entries(await happened(valkey), 1, 2)
    await ours.tell(lease, SEEN, [first], START)
    await ours.tell(lease, SEEN, [first, second], START)
    await ours.put_back([second, first], START)
    assert (await ours.read()).pending == (first, second)
    assert await ours.settle(first.id, "delivered")
    await ours.put_back([first])
    assert (await ours.read()).pending == (second,), "what is settled is not put back"


async def test_events_are_settled_in_their_order_and_each_once(valkey: Redis) -> None:
    ours, lease = await leading(valkey)
    first, second = entries(await happened(valkey), 1, 2)
    await ours.tell(lease, SEEN, [first, second], START)
    assert not await ours.settle(second.id, "delivered")
    assert await outbox(valkey, "two").settle(first.id, "delivered", now_us=START), "whoever delivered it"
    assert not await ours.settle(first.id, "given_up")
    assert not await ours.settle("evt_unknown", "delivered")
    assert await ours.settle(second.id, "gone", gone="mark", now_us=START)
    kept = await ours.read()
    assert (kept.pending, kept.gone) == ((), "mark")
    stored = await valkey.hgetall("vestibule:{demo}:outbox")
    assert (stored[b"fate:1"], stored[b"fate:2"]) == (b"delivered %d" % START, b"gone %d" % START)


async def test_the_last_ones_are_kept_and_what_is_pushed_out_undelivered_is_counted(valkey: Redis) -> None:
    ours, lease = await leading(valkey)
    told = entries(await happened(valkey), *range(1, 11))
    assert await ours.tell(lease, SEEN, told[:2], START, most=3) == 0
    assert await ours.settle(told[0].id, "delivered")
    assert await ours.tell(lease, SEEN, told[2:4], START, most=3) == 0
    assert await ours.tell(lease, SEEN, told[4:], START, most=3) == 6
    assert (await ours.read()).pending == tuple(told[-3:])
    assert await valkey.hlen("vestibule:{demo}:outbox") == len(["seen", "last", "next"]) + 3 * len(["event", "id"])
    assert await ours.settle(told[-3].id, "delivered")


async def test_a_store_that_lost_it_all_takes_everything_back_with_its_age(valkey: Redis) -> None:
    ours, lease = await leading(valkey)
    told = entries(await happened(valkey), 1, 2)
    await ours.tell(lease, SEEN, told, START)
    await valkey.flushall()
    await outbox(valkey, "two").put_back(told)
    kept = await ours.read()
    assert (kept.seen, kept.pending) == (None, tuple(told))


@pytest.mark.parametrize("act", ["lease", "read", "settle"])
async def test_a_store_that_is_away_is_counted_by_what_was_asked(valkey: Redis, act: str) -> None:
    failures = Failures()
    away = Outbox(connect("redis://127.0.0.1:1"), "demo", failures, pace=Pace(), holder="one", lease_s=5)
    asked = {"lease": away.lease(), "read": away.read(), "settle": away.settle("evt", "delivered")}
    with pytest.raises(StoreUnavailable):
        await asked.pop(act)
    for rest in asked.values():
        rest.close()
    assert failures.acts == [{"read": "outbox"}.get(act, act)]
