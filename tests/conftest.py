"""Real stores for every test: one PostgreSQL and one Valkey per run, a fresh database or an emptied line per test."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import cast

import asyncpg
import pytest
import uvicorn
from hypothesis import settings
from redis.asyncio import Redis
from starlette.types import ASGIApp

from deploy.cluster import ValkeyCluster
from deploy.migrations import migrate
from deploy.stores import Postgres, Valkey, free_port
from edge.line.store import connect
from tests.databases import Databases

ROOT = Path(__file__).parent.parent
_TEMPLATE = "vestibule_template"


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("PYTHONWARNINGS", "")
    settings.register_profile("vestibule", deadline=None)  # a busy machine proves nothing wrong
    settings.load_profile("vestibule")


ON_SINGLE_AND_CLUSTER = pytest.mark.parametrize("valkey_server", ["single", "cluster"], indirect=True)
"""As a module's ``pytestmark``: each of its tests is run on one Valkey, and on a cluster of three."""


@pytest.fixture(scope="session")
def valkey_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Valkey | ValkeyCluster]:
    """A Valkey that keeps nothing on disk, shared by the run; or a cluster of them."""
    folder = tmp_path_factory.mktemp("valkey")
    is_cluster = getattr(request, "param", "single") == "cluster"
    server = ValkeyCluster(folder) if is_cluster else Valkey(folder, free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def valkey(valkey_server: Valkey | ValkeyCluster) -> AsyncIterator[Redis]:
    """A client of an empty Valkey; a cluster's has the same commands."""
    async with aclosing(connect(valkey_server.url)) as client:
        await client.flushall()
        yield cast("Redis", client)


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for PostgreSQL's files.

    Not below pytest's own: each run closes that to other users, and as root PostgreSQL runs as another user.
    """
    with TemporaryDirectory(prefix="vestibule-tests-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server shared by the run, its template database migrated once."""
    options = {"fsync": "off", "shared_buffers": "256MB", "max_connections": "200"}
    with server_folder() as folder:
        server = Postgres(folder / "data", free_port(), options)
        server.start()
        try:
            migrate(server.url(_TEMPLATE))
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres) -> Iterator[Databases]:
    """Databases of the run, one for each test that wants one."""
    made = Databases(postgres_server, _TEMPLATE)
    yield made
    made.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of a fresh, migrated, empty database, dropped afterwards."""
    url = databases.take()
    yield url
    databases.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a fresh, migrated, empty database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


Serve = Callable[[ASGIApp], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve an ASGI app over real HTTP on a free port of 127.0.0.1; returns its base URL."""
    async with AsyncExitStack() as stack:

        async def start(app: ASGIApp) -> str:
            return await stack.enter_async_context(serving(app))

        yield start


class _Server(uvicorn.Server):
    """Ends at once when it is told; the library looks ten times a second, and then waits for a tenth of one."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def leave(self) -> None:
        """End."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        ticks = count()
        while not await self.on_tick(next(ticks)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(3):  # turns of the event loop, in which idle connections learn that they are closed
            await asyncio.sleep(0)
        await self._wait_tasks_to_complete()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Run uvicorn in this event loop."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="on", proxy_headers=False
    )
    server = _Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test runner owns the signals
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
            raise RuntimeError("the app did not start")
        await asyncio.sleep(0.005)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.leave()
        await task
