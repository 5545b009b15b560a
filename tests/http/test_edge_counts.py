"""What an edge counts of its visitors, and what it answers without asking the store."""

import asyncio

import httpx
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from tests.edge_processes import until
from tests.edge_visiting import WAITING, called
from tests.edge_world import client, config, line, metric, plan, spots
from tests.serving import Serve


async def test_the_common_calls_answer(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/healthz")).json() == {"status": "ok"}
    assert (await visitor.get("/readyz")).json() == {"status": "ready"}
    assert (await visitor.get("/openapi.json")).json()["openapi"] == "3.1.0"


async def test_the_funnel_is_counted(visitor: httpx.AsyncClient) -> None:
    await called(visitor)
    await visitor.post("/v1/rooms/demo/admissions")
    await visitor.get("/v1/rooms/demo/tickets/me")
    for step in ("joined", "called", "answered", "admitted"):
        assert await metric(visitor, f"{step}_total", room="demo") == 1, step
    await visitor.delete("/v1/rooms/demo/tickets/me")
    assert await metric(visitor, "left_total", room="demo") == 1
    assert await metric(visitor, "claims_total", outcome="admitted") == 1


async def test_waits_are_held_against_what_was_told(valkey_server: Valkey, valkey: Redis, serve: Serve) -> None:
    base = await serve(create_app(config(valkey_server.url, plan(rate_per_s=2.0, burst=1))))
    async with client(base) as browser:
        tickets = [await browser.post("/v1/rooms/demo/tickets", headers={"Cookie": ""}) for _ in range(4)]
        last = tickets[-1].json()
        assert last["state"] == "waiting"
        assert last["wait"]["p50_s"] >= 2
        holder = {"Authorization": f"Ticket {last['ticket']}", "Cookie": ""}

        async def through() -> bool:
            return (await browser.post("/v1/rooms/demo/admissions", headers=holder)).status_code == 201

        assert await metric(browser, "waits_told_total", within="p50") == 0
        await until(through)
        assert await metric(browser, "waits_told_total", within="p50") == 1, "the stock is called ahead of the tokens"
        assert await metric(browser, "wait_ratio_count") == 1
        await through()
        assert await metric(browser, "wait_ratio_count") == 1, "coming in again is no second wait"


async def test_whoever_waits_is_answered_from_memory(visitor: httpx.AsyncClient) -> None:
    await visitor.post("/v1/rooms/slow/tickets")
    before = await metric(visitor, "trip_size_count", act="look")
    for _ in range(5):
        assert (await visitor.get("/v1/rooms/slow/tickets/me")).json()["state"] == "waiting"
    assert await metric(visitor, "trip_size_count", act="look") == before


async def test_a_place_given_back_over_another_edge_is_known_here_in_a_moment(
    base: str, visitor: httpx.AsyncClient, valkey: Redis
) -> None:
    ticket = (await visitor.post("/v1/rooms/slow/tickets")).json()["ticket"]
    await line(valkey, id="slow", **WAITING).leave(spots([1]))
    deadline = asyncio.get_running_loop().time() + 3
    header = {"Authorization": f"Ticket {ticket}"}
    while (await visitor.get("/v1/rooms/slow/tickets/me", headers=header)).json()["state"] != "left":
        assert asyncio.get_running_loop().time() < deadline
