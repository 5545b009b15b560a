"""A site cancels while people book, and many workers and people are at the same offers: over HTTP, on four origins.

Beside them stand the negative controls: the same races, met by somebody who reads and then writes.
"""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx

from origin.db.pool import connect
from origin.db.sql import Connection
from origin.offers.models import State
from origin.offers.store import OfferStore
from tests.origin_world import bearer
from tests.race.meeting import Meeting
from tests.race.town import Town, codes
from tests.sites_world import SITE, STAFF

PEOPLE = 24


async def cancel(town: Town, slot: int) -> httpx.Response:
    """Cancel a slot, however many people are in it: confirm again until nobody has come in between."""
    headers, people = {"Authorization": f"Bearer {bearer('stella', STAFF)}"}, 0
    while True:
        body = {"slot_id": slot, "reason": "snowed in", "confirm": people}
        answer = await town.clients[0].post(f"{SITE}:cancel", json=body, headers=headers)
        if answer.status_code != 409:
            return answer
        people = answer.json()["people"]


async def booked(town: Town, capacity: int = PEOPLE) -> int:
    """A slot that everybody has booked."""
    slot = await town.world.slot(capacity=capacity)
    visitors = [town.visitor(number) for number in range(capacity)]
    decisions = await asyncio.gather(*(each.decision() for each in visitors))
    pairs = zip(visitors, decisions, strict=True)
    assert codes(await asyncio.gather(*(each.book(slot, ref) for each, ref in pairs))) == {"booked": capacity}
    return slot


async def in_silence(town: Town) -> int:
    """How many people stand in a slot that is cancelled, without anybody being after it."""
    return await town.world.count(
        "appointment a JOIN slot s ON s.id = a.slot",
        "s.cancellation IS NOT NULL AND a.status = 'confirmed' AND NOT EXISTS (SELECT FROM displaced d"
        " WHERE d.appointment = a.id)",
    )


async def test_whoever_books_while_a_site_cancels_is_among_its_people_or_refused(guarded: Town) -> None:
    slot = await guarded.world.slot(capacity=PEOPLE)
    visitors = [guarded.visitor(number) for number in range(PEOPLE)]
    decisions = await asyncio.gather(*(each.decision() for each in visitors))
    rush = asyncio.gather(*(each.book(slot, ref) for each, ref in zip(visitors, decisions, strict=True)))
    done = await cancel(guarded, slot)
    active = await guarded.world.count("appointment", "status = 'confirmed'")
    answers = codes(await rush)
    assert done.json()["people"] == active == answers["booked"]
    assert answers["booked"] + answers["slot_gone"] == PEOPLE
    assert await guarded.tell() == [(active, 0, active)]
    assert await in_silence(guarded) == 0


async def test_a_site_that_looks_who_is_in_and_then_cancels_leaves_somebody_in_silence(guarded: Town) -> None:
    """The control."""
    slot = await guarded.world.slot(capacity=2)
    visitor, connection = guarded.visitor(1), guarded.world.connection
    decision = await visitor.decision()
    seen = await connection.fetch("SELECT id FROM appointment WHERE slot = $1", slot)
    assert (await visitor.book(slot, decision)).status_code == 201
    await connection.execute(
        "INSERT INTO site_cancellation SELECT $1, 1, now(), now(), 1, 0, 'r', 'a', now()", cancellation := uuid4()
    )
    await connection.execute("UPDATE slot SET cancellation = $1 WHERE id = $2", cancellation, slot)
    assert seen == []
    assert await in_silence(guarded) == 1


async def work(url: str, town: Town, store: OfferStore) -> None:
    """One worker: all that was due when it looked."""
    connection = await connect(url)
    try:
        now = town.world.clock.now()
        for displaced in await store.due(connection, now=now, at_most=PEOPLE):
            await store.advance(connection, displaced, hold=uuid4(), now=now)
    finally:
        await connection.close()


async def offers_made(town: Town) -> Counter[int]:
    """How many people were told of how many offers."""
    rows = await town.world.connection.fetch(
        "SELECT count(*) AS times FROM outbox WHERE kind = 'offered' GROUP BY appointment"
    )
    return Counter(row["times"] for row in rows)


async def test_many_workers_at_once_offer_each_person_one_place(guarded: Town, database_url: str) -> None:
    slot = await booked(guarded)
    await guarded.world.slot(capacity=2 * PEOPLE, hours=72)
    await cancel(guarded, slot)
    await asyncio.gather(*(work(database_url, guarded, OfferStore()) for _ in range(4)))
    assert await offers_made(guarded) == {1: PEOPLE}
    assert await guarded.world.count("hold", "kind = 'offered'") == PEOPLE
    assert [row[:2] for row in await guarded.tell()] == [(PEOPLE, 0), (2 * PEOPLE, PEOPLE)]


class LooksThenOffers(OfferStore):
    """A worker that looks whether something is due and then does it. The first two to look wait for each other."""

    def __init__(self) -> None:
        self._meeting = Meeting()

    async def advance(self, connection: Connection, displaced: UUID, *, hold: UUID, now: datetime) -> State | None:
        state: str = await connection.fetchval("SELECT state FROM displaced WHERE id = $1", displaced)
        if state != "waiting":
            return None
        await self._meeting()
        await connection.fetchval("SELECT offer_place($1, $2, NULL, $3)", displaced, hold, now)
        return "offered"


async def test_workers_that_look_and_then_offer_promise_somebody_two_places(guarded: Town, database_url: str) -> None:
    """The control."""
    slot = await booked(guarded, 1)
    await guarded.world.slot(hours=72)
    await guarded.world.slot(hours=73)
    await cancel(guarded, slot)
    naive = LooksThenOffers()
    await asyncio.gather(*(work(database_url, guarded, naive) for _ in range(2)))
    assert await offers_made(guarded) == {2: 1}


async def test_at_the_deadline_everybody_is_either_moved_or_cancelled(guarded: Town, database_url: str) -> None:
    slot = await booked(guarded)
    await guarded.world.slot(capacity=PEOPLE, hours=80)
    await cancel(guarded, slot)
    await work(database_url, guarded, OfferStore())
    offers = []
    for number in range(PEOPLE):
        visitor = guarded.visitor(number)
        offers.append((visitor, (await visitor.client.get("/v1/offers", headers=visitor.headers)).json()["offers"][0]))
    guarded.world.clock.advance(timedelta(hours=48).total_seconds() - 1)

    async def accept(number: int) -> str:
        visitor, offer = offers[number]
        body = {"slot_id": offer["slot"]["id"]}
        answer = await visitor.client.post(f"/v1/offers/{offer['id']}:accept", json=body, headers=visitor.headers)
        return str(answer.json().get("state") or answer.json()["code"])

    async def lapse() -> None:
        guarded.world.clock.advance(1)
        await work(database_url, guarded, OfferStore())

    halves = await asyncio.gather(
        asyncio.gather(*(accept(number) for number in range(PEOPLE // 2))),
        lapse(),
        asyncio.gather(*(accept(number) for number in range(PEOPLE // 2, PEOPLE))),
    )
    said = Counter([*halves[0], *halves[2]])
    await work(database_url, guarded, OfferStore())
    assert set(said) <= {"accepted", "offer_over"}
    assert await guarded.world.count("displaced", "state = 'accepted'") == said["accepted"]
    assert await guarded.world.count("displaced", "state = 'lapsed'") == PEOPLE - said["accepted"]
    assert await guarded.world.count("appointment", "status = 'confirmed'") == said["accepted"]
    assert await guarded.world.count("hold") == 0
    assert [(row[1], row[2]) for row in await guarded.tell()] == [(0, 0), (PEOPLE - said["accepted"], said["accepted"])]
