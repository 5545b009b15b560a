"""A site opens a slot again while its people answer and others book: over HTTP, on four origins.

Beside it stands the negative control: somebody who reads what is in the slot and then writes what remains.
"""

import asyncio
from collections import Counter

import httpx

from origin.booking.reconcile import faulty_slots
from origin.db.pool import connect
from origin.offers.store import OfferStore
from tests.origin_world import Visitor, bearer
from tests.race.meeting import Meeting
from tests.race.test_origin_cancellations import PEOPLE, booked, cancel, work
from tests.race.town import Town
from tests.sites_world import SITE, STAFF

HEADERS = {"Authorization": f"Bearer {bearer('stella', STAFF)}"}


async def reopen(town: Town, client: httpx.AsyncClient, slot: int) -> Counter[str]:
    """Press again until the slot is open, by whomever; count the answers."""
    said: Counter[str] = Counter()
    async with asyncio.timeout(30):
        while said["opened"] + said["nothing_to_reopen"] == 0:
            answer = await client.post(f"{SITE}:reopen", json={"slot_id": slot, "reason": "it works"}, headers=HEADERS)
            if answer.status_code == 201:
                said["opened"] += 1
                assert await town.world.count("displaced", "state IN ('waiting', 'offered')") == 0
            else:
                said[answer.json()["code"]] += 1
    return said


async def test_it_opens_once_behind_the_last_answer_and_is_sold_exactly(guarded: Town, database_url: str) -> None:
    """B1: who accepts leaves the cancelled slot while it is opened and while others want it."""
    slot = await booked(guarded)
    near = await guarded.world.slot(capacity=PEOPLE, hours=80)
    await cancel(guarded, slot)
    newcomers = [guarded.visitor(100 + number) for number in range(PEOPLE + 6)]
    decisions = await asyncio.gather(*(each.decision() for each in newcomers))
    is_open = asyncio.Event()

    async def answer(number: int) -> str:
        visitor = guarded.visitor(number)
        offers: list[dict[str, str]] = []
        while not offers or offers[0]["state"] != "offered":
            asked = await visitor.client.get("/v1/offers", headers=visitor.headers)
            offers = asked.json()["offers"]
        body = {"slot_id": near}
        path = f"/v1/offers/{offers[0]['id']}:{'accept' if number % 3 else 'decline'}"
        return str((await visitor.client.post(path, json=body, headers=visitor.headers)).json()["state"])

    async def book(visitor: Visitor, decision: str) -> str:
        while True:
            last = is_open.is_set()
            answer = await visitor.book(slot, decision)
            if last or answer.status_code == 201:
                return "booked" if answer.status_code == 201 else str(answer.json()["code"])

    async def press() -> Counter[str]:
        said = await asyncio.gather(*(reopen(guarded, client, slot) for client in guarded.clients))
        is_open.set()
        return sum(said, Counter())

    pressed, answers, sold, _ = await asyncio.gather(
        press(),
        asyncio.gather(*(answer(number) for number in range(PEOPLE))),
        asyncio.gather(*(book(*each) for each in zip(newcomers, decisions, strict=True))),
        work(database_url, guarded, OfferStore()),
    )
    assert (pressed["opened"], pressed["nothing_to_reopen"]) == (1, len(guarded.clients) - 1)
    assert pressed["cancellation_runs"] > 0
    assert Counter(answers) == {"accepted": PEOPLE - PEOPLE // 3, "declined": PEOPLE // 3}
    assert Counter(sold) == {"booked": PEOPLE, "slot_gone": 6}
    assert await guarded.tell() == [(PEOPLE, 0, PEOPLE), (PEOPLE, PEOPLE // 3, PEOPLE - PEOPLE // 3)]
    assert await faulty_slots(guarded.world.connection) == []


async def test_two_who_read_what_is_in_it_and_then_write_sell_a_place_twice(guarded: Town, database_url: str) -> None:
    """The control."""
    slot = await guarded.world.slot(capacity=2)
    await cancel(guarded, slot)
    visitor = guarded.visitor(1)
    decision, meeting, written = await visitor.decision(), Meeting(), asyncio.Lock()

    async def look_then_write() -> None:
        connection = await connect(database_url)
        try:
            taken = await connection.fetchval(
                "SELECT count(*) FROM appointment WHERE slot = $1 AND status <> 'cancelled'", slot
            )
            await meeting()
            async with written:
                await connection.execute(
                    "UPDATE slot SET cancellation = NULL, capacity = 2, remaining = 2 - $2 WHERE id = $1", slot, taken
                )
                await visitor.book(slot, decision)  # goes through the first time
        finally:
            await connection.close()

    await asyncio.gather(look_then_write(), look_then_write())
    assert await faulty_slots(guarded.world.connection) != []
