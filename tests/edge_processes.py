"""Edges in processes of their own, to be killed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from deploy.stores import free_port
from shared.keys import encode_key_file
from tests.conftest import ROOT
from tests.edge_world import ADMISSION_KEYS, TICKET_KEYS, client, metric


@dataclass
class Edge:
    """An edge in a process of its own; ``leads_as``: the metric that says whether it is the one that acts."""

    process: subprocess.Popen[bytes]
    browser: httpx.AsyncClient
    leads_as: str

    async def leads(self) -> bool:
        return await metric(self.browser, self.leads_as, room="demo") == 1

    async def why(self) -> str | None:
        why: str | None = (await self.browser.get("/v1/rooms/demo")).json()["why"]
        return why

    async def answers(self) -> bool:
        try:
            return (await self.browser.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            assert self.process.poll() is None, "the edge has ended"
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 10) -> None:
    """Wait for a condition, with a deadline."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def environment(folder: Path, redis_url: str, *, every_s: float, **room: object) -> dict[str, str]:
    """The settings of an edge of one room, whose governor and herald act every ``every_s`` seconds."""
    for name, ring in {"tickets": TICKET_KEYS, "admission": ADMISSION_KEYS}.items():
        (folder / f"{name}.json").write_bytes(encode_key_file(ring.current, {ring.current: ring.signing_key}))
    plan = {"id": "demo", "name": "Demo", "rate_per_s": 50, "enter_url": "http://127.0.0.1/enter"} | room
    (folder / "rooms.json").write_bytes(msgspec.json.encode({"rooms": [plan]}))
    given = {
        "REDIS_URL": redis_url,
        "ROOMS_FILE": str(folder / "rooms.json"),
        "TICKET_KEYS_FILE": str(folder / "tickets.json"),
        "ADMISSION_KEYS_FILE": str(folder / "admission.json"),
        "EDGE_PUBLIC_URL": "http://127.0.0.1:8080",
        "ORIGIN_PUBLIC_URL": "http://127.0.0.1:8081",
        "ENVIRONMENT": "local",
        "HEAL_S": "0",
        "GOVERN_EVERY_S": str(every_s),
    }
    return dict(os.environ) | {f"VESTIBULE_{name}": value for name, value in given.items()}


@asynccontextmanager
async def two_edges(told_to: dict[str, str], leads_as: str) -> AsyncIterator[list[Edge]]:
    """Two edges; the first is the one that acts."""
    made: list[Edge] = []
    try:
        for _ in range(2):
            port = free_port()
            made.append(Edge(_start(port, told_to), client(f"http://127.0.0.1:{port}"), leads_as))
        for edge in made:
            await until(edge.answers)

        async def one_leads() -> bool:
            return any([await edge.leads() for edge in made])

        await until(one_leads)
        if await made[1].leads():
            made.reverse()
        yield made
    finally:
        for edge in made:
            edge.kill()
            await edge.browser.aclose()


def _start(port: int, told_to: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "edge"], env=told_to | {"VESTIBULE_EDGE_PORT": str(port)}, cwd=ROOT)
