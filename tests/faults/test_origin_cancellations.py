"""A worker that is killed while it offers other times: nobody is lost, nobody is offered twice."""

import asyncio
import os
import sys

from tests.origin_world import Origin
from tests.sites_world import Clinic

PEOPLE = 1500
FOUND = 1400


async def fill(origin: Origin, slot: int) -> None:
    """Put everybody into a slot, each under a decision like Ana's."""
    await origin.visitor().decision()
    connection = origin.world.connection
    await connection.execute(
        "INSERT INTO decision SELECT d.* FROM decision ana, generate_series(1, $1) n,"
        " jsonb_populate_record(ana, jsonb_build_object('ref', gen_random_uuid(), 'person', sha256(n::text::bytea))) d",
        PEOPLE,
    )
    await connection.execute(
        "INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at,"
        " changed_at) SELECT gen_random_uuid(), d.programme, d.person, 1, $1, 'confirmed', d.ref, d.ref, d.created_at,"
        " d.created_at FROM decision d ORDER BY d.ref LIMIT $2",
        slot,
        PEOPLE,
    )
    await connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", slot)


async def worker(database_url: str) -> asyncio.subprocess.Process:
    environment = os.environ | {"VESTIBULE_DATABASE_URL": database_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "origin.worker", env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    assert b"worker_started" in await process.stderr.readline()
    return process


async def until(origin: Origin, handled: int) -> int:
    """Wait until so many people were offered a time, or told that there is none; return how many."""
    while True:
        done = await origin.world.count("displaced", "state <> 'waiting'")
        if done >= handled:
            return done


async def agrees(origin: Origin, clinic: Clinic) -> None:
    """Whoever is offered a time has one hold and one word of it; and nobody else has."""
    assert await clinic.books_add_up()
    wrong = await origin.world.count(
        "displaced d JOIN appointment a ON a.id = d.appointment",
        "(SELECT count(*) FROM hold h WHERE h.id = d.hold AND h.person = a.person AND h.slot = d.offered)"
        " <> (d.state = 'offered')::int"
        " OR (SELECT count(*) FROM outbox o WHERE o.appointment = a.id AND o.kind = 'offered')"
        " <> (d.state = 'offered')::int"
        " OR (SELECT count(*) FROM outbox o WHERE o.appointment = a.id AND o.kind = 'cancelled')"
        " <> (d.state = 'none_found')::int"
        " OR (a.status = 'cancelled') <> (d.state = 'none_found')",
    )
    assert wrong == 0
    assert await origin.world.count("hold") == await origin.world.count("displaced", "state = 'offered'")


async def test_a_worker_killed_while_it_offers_loses_nobody_and_offers_nobody_twice(
    origin: Origin, database_url: str
) -> None:
    clinic = Clinic(origin)
    slot = await origin.world.slot(capacity=PEOPLE)
    for hours in (48, 72):
        await origin.world.slot(capacity=FOUND // 2, hours=hours)
    await fill(origin, slot)
    cancellation = await clinic.cancel(slot, PEOPLE)
    handled = 0
    async with asyncio.timeout(120):
        for part in (5, 3):
            process = await worker(database_url)
            await until(origin, handled + PEOPLE // part)
            process.kill()
            await process.wait()
            handled = await origin.world.count("displaced", "state <> 'waiting'")
            assert handled < PEOPLE, "killed too late to prove anything"
            await agrees(origin, clinic)
        process = await worker(database_url)
        await until(origin, PEOPLE)
        process.terminate()
        await process.wait()
    await agrees(origin, clinic)
    assert await clinic.progress(cancellation) == {"offered": FOUND, "none_found": PEOPLE - FOUND}
