"""A database that dies: what was confirmed is there, what was not has cost nothing, and everybody goes on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from deploy.stores import Postgres
from origin.booking.store import BookingStore
from origin.chores import Chore, do_all
from origin.db.pool import connect
from origin.sweeping import Sweeper
from tests import origin_world
from tests.faults.durable import durable_server
from tests.origin_world import Origin, Visitor

PEOPLE = 60
KILLED_BEHIND = 20


@pytest.fixture
async def server() -> AsyncIterator[Postgres]:
    async with durable_server() as made:
        yield made


@pytest.fixture
async def origin(server: Postgres, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(server.url(), tmp_path, pool_wait_s=1) as made:
        yield made


async def restart(server: Postgres) -> None:
    await asyncio.to_thread(server.start)


def refused(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 503 and answer.json()["code"] == "store_unavailable" and "retry-after" in answer.headers
    )


async def test_every_confirmation_outlives_a_killed_database(server: Postgres, origin: Origin) -> None:
    """B3: kill -9 right behind the answers, in the middle of a rush. Then the same keys finish the job (B4, B7)."""
    slots = [await origin.world.slot(capacity=PEOPLE, hours=24 + number) for number in range(3)]
    visitors = [origin.visitor(f"person-{number}") for number in range(PEOPLE)]
    decisions = [await each.decision() for each in visitors]
    confirmed: dict[int, dict[str, object]] = {}

    async def book(number: int) -> httpx.Response:
        answer = await visitors[number].book(slots[number % 3], decisions[number], key=f"key-{number}")
        if answer.status_code == 201:
            confirmed[number] = answer.json()
            if len(confirmed) == KILLED_BEHIND:
                server.kill()
        return answer

    queue = iter(range(PEOPLE))
    answers: list[httpx.Response] = []

    async def counter() -> None:
        answers.extend([await book(number) for number in queue])

    await asyncio.gather(*(counter() for _ in range(8)))
    assert KILLED_BEHIND <= len(confirmed) < PEOPLE
    assert all(refused(answer) for answer in answers if answer.status_code != 201)

    await restart(server)
    connection = await connect(server.url())
    try:
        rows = await connection.fetch("SELECT id FROM appointment WHERE status = 'confirmed'")
        assert {UUID(str(each["id"])) for each in confirmed.values()} <= {row["id"] for row in rows}
        for number in range(PEOPLE):
            again = await visitors[number].book(slots[number % 3], decisions[number], key=f"key-{number}")
            assert again.status_code == 201
            assert again.json() == confirmed.get(number, again.json())
        assert await connection.fetchval("SELECT count(*) FROM appointment") == PEOPLE
        assert await connection.fetchval("SELECT count(*) FROM slot WHERE remaining <> capacity - 20") == 0
        for table, kind in (("audit_event", "booked"), ("outbox", "booked")):
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE kind = $1", kind) == PEOPLE
    finally:
        await connection.close()


class ForgetsToCommit(BookingStore):
    """Answers and rolls back, as a store does that answers before its commit and then dies."""

    async def book(self, connection, attempts):  # type: ignore[no-untyped-def]  # only for the control below
        transaction = connection.transaction()
        await transaction.start()
        try:
            return await super().book(connection, attempts)
        finally:
            await transaction.rollback()


async def test_an_answer_before_the_commit_would_be_found_out(server: Postgres, tmp_path: Path) -> None:
    async with origin_world.origin(server.url(), tmp_path, store=ForgetsToCommit()) as origin:
        slot, ana = await origin.world.slot(), origin.visitor()
        assert (await ana.book(slot, await ana.decision())).status_code == 201
        assert await origin.world.count("appointment") == 0


async def test_while_the_database_is_away_every_call_says_come_back_and_spends_nothing(
    server: Postgres, origin: Origin
) -> None:
    """B7: admission, key and decision are as good as before."""
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    server.kill()
    calls = await calls_of(ana, slot, decision)
    assert [refused(answer) for answer in calls] == [True] * len(calls)
    assert (await origin.client.get("/healthz")).status_code == 200
    await restart(server)
    assert (await origin.client.get("/readyz")).status_code == 200
    assert (await ana.book(slot, decision, key="k1")).status_code == 201
    assert origin.metric("http_requests_total", method="POST", status="500") == 0


async def test_booking_time_is_extended_while_the_database_is_away(server: Postgres, origin: Origin) -> None:
    """That is when people need it; what an admission books is decided at the booking."""
    ana = origin.visitor()
    await origin.client.post("/v1/admission:exchange", json={"token": ana.token})
    server.kill()
    extended = await origin.client.post("/v1/admission:extend")
    assert (extended.status_code, extended.json()["expires_at"]) == (200, "2027-03-01T10:00:00Z")
    await restart(server)


async def calls_of(visitor: Visitor, slot: int, decision: str) -> list[httpx.Response]:
    client, headers = visitor.client, visitor.headers
    return [
        await visitor.book(slot, decision, key="k1"),
        await visitor.evaluate(),
        await client.get("/v1/slots", params={"lat": 40, "lng": -3}, headers=headers),
        await client.get("/v1/appointments/7b0c1fd6-94e4-4f5d-8dd8-6b6a6a8a4a11", headers=headers),
        await client.delete("/v1/appointments/7b0c1fd6-94e4-4f5d-8dd8-6b6a6a8a4a11", headers=headers),
        await client.get("/readyz"),
    ]


async def test_the_worker_waits_for_a_database_that_is_away(server: Postgres, origin: Origin) -> None:
    ana = origin.visitor()
    await ana.decision()
    origin.world.clock.advance(25 * 3600)
    chore = Chore("facts_erased", Sweeper(origin.state.database, origin.world.clock).erase_facts, every_s=0.05)
    server.kill()
    stop = asyncio.Event()
    working = asyncio.create_task(do_all([chore], stop))
    await restart(server)
    connection = await connect(server.url())
    try:
        async with asyncio.timeout(10):
            while await connection.fetchval("SELECT count(*) FROM decision WHERE facts_sealed IS NOT NULL"):
                await asyncio.wait({working}, timeout=0.02)
                assert not working.done()
    finally:
        await connection.close()
    stop.set()
    await working


async def test_a_killed_database_leaves_each_moved_appointment_in_one_place(server: Postgres, origin: Origin) -> None:
    """B3, B5: kill -9 in the middle of a rush of moves; each is where its answer says, or old or new, never both."""
    old, new = await origin.world.slot(capacity=PEOPLE), await origin.world.slot(capacity=PEOPLE, hours=48)
    visitors = [origin.visitor(f"person-{number}") for number in range(PEOPLE)]
    theirs = [await each.book(old, await each.decision()) for each in visitors]
    moved: dict[int, httpx.Response] = {}

    async def move(number: int) -> httpx.Response:
        answer = await visitors[number].move(theirs[number], new, key=f"move-{number}")
        if answer.status_code == 200:
            moved[number] = answer
            if len(moved) == KILLED_BEHIND:
                server.kill()
        return answer

    queue = iter(range(PEOPLE))
    answers: list[httpx.Response] = []

    async def mover() -> None:
        answers.extend([await move(number) for number in queue])

    await asyncio.gather(*(mover() for _ in range(8)))
    assert KILLED_BEHIND <= len(moved) < PEOPLE
    assert all(refused(answer) for answer in answers if answer.status_code != 200)

    await restart(server)
    async with origin_world.reopened(server.url(), origin.world.clock) as world:
        assert await world.unbalanced() == []
        assert await world.count("appointment", "status = 'confirmed'") == PEOPLE
        for number, answer in moved.items():
            seen = await origin.client.get(theirs[number].headers["location"], headers=visitors[number].headers)
            assert (seen.json(), seen.json()["slot"]["id"]) == (answer.json(), new)
        for number in range(PEOPLE):
            again = await visitors[number].move(theirs[number], new, key=f"move-{number}")
            assert again.status_code == 200
            assert again.json() == moved.get(number, again).json()
        assert await world.unbalanced() == []
        assert await world.count("appointment", f"slot = {new} AND moves = 1") == PEOPLE
        assert await world.count("outbox", "kind = 'moved'") == PEOPLE
