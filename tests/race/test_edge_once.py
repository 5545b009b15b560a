"""One solution, one cookie, one limit, raced over two edges; controls show that the race is real without the script."""

import asyncio

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.guard.once import Once
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import client, config, plan, solved
from tests.race.check_then_spend import CheckThenSpend
from tests.race.meeting import Meeting
from tests.serving import Serve

pytestmark = ON_SINGLE_AND_CLUSTER

JOIN = "/v1/rooms/demo/tickets"
AT_ONCE = 20


def check_then_act() -> type[Once]:
    """Marks that are not protected; the edges of one test share where they meet."""

    class CheckThenAct(CheckThenSpend, Once):
        meeting = Meeting()

    return CheckThenAct


async def race(
    valkey_server: Valkey, serve: Serve, once: type[Once], *, challenge: str = "off", require_cookie: bool = False
) -> tuple[list[httpx.Response], int]:
    """Bring one proof many times at once to two edges; return the answers and how many places were given out."""
    room = plan(challenge=challenge, challenge_effort=50, require_cookie=require_cookie)
    edges = [await serve(create_app(config(valkey_server.url, room), once=once)) for _ in range(2)]
    async with client(edges[0]) as one, client(edges[1]) as two:
        headers, body = {"Cookie": ""}, {}
        if require_cookie:
            headers["Cookie"] = (await one.post(JOIN)).headers["set-cookie"].partition(";")[0]
        if challenge != "off":
            body["challenge"] = solved((await one.get("/v1/rooms/demo/challenge")).json())
        one.cookies.clear()
        await asyncio.gather(*(edge.get("/healthz") for _ in range(AT_ONCE) for edge in (one, two)))  # connect
        joins = [edge.post(JOIN, json=body, headers=headers) for _ in range(AT_ONCE) for edge in (one, two)]
        answers = await asyncio.gather(*joins)
        return answers, sum(answer.status_code == 201 for answer in answers)


async def test_one_solution_brought_to_two_edges_at_once_gives_one_place(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    answers, places = await race(valkey_server, serve, Once, challenge="altcha")
    assert places == 1
    refused = [answer.json()["reason"] for answer in answers if answer.status_code == 403]
    assert refused == ["spent"] * (2 * AT_ONCE - 1)
    assert await valkey.hget("vestibule:{demo}:room", "1.joined") == b"1"


async def test_one_cookie_brought_to_two_edges_at_once_gives_one_place(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    answers, places = await race(valkey_server, serve, Once, require_cookie=True)
    assert places == 1
    assert {answer.status_code for answer in answers} == {201, 428}


@pytest.mark.parametrize("asked", [{"challenge": "altcha"}, {"require_cookie": True}])
async def test_the_race_is_real_without_the_script(
    valkey: Redis, valkey_server: Valkey, serve: Serve, asked: dict[str, object]
) -> None:
    _, places = await race(valkey_server, serve, check_then_act(), **asked)  # type: ignore[arg-type]  # one of two keywords
    assert places > 1


async def test_what_was_used_is_forgotten_once_it_has_expired_anyway(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    await race(valkey_server, serve, Once, challenge="altcha")
    [key] = await valkey.keys("vestibule:{demo}:spent:*")
    assert 600 < await valkey.ttl(key) <= 700
    assert await valkey.strlen(key) == 1, "a bit each"


async def test_joins_from_one_address_at_once_over_two_edges_keep_to_the_limit(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    room = plan(limits={"joins": 10})
    edges = [await serve(create_app(config(valkey_server.url, room))) for _ in range(2)]
    async with client(edges[0]) as one, client(edges[1]) as two:
        joins = [edge.post(JOIN, headers={"Cookie": ""}) for _ in range(AT_ONCE) for edge in (one, two)]
        statuses = [answer.status_code for answer in await asyncio.gather(*joins)]
    assert statuses.count(201) == 10
    assert statuses.count(429) == 30
