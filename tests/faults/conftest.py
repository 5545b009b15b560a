"""What the tests of faults share."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.migrations import migrate
from deploy.stores import Postgres, free_port
from tests.conftest import server_folder


@pytest.fixture
async def server() -> AsyncIterator[Postgres]:
    """A server of this test's own, that writes through to the disk as in production."""
    with server_folder() as folder:
        made = Postgres(folder / "postgres", free_port(), {"fsync": "on"})
        made.start()
        try:
            await asyncio.to_thread(migrate, made.url())
            yield made
        finally:
            made.stop()
