"""A place that becomes free, wanted by people who wait and by people who search: it goes to one of them.

Beside it stands the negative control: an offer by a worker that looks what is free and then writes.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from origin.db.pool import connect
from origin.db.sql import Connection
from origin.waitlist.store import WaitlistStore
from tests.origin_world import START, Visitor
from tests.race.meeting import Meeting
from tests.race.test_origin_races import Town, codes, town

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
    connection = await connect(url)
    try:
        offered = 0
        while await store.offer_next(connection, "demo", hold=uuid4(), now=town.world.clock.now()) is not None:
            offered += 1
        return offered
    finally:
        await connection.close()


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
    """A worker that looks what is free and then writes. The first two to have looked wait for each other."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting

    async def offer_next(self, connection: Connection, programme: str, *, hold: UUID, now: datetime) -> UUID | None:
        free = await connection.fetchrow("SELECT id, remaining FROM slot WHERE remaining > 0")
        entry = await connection.fetchrow("SELECT id, person FROM waitlist_entry WHERE state = 'waiting' ORDER BY id")
        if free is None or entry is None:
            return None
        await self._meeting()
        await connection.execute(
            "INSERT INTO hold VALUES ($1, $2, $3, $4, 'offered', $5, $6)",
            hold,
            programme,
            entry["person"],
            free["id"],
            now,
            now + timedelta(minutes=30),
        )
        await connection.execute("UPDATE slot SET remaining = $2 WHERE id = $1", free["id"], free["remaining"] - 1)
        entry_id: UUID = entry["id"]
        return entry_id


async def test_a_worker_that_looks_and_then_writes_offers_what_is_sold_meanwhile(
    guarded: Town, database_url: str
) -> None:
    """The control."""
    slot = await guarded.world.slot()
    await waiting(guarded, 1)
    buyer, meeting = guarded.visitor(2, sub="buyer"), Meeting()
    decision = await buyer.decision()

    async def buy() -> None:
        assert (await buyer.book(slot, decision)).status_code == 201
        await meeting()

    await asyncio.gather(offer(database_url, guarded, LooksThenOffers(meeting)), buy())
    sold, held = await guarded.world.count("appointment"), await guarded.world.count("hold")
    assert (sold, held) == (1, 1), "one place, promised to one and sold to another"
