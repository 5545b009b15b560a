"""Real stores for every test: one PostgreSQL and one Valkey per run, a fresh database or an emptied line per test."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import asyncpg
import pytest
from hypothesis import settings
from redis.asyncio import Redis
from starlette.types import ASGIApp

from deploy.cluster import ValkeyCluster
from deploy.migrations import migrate
from deploy.stores import Postgres, Valkey, free_port
from edge.line.store import connect
from tests import origin_world
from tests.answers_world import Helpers
from tests.databases import Databases
from tests.origin_world import Origin
from tests.rules_world import Officials
from tests.serving import Serve, serving

ROOT = Path(__file__).parent.parent
_TEMPLATE = "vestibule_template"
_IN_MEMORY = Path("/dev/shm")
_ROOM_IN_MEMORY = 4 << 30


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
    """A folder for PostgreSQL's files; in memory where there is room, for a database is copied for most of the tests.

    Not below pytest's own: each run closes that to other users, and as root PostgreSQL runs as another user.
    """
    has_room = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free >= _ROOM_IN_MEMORY
    place = _IN_MEMORY if has_room else None
    with TemporaryDirectory(dir=place, prefix="vestibule-tests-", ignore_cleanup_errors=True) as folder:
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


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve an ASGI app over real HTTP on a free port of 127.0.0.1; returns its base URL."""
    async with AsyncExitStack() as stack:

        async def start(app: ASGIApp) -> str:
            return await stack.enter_async_context(serving(app))

        yield start


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    """An origin of the demo programme, on a fresh database, over HTTP."""
    async with origin_world.origin(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def officials(origin: Origin) -> Officials:
    """Those who publish its rules and freeze it."""
    return Officials(origin.client)


@pytest.fixture
def helpers(origin: Origin) -> Helpers:
    """Those who help its visitors."""
    return Helpers(origin.client)
