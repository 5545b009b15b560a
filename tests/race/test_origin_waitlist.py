"""A place that becomes free, wanted by people who wait and by people who search: it goes to one of them.

Beside it stands the negative control: an offer by a worker that looks what is free and then writes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from origin.db.pool import Database, create_pool
from origin.db.sql import Connection
from origin.metrics import OriginMetrics
from origin.waitlist.offering import Offering
from origin.waitlist.store import WaitlistStore, Wanted
from shared.ids import SystemIds
from tests.origin_world import START, Visitor
from tests.race.town import Town, codes, town

PEOPLE = 12
WISH = {"site_id": 1, "from": START.isoformat(), "to": (START + timedelta(days=7)).isoformat()}


@pytest.fixture
async def guarded(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(database_url, tmp_path) as made:
        await made.world.connection.execute("UPDATE programme SET waitlist = true")
        yield made


async def waiting(town: Town, number: int) -> Visitor:
    """Somebody on the waitlist."""
    visitor = town.visitor(number, sub=f"waiting-{number}")
    body = WISH | {"decision_ref": await visitor.decision()}
    answer = await visitor.client.post("/v1/waitlist", json=body, headers=visitor.headers)
    assert answer.status_code == 201, answer.text
    return visitor


async def offer(url: str, town: Town, store: WaitlistStore) -> int:
    """One worker: offer all that is free; return how many it has offered."""
    metrics = OriginMetrics(CollectorRegistry())
    database = Database(await create_pool(url, size=1), metrics, wait_s=5)
    try:
        return await Offering(database, town.world.clock, SystemIds(), metrics, store).run()
    finally:
        await database.close()


async def test_a_freed_place_is_either_offered_or_sold_and_once(guarded: Town, database_url: str) -> None:
    full = await guarded.world.slot(capacity=3)
    owners = [guarded.visitor(number, sub=f"owner-{number}") for number in range(3)]
    booked = [await each.book(full, await each.decision()) for each in owners]
    for number in range(PEOPLE):
        await waiting(guarded, number)
    searching = [guarded.visitor(number, sub=f"searching-{number}") for number in range(PEOPLE)]
    decisions = [await each.decision() for each in searching]

    async def free(number: int) -> None:
        address = booked[number].headers["location"]
        assert (await owners[number].client.delete(address, headers=owners[number].headers)).status_code == 204

    rush = asyncio.gather(*(each.book(full, ref) for each, ref in zip(searching, decisions, strict=True)))
    await asyncio.gather(
        *(free(number) for number in range(3)),
        *(offer(database_url, guarded, WaitlistStore()) for _ in range(3)),
    )
    await offer(database_url, guarded, WaitlistStore())
    sold = codes(await rush)["booked"]
    held = await guarded.world.count("hold", "kind = 'offered'")
    assert sold + held == 3
    assert await guarded.world.count("waitlist_entry", "state = 'offered'") == held
    assert await guarded.world.count("outbox", "kind = 'place_offered'") == held
    assert await guarded.tell() == [(3, 0, sold)]


class LooksThenOffers(WaitlistStore):
    """A worker that looks what is free and then writes; ``meanwhile`` happens between the two."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._meanwhile = meanwhile

    async def offer(self, connection: Connection, wanted: Wanted, *, hold: UUID, now: datetime) -> bool:
        remaining = await connection.fetchval("SELECT remaining FROM slot WHERE id = $1", wanted.slot)
        await self._meanwhile()
        await connection.execute(
            "INSERT INTO hold SELECT $1, programme, person, $2, 'offered', $3, $4 FROM waitlist_entry WHERE id = $5",
            hold,
            wanted.slot,
            now,
            now + timedelta(minutes=30),
            wanted.entry,
        )
        await connection.execute("UPDATE slot SET remaining = $2 WHERE id = $1", wanted.slot, remaining - 1)
        return True


async def test_a_worker_that_looks_and_then_writes_offers_what_is_sold_meanwhile(
    guarded: Town, database_url: str
) -> None:
    """The control."""
    slot = await guarded.world.slot()
    await waiting(guarded, 1)
    buyer = guarded.visitor(2, sub="buyer")
    decision = await buyer.decision()

    async def buy() -> None:
        assert (await buyer.book(slot, decision)).status_code == 201

    assert await offer(database_url, guarded, LooksThenOffers(buy)) == 1
    sold, held = await guarded.world.count("appointment"), await guarded.world.count("hold")
    assert (sold, held) == (1, 1), "one place, promised to one and sold to another"
