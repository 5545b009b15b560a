"""A lottery as visitors see it, over HTTP on two edges: committed to, entered, drawn at its time, and checked."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.line import lottery
from tests.edge_processes import until
from tests.edge_world import Issuer, client, config, plan
from tests.serving import Serve

OPENS_IN_S = 3.0
ENTRIES = 24


@pytest.fixture
async def edges(
    valkey: Redis, valkey_server: Valkey, serve: Serve, tmp_path: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient, dict[str, str]]]:
    """Two edges of one room that is about to open, and an operator's headers."""
    seconds, micros = await valkey.time()
    now = datetime.fromtimestamp(seconds + micros / 1e6, UTC)
    times = {"prequeue_at": now - timedelta(minutes=1), "opens_at": now + timedelta(seconds=OPENS_IN_S)}
    room = plan(discipline="lottery", rate_per_s=2000.0, burst=1000, **times)
    issuer = Issuer(tmp_path)
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(
                client(await serve(create_app(config(valkey_server.url, room, issuers=(issuer.trusted,)))))
            )
            for _ in range(2)
        ]
        yield one, two, issuer.operator()


async def lottery_of(edge: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await edge.get("/v1/rooms/demo")).json()["lottery"]
    return told


async def enter(edge: httpx.AsyncClient) -> dict[str, Any]:
    edge.cookies.clear()
    response = await edge.post("/v1/rooms/demo/tickets")
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def ticket(joined: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Ticket {joined['ticket']}", "Cookie": ""}


async def test_a_lottery_is_committed_to_before_it_is_entered_and_can_be_checked_after_it_is_drawn(
    edges: tuple[httpx.AsyncClient, httpx.AsyncClient, dict[str, str]],
    valkey: Redis,
    capfd: pytest.CaptureFixture[str],
) -> None:
    one, two, operator = edges
    before = await lottery_of(one)
    assert (before["seed"], before["entries"]) == (None, None)
    entries = [await enter(edge) for _ in range(ENTRIES // 2) for edge in (one, two)]
    assert [joined["entry"] for joined in entries] == list(range(1, ENTRIES + 1))
    for joined in entries:
        assert (joined["state"], joined["place"], joined["ahead"]) == ("entered", None, None)
    await one.patch("/v1/ops/rooms/demo", json={"rate_per_s": 1500.0}, headers=operator)
    assert await lottery_of(two) == before
    told = [await said(edge, operator, entries[0]) for edge in (one, two)]
    kept = await valkey.hget("vestibule:{demo}:room", "seed")
    assert isinstance(kept, bytes)
    seed = kept.decode()
    assert len(seed) == 64
    assert (await one.get("/v1/rooms/demo")).json()["state"] == "prequeue", "the machine is too slow for this test"
    assert not any(seed in text for text in [*told, *capfd.readouterr()])

    async def drawn() -> bool:
        return all([(await lottery_of(edge))["seed"] for edge in (one, two)])

    await until(drawn)
    after = await lottery_of(one)
    assert after == await lottery_of(two) == before | {"seed": seed, "entries": {"general": ENTRIES}}
    assert hashlib.sha256(bytes.fromhex(seed)).hexdigest() == before["commitment"]
    await check_places([one, two], entries, seed)
    late = await enter(two)
    assert (late["place"], late["entry"]) == (ENTRIES + 1, None)


async def said(edge: httpx.AsyncClient, operator: dict[str, str], joined: dict[str, Any]) -> str:
    """Everything that an edge tells anybody."""
    visitors = ["/v1/rooms/demo", "/v1/rooms/demo/tickets/me", "/rooms/demo", "/metrics", "/openapi.json", "/readyz"]
    answers = [await edge.get(path, headers=ticket(joined)) for path in visitors]
    answers += [await edge.get(path, headers=operator) for path in ("/v1/ops/rooms", "/v1/ops/rooms/demo")]
    answers.append(await edge.post("/v1/rooms/demo/admissions", headers=ticket(joined)))
    return "\n".join(f"{answer.headers} {answer.text}" for answer in answers)


async def check_places(edges: list[httpx.AsyncClient], entries: list[dict[str, Any]], seed: str) -> None:
    """Every edge tells each holder the place that anyone can compute."""
    for edge in edges:
        answers = await asyncio.gather(
            *(edge.get("/v1/rooms/demo/tickets/me", headers=ticket(joined)) for joined in entries)
        )
        for joined, answer in zip(entries, answers, strict=True):
            expected = lottery.place(
                bytes.fromhex(seed), room="demo", epoch=1, lane="general", entries=ENTRIES, entry=joined["entry"]
            )
            assert answer.json()["place"] == expected
            assert answer.json()["entry"] == joined["entry"]
