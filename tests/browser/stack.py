"""What the browser tests visit: edge, origin and identity provider over real HTTP, on real stores."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
from pydantic import SecretStr

from deploy import identity
from deploy.children import dies_with_parent
from deploy.stores import Valkey, free_port
from edge.app import create_app as create_edge
from edge.config import EdgeConfig
from edge.line.room import RoomPlan
from origin.admin import programmes
from origin.app import create_app as create_origin
from origin.db.pool import connect
from origin.eligibility import versions
from origin.inventory.supply import RegionRow, SiteRow, SlotRow, import_supply
from shared.clock import SystemClock
from tests import edge_world, origin_world
from tests.serving import serving

MADRID = ZoneInfo("Europe/Madrid")
DAYS = 4
_TIMES = [time(hour, minute) for hour in range(9, 14) for minute in (0, 30)]
_SITES = [
    SiteRow(1, "ES-MD", "Centro de Salud Mayor", "Calle Mayor 1", "Madrid", 40.4168, -3.7038, "Europe/Madrid"),
    SiteRow(2, "ES-MD", "Polideportivo Norte", "Avenida de Burgos 2", "Madrid", 40.48, -3.68, "Europe/Madrid", False),
    SiteRow(3, "ES-CM", "Biblioteca", "Calle Real 2", "Toledo", 39.8581, -4.0226, "Europe/Madrid"),
    SiteRow(4, "ES-CN", "Sala del Sol", "Calle del Sol 3", "Las Palmas", 28.0997, -15.4134, "Atlantic/Canary"),
]
_REGIONS = [
    RegionRow("ES-MD", "Comunidad de Madrid"),
    RegionRow("ES-CM", "Castilla-La Mancha"),
    RegionRow("ES-CN", "Canarias"),
]
_people = count()


@dataclass
class Stack:
    """Everything that runs, and levers on it."""

    edge_url: str
    origin_url: str
    identity_url: str
    database_url: str
    valkey: Valkey
    issuer: edge_world.Issuer

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where a page may send requests."""
        return (self.edge_url, self.origin_url, self.identity_url)

    def somebody(self) -> str:
        """Return a name that nobody has used yet."""
        return f"person-{next(_people)}"

    async def operate(self, room: str, act: str) -> None:
        """Pause or resume a room."""
        async with httpx.AsyncClient(base_url=self.edge_url, headers=self.issuer.operator()) as client:
            (await client.post(f"/v1/ops/rooms/{room}:{act}", json={"reason": "a test"})).raise_for_status()

    async def change(self, room: str, **settings: object) -> None:
        """Change a room's settings."""
        async with httpx.AsyncClient(base_url=self.edge_url, headers=self.issuer.operator()) as client:
            (await client.patch(f"/v1/ops/rooms/{room}", json={"reason": "a test", **settings})).raise_for_status()

    async def create(self, room: str, **plan: object) -> None:
        """Create a room that calls hardly anybody."""
        body = {
            "id": room,
            "name": "A new room",
            "rate_per_s": 0.05,
            "burst": 1,
            "enter_url": f"{self.origin_url}/enter",
            "reason": "a test",
        }
        async with httpx.AsyncClient(base_url=self.edge_url, headers=self.issuer.operator()) as client:
            (await client.post("/v1/ops/rooms", json=body | plan)).raise_for_status()

    async def crowd(self, room: str, people: int) -> None:
        """Let people join before us."""
        async with httpx.AsyncClient(base_url=self.edge_url) as client:
            for _ in range(people):
                (await client.post(f"/v1/rooms/{room}/tickets", headers={"Cookie": ""})).raise_for_status()
                client.cookies.clear()

    async def sell_out(self, slot: int) -> None:
        """Let others take every place of a slot."""
        await self.execute("DELETE FROM hold WHERE slot = $1", slot)
        await self.execute("UPDATE slot SET remaining = 0 WHERE id = $1", slot)

    async def count(self, table: str, where: str) -> int:
        """Count rows."""
        connection = await asyncpg.connect(self.database_url)
        try:
            number: int = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {where}")
            return number
        finally:
            await connection.close()

    async def execute(self, statement: str, *values: object) -> None:
        """Change the database directly."""
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def value(self, query: str, *values: object) -> Any:
        """Ask the database directly."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()


def _rooms(origin_url: str) -> list[RoomPlan]:
    base: dict[str, Any] = {
        "enter_url": f"{origin_url}/enter",
        "check_url": f"{origin_url}/check/demo",
        "burst": 10,
    }
    asking: dict[str, Any] = {"challenge": "altcha", "challenge_wait_s": 2, "require_cookie": True}
    return [
        edge_world.plan(id="demo", name="Autumn influenza programme", rate_per_s=50, **base),
        edge_world.plan(id="slow", name="Autumn influenza programme", rate_per_s=0.01, **base | {"burst": 1}),
        edge_world.plan(id="pausing", name="Room that pauses", rate_per_s=0.05, **base | {"burst": 1}),
        edge_world.plan(id="closed", name="Closed room", rate_per_s=1, state="closed", **base),
        edge_world.plan(
            id="asking", name="Room that asks", rate_per_s=1, state="paused", **asking, **base
        ),  # calls nobody
        *_later_rooms(base | {"burst": 1}),
    ]


def _later_rooms(base: dict[str, Any]) -> list[RoomPlan]:
    """Rooms that open long after the tests, one that takes nobody in any more, and one for people with a letter."""
    now = SystemClock().now()
    soon, later = now + timedelta(hours=9, minutes=59), now + timedelta(hours=20)
    name = {"name": "Autumn influenza programme", "rate_per_s": 0.05} | base
    lanes = [{"lane": "general"}, {"lane": "letters", "access": "pass"}]
    return [
        edge_world.plan(id="later", prequeue_at=soon, opens_at=later, **name),
        edge_world.plan(id="drawing", prequeue_at=now, opens_at=later, discipline="lottery", **name),
        edge_world.plan(id="draining", state="draining", **name),
        edge_world.plan(id="letters", lanes=lanes, **name),
    ]


@asynccontextmanager
async def running(folder: Path, database_url: str) -> AsyncIterator[Stack]:
    """Run the stack in this event loop; the identity provider is a process of its own."""
    await _supply(database_url)
    valkey = Valkey(folder / "valkey", free_port())
    valkey.start()
    ports = [free_port() for _ in range(3)]
    edge_url, origin_url, identity_url = (f"http://127.0.0.1:{port}" for port in ports)
    for part in ("edge", "origin"):
        (folder / part).mkdir()
    issuer = edge_world.Issuer(folder / "edge")
    edge = create_edge(
        EdgeConfig(
            redis_url=SecretStr(valkey.url),
            rooms=tuple(_rooms(origin_url)),
            ticket_keys=edge_world.TICKET_KEYS,
            admission_keys=edge_world.ADMISSION_KEYS,
            issuers=(issuer.trusted,),
            edge_public_url=edge_url,
            origin_public_url=origin_url,
            environment="local",
            heal_s=0,
        )
    )
    origin = create_origin(
        origin_world.config(
            folder / "origin",
            database_url,
            oidc_issuer=identity_url,
            oidc_client_id=identity.CLIENT_ID,
            oidc_client_secret=identity.CLIENT_SECRET,
            origin_public_url=origin_url,
            edge_public_url=edge_url,
        )
    )
    with _identity_provider(ports[2]):
        async with serving(edge, ports[0]), serving(origin, ports[1]):
            await _answers(identity_url)
            stack = Stack(edge_url, origin_url, identity_url, database_url, valkey, issuer)
            await stack.crowd("slow", 30)  # so that nobody who comes there is called while the tests last
            yield stack
    valkey.stop()


@contextmanager
def _identity_provider(port: int) -> Any:
    process = subprocess.Popen(
        identity.arguments(port),
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        stderr=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(signal.SIGTERM),
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def _answers(url: str, timeout_s: float = 20) -> None:
    deadline = asyncio.get_running_loop().time() + timeout_s
    async with httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(url)
            except httpx.TransportError:
                assert asyncio.get_running_loop().time() < deadline, "the identity provider does not start"
                await asyncio.sleep(0.05)
            else:
                return


async def _supply(database_url: str) -> None:
    connection = await connect(database_url)
    now = SystemClock().now()
    await programmes.create(connection, "demo", name="Autumn influenza programme", room="demo")
    cases = versions.DEMO_CASES.read_bytes()
    await versions.publish(connection, "demo", versions.DEMO.read_bytes(), now, cases=cases)
    first = (now.astimezone(MADRID) + timedelta(days=1)).date()
    slots = []
    for site in (1, 2, 3, 4):
        for day in range(DAYS):
            for at in _TIMES:
                starts_at = datetime.combine(first + timedelta(days=day), at, MADRID).astimezone(UTC)
                slots.append(SlotRow("demo", site, starts_at, starts_at + timedelta(minutes=30), "140", 20))
    await import_supply(connection, _REGIONS, _SITES, slots)
    await connection.execute("UPDATE programme SET waitlist = true")
    await connection.execute(
        "UPDATE site SET postcode = '45001', accessibility = '{hearing_loop,quiet_room}' WHERE town = 'Toledo'"
    )
    await connection.close()
