"""An edge for tests of the visitors' JSON, somebody who visits it, and a site of the origin."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from tests import origin_world
from tests.bringing_world import Bringer
from tests.edge_visiting import CALLED, WAITING
from tests.edge_world import client, config, plan
from tests.origin_world import Origin
from tests.serving import Serve
from tests.sites_world import Clinic
from tests.supply_world import Desk


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve) -> str:
    """An edge with a room that calls everybody, one that calls nobody, and a closed one."""
    rooms = [
        plan(**CALLED),
        plan(id="slow", **WAITING),
        plan(id="shut", state="closed"),
        plan(id="strict", rate_per_s=0.01, burst=1),
    ]
    return await serve(create_app(config(valkey_server.url, *rooms)))


@pytest.fixture
async def visitor(base: str) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of that edge."""
    async with client(base) as browser:
        yield browser


@pytest.fixture
def clinic(origin: Origin) -> Clinic:
    """A site with people in it."""
    return Clinic(origin)


@pytest.fixture
async def bringer(database_url: str, tmp_path: Path) -> AsyncIterator[Bringer]:
    """Somebody who brings supply."""
    async with origin_world.origin(database_url, tmp_path) as origin:
        yield Bringer(origin, database_url, Desk(origin.world, tmp_path))
