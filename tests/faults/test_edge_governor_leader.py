"""Two edges, one governor: the one that acts is killed, or sleeps and wakes up too late."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey, free_port
from shared.keys import encode_key_file
from tests.capacity import StandIn, told
from tests.conftest import ROOT, Serve
from tests.edge_world import ADMISSION_KEYS, TICKET_KEYS, client, metric

EVERY_S = 0.2


@dataclass
class Edge:
    """An edge in a process of its own."""

    process: subprocess.Popen[bytes]
    browser: httpx.AsyncClient

    async def leads(self) -> bool:
        return await metric(self.browser, "governor_leads", room="demo") == 1

    async def why(self) -> str | None:
        why: str | None = (await self.browser.get("/v1/rooms/demo")).json()["why"]
        return why

    async def answers(self) -> bool:
        try:
            return (await self.browser.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            assert self.process.poll() is None, "the edge has ended"
            return False


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 10) -> None:
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def environment(folder: Path, redis_url: str, feed: str) -> dict[str, str]:
    for name, ring in {"tickets": TICKET_KEYS, "admission": ADMISSION_KEYS}.items():
        (folder / f"{name}.json").write_bytes(encode_key_file(ring.current, {ring.current: ring.signing_key}))
    room = {"id": "demo", "name": "Demo", "rate_per_s": 50, "enter_url": "http://127.0.0.1/enter", "capacity_url": feed}
    (folder / "rooms.json").write_bytes(msgspec.json.encode({"rooms": [room]}))
    given = {
        "REDIS_URL": redis_url,
        "ROOMS_FILE": str(folder / "rooms.json"),
        "TICKET_KEYS_FILE": str(folder / "tickets.json"),
        "ADMISSION_KEYS_FILE": str(folder / "admission.json"),
        "EDGE_PUBLIC_URL": "http://127.0.0.1:8080",
        "ORIGIN_PUBLIC_URL": "http://127.0.0.1:8081",
        "ENVIRONMENT": "local",
        "HEAL_S": "0",
        "GOVERN_EVERY_S": str(EVERY_S),
    }
    return dict(os.environ) | {f"VESTIBULE_{name}": value for name, value in given.items()}


def start(port: int, told_to: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "edge"], env=told_to | {"VESTIBULE_EDGE_PORT": str(port)}, cwd=ROOT)


@pytest.fixture
def behind() -> StandIn:
    return StandIn()


@pytest.fixture
async def edges(
    valkey: Redis, valkey_server: Valkey, serve: Serve, tmp_path: Path, behind: StandIn
) -> AsyncIterator[list[Edge]]:
    """Two edges; the first is the one that acts."""
    told_to = environment(tmp_path, valkey_server.url, f"{await serve(behind.app())}/v1/capacity")
    made: list[Edge] = []
    for _ in range(2):
        port = free_port()
        made.append(Edge(start(port, told_to), client(f"http://127.0.0.1:{port}")))
    try:
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
            edge.process.kill()
            edge.process.wait()
            await edge.browser.aclose()


async def test_when_the_edge_that_acts_is_killed_another_takes_over_and_the_room_still_follows(
    edges: list[Edge], behind: StandIn
) -> None:
    acting, standing_by = edges
    assert not await standing_by.leads(), "one at a time"
    acting.process.kill()
    acting.process.wait()
    behind.says = told(frozen=True)

    async def is_frozen() -> bool:
        return await standing_by.why() == "frozen"

    await until(is_frozen)
    assert await standing_by.leads()
    behind.says = told()

    async def goes_on() -> bool:
        return await standing_by.why() is None

    await until(goes_on)


async def test_an_edge_that_ends_in_order_hands_over_at_once(edges: list[Edge]) -> None:
    acting, standing_by = edges
    acting.process.terminate()
    acting.process.wait()
    await until(standing_by.leads, timeout_s=4 * EVERY_S)


async def test_an_edge_that_slept_through_its_lease_changes_nothing_when_it_wakes_up(
    edges: list[Edge], behind: StandIn
) -> None:
    acting, standing_by = edges
    acting.process.send_signal(signal.SIGSTOP)
    try:
        await until(standing_by.leads)
        behind.says = told(frozen=True)

        async def is_frozen() -> bool:
            return await standing_by.why() == "frozen"

        await until(is_frozen)
    finally:
        acting.process.send_signal(signal.SIGCONT)

    async def knows() -> bool:
        return not await acting.leads() and await acting.why() == "frozen"

    await until(knows)
    assert await standing_by.leads()
    asked = behind.asked

    async def ten_more() -> bool:
        assert await standing_by.why() == "frozen"
        return behind.asked > asked + 10

    await until(ten_more)
    assert not await acting.leads()
