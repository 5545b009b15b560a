"""A database server of a test's own, to be killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.migrations import migrate
from deploy.stores import Postgres, free_port
from tests.conftest import server_folder


@asynccontextmanager
async def durable_server() -> AsyncIterator[Postgres]:
    """Run a migrated server that writes through to the disk, as in production."""
    with server_folder() as folder:
        made = Postgres(folder / "postgres", free_port(), {"fsync": "on"})
        made.start()
        try:
            await asyncio.to_thread(migrate, made.url())
            yield made
        finally:
            made.stop()
