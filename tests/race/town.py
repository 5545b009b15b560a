"""Four origins that share a database, and people who talk to any of them."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from origin.app import create_app
from origin.booking.store import BookingStore
from tests import origin_world
from tests.origin_world import Visitor, World, admission
from tests.serving import serving

ORIGINS = 4


@dataclass
class Town:
    """One programme behind several origins."""

    world: World
    clients: list[httpx.AsyncClient]

    def visitor(self, number: int, *, sub: str | None = None, token: str | None = None) -> Visitor:
        """Somebody who talks to one of the origins."""
        client = self.clients[number % len(self.clients)]
        return Visitor(client, sub or f"person-{number}", token or admission())

    async def tell(self) -> list[tuple[int, int, int]]:
        """For each slot: its capacity, what remains, and how many hold it."""
        rows = await self.world.connection.fetch(
            "SELECT capacity, remaining, (SELECT count(*) FROM appointment a WHERE a.slot = slot.id"
            " AND a.status = 'confirmed') AS active FROM slot ORDER BY id"
        )
        return [(row["capacity"], row["remaining"], row["active"]) for row in rows]


@asynccontextmanager
async def town(database_url: str, folder: Path, store: BookingStore | None = None) -> AsyncIterator[Town]:
    """Serve the demo programme from several origins; ``store``: what they book with, in place of theirs."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(origin_world.world(database_url))
        clients = []
        for _ in range(ORIGINS):
            app = create_app(origin_world.config(folder, database_url), clock=world.clock, store=store)
            base = await stack.enter_async_context(serving(app))
            clients.append(await stack.enter_async_context(origin_world.client(base)))
        yield Town(world, clients)


def codes(answers: Sequence[httpx.Response]) -> Counter[str]:
    """How often each answer was given."""
    return Counter("booked" if each.status_code == 201 else str(each.json()["code"]) for each in answers)
