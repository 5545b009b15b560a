"""A booking that has passed every check, and something that is to be over for bookings once it has returned.

The booking is caught in the act: it waits for a slot that somebody holds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx

from tests.origin_world import Visitor
from tests.race.gun import loaded
from tests.race.town import Town


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
    async with loaded(database_url, "SELECT FROM slot WHERE id = $1 FOR UPDATE", slot) as gun:
        booking = asyncio.create_task(visitor.book(slot, decision))
        await gun.gathered(1)
        changing = asyncio.ensure_future(change())
        if waits:
            await gun.gathered(2)
            assert not changing.done()
            await gun.fire()
            await changing
            there = await town.world.count("appointment")
        else:
            await changing
            there = await town.world.count("appointment")
            await gun.fire()
        with suppress(httpx.HTTPError):
            await booking
    return there, await town.world.count("appointment")
