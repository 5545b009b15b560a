"""A starting gun: requests gather behind a lock in the order in which they came, and go on when it is let go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from origin.db.pool import connect
from origin.db.sql import Connection

_LOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@dataclass
class Gun:
    """What somebody has locked."""

    holder: Connection
    watcher: Connection

    async def gathered(self, number: int) -> None:
        """Return when so many wait for a lock."""
        await waiting(self.watcher, number)

    async def fire(self) -> None:
        """Let go of it."""
        await self.holder.execute("ROLLBACK")


async def waiting(watcher: Connection, number: int) -> None:
    """Wait until so many wait for locks."""
    async with asyncio.timeout(5):
        while True:
            if await watcher.fetchval(_LOCKED) >= number:
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def loaded(database_url: str, lock: str, *values: object) -> AsyncIterator[Gun]:
    """Take a lock by a statement; it is let go of at the end at the latest."""
    holder, watcher = await connect(database_url), await connect(database_url)
    try:
        await holder.execute("BEGIN")
        await holder.fetch(lock, *values)
        yield Gun(holder, watcher)
    finally:
        await holder.close()
        await watcher.close()
