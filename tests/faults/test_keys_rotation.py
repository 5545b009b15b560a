"""Keys are changed in the middle of traffic: two edges and an origin, each looking at the files in its own time."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from deploy.keys import SAFE_AGE_S, KeyFile
from deploy.stores import Valkey
from edge.app import create_app as create_edge
from origin.app import create_app as create_origin
from shared.clock import SystemClock
from shared.ids import SystemIds
from shared.keys import KeyRing, encode_key_file
from tests import edge_world, origin_world
from tests.serving import Serve

ROOM = edge_world.plan(rate_per_s=5000.0, burst=1000, limits={"joins": None, "acts": None, "waits": None})
RINGS = ("tickets", "admission", "origin")


class Street:
    """Two edges and an origin on key files in a folder, and visitors who go all the way again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.edges: list[httpx.AsyncClient] = []
        self.origin = httpx.AsyncClient()
        self.tickets: list[str] = []
        self.tokens: list[str] = []
        self.sessions: list[str] = []
        self.refused: list[str] = []
        self.went_through = 0

    def key_file(self, ring: str) -> KeyFile:
        return KeyFile(self.folder / f"{ring}.json", SystemClock(), SystemIds())

    async def live(self, stop: asyncio.Event) -> None:
        await asyncio.gather(*(self._walk(stop, number) for number in range(3)))

    async def _walk(self, stop: asyncio.Event, number: int) -> None:
        turns = itertools.cycle(self.edges if number % 2 else self.edges[::-1])
        while not stop.is_set():
            joined = await next(turns).post("/v1/rooms/demo/tickets", headers={"Cookie": ""})
            ticket = joined.json()["ticket"]
            self.tickets.append(ticket)
            for old in (self.tickets[0], ticket):  # at the other edge; those of the beginning stay good
                await self.ask(next(turns), "GET", "/v1/rooms/demo/tickets/me", Authorization=f"Ticket {old}")
            claimed = await self.ask(next(turns), "POST", "/v1/rooms/demo/admissions", Authorization=f"Ticket {ticket}")
            if claimed is not None and claimed.status_code == 201:
                self.tokens.append(claimed.json()["token"])
                await self.enter(self.tokens[-1])

    async def enter(self, token: str) -> None:
        entered = await self.origin.post("/v1/admission:exchange", json={"token": token}, headers={"Cookie": ""})
        if entered.status_code != 200:
            self.refused.append(entered.json()["code"])
            return
        self.went_through += 1
        self.sessions.append(entered.headers["set-cookie"].partition(";")[0])
        for session in (self.sessions[0], self.sessions[-1]):
            await self.ask(self.origin, "GET", "/v1/slots?lat=40.4&lng=-3.7&radius_km=5", Cookie=session)

    async def ask(self, client: httpx.AsyncClient, method: str, url: str, **headers: str) -> httpx.Response | None:
        answer = await client.request(method, url, headers={"Cookie": ""} | headers)
        if answer.status_code not in {401, 403}:
            assert answer.status_code in {200, 201, 409, 429}, answer.text
            return answer
        self.refused.append(answer.json()["code"])
        return None


@pytest.fixture
async def street(
    valkey: Redis, valkey_server: Valkey, database_url: str, tmp_path: Path, serve: Serve
) -> AsyncIterator[Street]:
    street = Street(tmp_path)
    origin_config = origin_world.config(tmp_path, database_url)  # writes admission.json and origin.json
    ring = edge_world.TICKET_KEYS
    (tmp_path / "tickets.json").write_bytes(encode_key_file(ring.current, {ring.current: ring.signing_key}))
    base = edge_world.config(valkey_server.url, ROOM)
    async with origin_world.world(database_url):
        street.origin = edge_world.client(await serve(create_origin(origin_config)))
        for _ in range(2):
            tickets, admission = (KeyRing.load(tmp_path / f"{name}.json") for name in ("tickets", "admission"))
            own = replace(base, ticket_keys=tickets, admission_keys=admission)
            street.edges.append(edge_world.client(await serve(create_edge(own))))
        yield street
        for client in (street.origin, *street.edges):
            await client.aclose()


def kid(signed: str) -> str:
    body = signed.partition("=")[2] if signed.startswith("vestibule_") else signed
    payload = body.partition(".")[0]
    named: str = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["kid"]
    return named


async def test_a_rotation_of_every_ring_in_the_middle_of_traffic_refuses_nobody(street: Street) -> None:
    stop = asyncio.Event()
    traffic = asyncio.create_task(street.live(stop))
    rotations = [asyncio.to_thread(street.key_file(ring).rotate, SAFE_AGE_S, None) for ring in RINGS]
    changed = dict(zip(RINGS, await asyncio.gather(*rotations), strict=True))
    before = len(street.tickets), len(street.sessions)
    new_ticket, new_session = changed["tickets"][0], changed["origin"][0]
    async with asyncio.timeout(10):
        while not (
            new_ticket in map(kid, street.tickets[before[0] :])
            and new_session in map(kid, street.sessions[before[1] :])
        ):
            await street.ask(street.edges[0], "GET", "/v1/rooms/demo")
    stop.set()
    await traffic
    assert street.refused == []
    assert street.went_through > 50

    old_ticket = street.tickets[0]
    assert kid(old_ticket) == changed["tickets"][1]
    await asyncio.to_thread(street.key_file("tickets").retire, changed["tickets"][1])
    async with asyncio.timeout(5):
        while not street.refused:
            await street.ask(street.edges[0], "GET", "/v1/rooms/demo/tickets/me", Authorization=f"Ticket {old_ticket}")
    assert street.refused == ["ticket_unknown_key"], "a retired key opens nothing any more"


@pytest.mark.parametrize("ring", ["tickets", "admission"])
async def test_keys_that_are_swapped_without_overlap_refuse_people(street: Street, ring: str) -> None:
    stop = asyncio.Event()
    traffic = asyncio.create_task(street.live(stop))
    async with asyncio.timeout(10):
        while street.went_through < 5:
            await street.ask(street.edges[0], "GET", "/v1/rooms/demo")
        swapped = street.folder / "swapped"
        swapped.write_bytes(encode_key_file("b", {"b": b"another-key-for-tests-of-32bytes"}))
        swapped.replace(street.folder / f"{ring}.json")
        while not street.refused:  # those who are on their way in just then, or come in with what they got before
            await street.enter(street.tokens[0])
    stop.set()
    await traffic
    assert set(street.refused) <= {"ticket_unknown_key", "admission_unknown_key"}
