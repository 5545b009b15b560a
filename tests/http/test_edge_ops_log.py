"""The log of what operators changed, over HTTP: two edges on one store."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.line.oplog import LogStore
from tests.capacity import StandIn, told
from tests.edge_processes import until
from tests.edge_world import ISSUER, Failures, Issuer, client, config, plan
from tests.serving import Serve

ROOM = plan(lanes=[{"lane": "general"}, {"lane": "letters", "access": "pass"}])


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
async def edges(
    valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    settings = config(valkey_server.url, ROOM, issuers=(issuer.trusted,))
    async with client(await serve(create_app(settings))) as one, client(await serve(create_app(settings))) as two:
        for number, edge in enumerate((one, two)):
            edge.headers["Authorization"] = f"Bearer {issuer.token('operator', sub=f'olga{number}')}"
        yield one, two


Edges = tuple[httpx.AsyncClient, httpx.AsyncClient]


async def log(edge: httpx.AsyncClient, query: str = "", room: str = "demo") -> dict[str, Any]:
    page: dict[str, Any] = (await edge.get(f"/v1/ops/rooms/{room}/log{query}")).json()
    return page


async def test_a_row_says_who_when_what_and_why(edges: Edges) -> None:
    one, two = edges
    changed = await one.patch("/v1/ops/rooms/demo", json={"rate_per_s": 5, "challenge": "altcha", "reason": "snow"})
    [row] = (await log(two))["rows"]
    assert row == {
        "version": changed.json()["version"],
        "at": row["at"],
        "actor": "olga0",
        "issuer": ISSUER,
        "what": "room_changed",
        "why": "snow",
        "before": {"rate_per_s": 50.0, "challenge": "off"},
        "after": {"rate_per_s": 5.0, "challenge": "altcha"},
    }
    assert row["at"][:22] == changed.json()["as_of"][:22], "the store's clock"
    assert (await log(one)) == (await log(two))


async def test_changes_that_race_on_two_edges_are_all_in_the_log_in_their_order(edges: Edges) -> None:
    async def change(number: int) -> dict[str, Any]:
        body = {"rate_per_s": number, "reason": f"number {number}"}
        answer = await edges[number % 2].patch("/v1/ops/rooms/demo", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    reports = await asyncio.gather(*(change(number) for number in range(1, 31)))
    rows = (await log(edges[0]))["rows"]
    assert [row["version"] for row in rows] == sorted((report["version"] for report in reports), reverse=True)
    assert {row["why"] for row in rows} == {f"number {number}" for number in range(1, 31)}
    rates = [row["after"]["rate_per_s"] for row in rows]
    assert [row["before"]["rate_per_s"] for row in rows] == [*rates[1:], 50.0], "each tells what it found"
    assert rates[0] == (await edges[1].get("/v1/ops/rooms/demo")).json()["rate_per_s"]


async def test_the_log_is_read_page_by_page_newest_first(edges: Edges) -> None:
    for number in range(5):
        await edges[0].post("/v1/ops/rooms/demo:pause", json={"reason": str(number)})
    first = await log(edges[1], "?limit=2")
    assert [row["why"] for row in first["rows"]] == ["4", "3"]
    await edges[1].post("/v1/ops/rooms/demo:resume", json={"reason": "meanwhile"})
    second = await log(edges[1], f"?limit=2&before={first['next_before']}")
    assert [row["why"] for row in second["rows"]] == ["2", "1"]
    last = await log(edges[0], f"?limit=2&before={second['next_before']}")
    assert ([row["why"] for row in last["rows"]], last["next_before"]) == (["0"], None)


@pytest.mark.parametrize("query", ["?limit=0", "?limit=501", "?limit=x", "?before=-1", "?since=5", "?limit=1&limit=2"])
async def test_a_query_that_makes_no_sense_is_refused(edges: Edges, query: str) -> None:
    assert (await log(edges[0], query))["code"] == "invalid_query"


async def test_a_refused_change_has_no_row(edges: Edges) -> None:
    for body in ({"rate_per_s": 0, "reason": "x"}, {"lanes": {"nobody": {"weight": 1}}, "reason": "x"}):
        assert (await edges[0].patch("/v1/ops/rooms/demo", json=body)).status_code == 422
    await edges[0].post("/v1/ops/rooms/demo:reset", json={"confirm": "other", "reason": "x"})
    assert (await log(edges[0]))["rows"] == []


async def test_a_rooms_first_row_is_its_creation(edges: Edges) -> None:
    room = {"id": "spring", "name": "Spring", "rate_per_s": 4, "enter_url": "https://a.example", "reason": "it opens"}
    created = (await edges[0].post("/v1/ops/rooms", json=room)).json()
    await edges[0].post("/v1/ops/rooms/spring:pause", json={"reason": "snow"})

    async def open_on_the_other() -> bool:
        return (await edges[1].get("/v1/rooms/spring")).status_code == 200

    await until(open_on_the_other)
    for edge in edges:
        paused, first = (await log(edge, room="spring"))["rows"]
        assert paused["what"] == "room_paused"
        assert (first["version"], first["what"], first["why"]) == (0, "room_created", "it opens")
        assert (first["actor"], first["issuer"], first["at"]) == ("olga0", ISSUER, created["created"]["at"])
        assert (first["before"], first["after"]["rate_per_s"]) == ({}, 4)


async def test_a_rate_that_the_governor_had_set_says_so(
    valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer
) -> None:
    behind = StandIn(told(bookings_per_s=20.0))
    room = plan(capacity_url=f"{await serve(behind.app())}/v1/capacity")
    settings = config(valkey_server.url, room, issuers=(issuer.trusted,))
    async with client(await serve(create_app(settings))) as edge:
        edge.headers.update(issuer.operator())
        automatic = {"governor": {"mode": "automatic"}, "reason": "let it follow"}
        await edge.patch("/v1/ops/rooms/demo", json=automatic)

        async def governed() -> bool:
            return bool((await edge.get("/v1/rooms/demo")).json()["rate_per_s"] != 50)

        await until(governed)
        manual = {"rate_per_s": 30, "governor": {"mode": "manual"}, "reason": "by hand"}
        await edge.patch("/v1/ops/rooms/demo", json=manual)
        await edge.patch("/v1/ops/rooms/demo", json={"rate_per_s": 31, "reason": "a little more"})
        last, by_hand, followed = (await log(edge))["rows"]
    assert (followed["before"]["governor.mode"], followed["after"]["governor.mode"]) == ("manual", "automatic")
    assert by_hand["before"]["rate_per_s"] < 50
    assert (by_hand["before"]["rate_set_by"], by_hand["before"]["governor.mode"]) == ("governor", "automatic")
    assert last["before"] == {"rate_per_s": 30.0}


async def test_nothing_that_operators_can_do_changes_a_row_or_takes_one_away(edges: Edges, valkey: Redis) -> None:
    acts: list[tuple[str, str, dict[str, object]]] = [
        ("PATCH", "", {"rate_per_s": 5, "reason": "1"}),
        ("PATCH", "", {"schedule": {"closes_at": "2100-01-01T00:00:00Z"}, "reason": "2"}),
        ("POST", ":pause", {"reason": "3"}),
        ("POST", ":resume", {"reason": "4"}),
        ("POST", ":drain", {"reason": "5"}),
        ("POST", ":close", {"reason": "6"}),
        ("POST", ":open", {"reason": "7"}),
        ("POST", ":bypass", {"rate_per_s": 5, "reason": "8"}),
        ("POST", ":revoke-passes", {"batch": "K7Q2M9XD", "reason": "9"}),
        ("POST", ":reset", {"confirm": "demo", "reason": "10"}),
        ("POST", ":reset", {"confirm": "demo", "reason": "11"}),
    ]
    before = await rows(valkey)
    for number, (method, act, body) in enumerate(acts, 1):
        answer = await edges[number % 2].request(method, f"/v1/ops/rooms/demo{act}", json=body)
        assert answer.status_code == 200, answer.text
        after = await rows(valkey)
        assert (len(after), before.items() <= after.items()) == (number, True)
        before = after
    await LogStore(valkey, ROOM, Failures()).restore(dict.fromkeys(before, "forged"))
    for edge in edges:
        await edge.post("/v1/rooms/demo/tickets")
    assert await rows(valkey) == before
    for method in ("DELETE", "PUT", "POST", "PATCH"):
        answer = await edges[0].request(method, "/v1/ops/rooms/demo/log", json={})
        assert answer.status_code == 405
    assert [json.loads(row)["why"] for row in before.values()] == [str(number) for number in range(1, 12)]


async def rows(valkey: Redis) -> dict[int, str]:
    store = LogStore(valkey, ROOM, Failures())
    return await store.rows(sorted(await store.versions()))
