"""A booking that has passed every check, and something that is to be over for bookings once it has returned.

The booking is caught in the act: it waits for a slot that somebody holds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import httpx

from origin.db.pool import connect
from tests.origin_world import Visitor
from tests.race.town import Town

_LOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@asynccontextmanager
async def held_slot(database_url: str, slot: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A slot that somebody holds: whoever books it has looked at everything, and waits. Gives what lets go of it."""
    holder = await connect(database_url)
    try:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("SELECT FROM slot WHERE id = $1 FOR UPDATE", slot)
        yield transaction.commit
    finally:
        await holder.close()


async def waiting(town: Town, number: int) -> None:
    """Wait until so many wait for locks."""
    async with asyncio.timeout(5):
        while True:
            if await town.world.connection.fetchval(_LOCKED) >= number:
                return
            await asyncio.sleep(0.005)


async def appointments_after(
    town: Town,
    database_url: str,
    asked: tuple[Visitor, str],
    change: Callable[[], Awaitable[object]],
    *,
    waits: bool,
) -> tuple[int, int]:
    """How many appointments there were when ``change`` had returned, and how many there are in the end.

    ``asked`` books with a decision, and has passed every check when ``change`` begins. ``waits``: ``change`` is to wait
    for the booking, which goes on only then; otherwise it goes on when ``change`` has returned.
    """
    visitor, decision = asked
    slot = await town.world.slot(capacity=5)
    async with held_slot(database_url, slot) as let_go:
        booking = asyncio.create_task(visitor.book(slot, decision))
        await waiting(town, 1)
        changing = asyncio.ensure_future(change())
        if waits:
            await waiting(town, 2)
            assert not changing.done()
            await let_go()
            await changing
            there = await town.world.count("appointment")
        else:
            await changing
            there = await town.world.count("appointment")
            await let_go()
        with suppress(httpx.HTTPError):
            await booking
    return there, await town.world.count("appointment")
