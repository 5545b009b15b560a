"""A store and two edges, each with its own folder, that can lose their power."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx

from deploy.stores import Valkey, free_port
from edge.app import create_app
from tests.edge_world import Issuer, client, config
from tests.serving import serving


class Machines:
    """The store keeps nothing on disk; ``heal_s``: for how long edges heal a line before they give out places."""

    heal_s = 0.2

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Valkey(folder / "store", free_port())
        self.issuer = Issuer(folder)
        self.edges = AsyncExitStack()

    async def start(self, *, keep: bool = True) -> list[httpx.AsyncClient]:
        """Start the edges; return an operator of each. ``keep``: they have a folder to keep things in."""
        base = config(self.store.url, issuers=(self.issuer.trusted,), heal_s=self.heal_s)
        clients = []
        for number in range(2):
            settings = replace(base, state_dir=self.folder / f"edge{number}" if keep else None)
            address = await self.edges.enter_async_context(serving(create_app(settings)))
            edge = await self.edges.enter_async_context(client(address))
            edge.headers.update(self.issuer.operator())
            clients.append(edge)
        return clients

    async def stop_edges(self) -> None:
        """Stop the edges; they can be started again."""
        await self.edges.aclose()
        self.edges = AsyncExitStack()

    async def lose_the_store(self) -> None:
        """Kill the store; it comes back empty."""
        await asyncio.to_thread(self.store.kill)
        await asyncio.to_thread(self.store.start)


M = TypeVar("M", bound=Machines)


@asynccontextmanager
async def powered(machines: M) -> AsyncIterator[M]:
    """Start the store; stop everything at the end."""
    machines.store.start()
    try:
        yield machines
    finally:
        await machines.edges.aclose()
        machines.store.stop()
