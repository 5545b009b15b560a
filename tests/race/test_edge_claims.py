"""Claims that race over two edges on one store, with a control that shows the race is real without the script."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.line.line import ClaimOutcome, Line
from edge.line.room import Picture, Spot
from shared.token import AdmissionTokens
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import ADMISSION_KEYS, Issuer, client, config, plan
from tests.race.meeting import Meeting
from tests.serving import Serve

pytestmark = ON_SINGLE_AND_CLUSTER

BURST = 20
PEOPLE = 60
ROOM = plan(rate_per_s=0.01, burst=BURST)


def check_then_act() -> type[Line]:
    """A line that reads the bucket, then takes from it: each step is atomic, both together are not."""
    meeting = Meeting()

    class CheckThenAct(Line):
        async def claim(self, spots: Sequence[Spot], _now_us: int | None = None) -> tuple[list[ClaimOutcome], Picture]:
            outcomes: list[ClaimOutcome] = []
            for _ in spots:
                key = self.keys.room
                tokens = float(await self._client.hget(key, "tokens") or 0)
                await meeting()
                if tokens >= 1:
                    await self._client.hset(key, "tokens", str(tokens - 1))
                    outcomes.append("admitted")
                else:
                    outcomes.append("paced")
            _, picture = await self.look([])
            return outcomes, picture

    return CheckThenAct


async def admitted(edges: Sequence[str], valkey: Redis) -> list[str]:
    """Let many people claim at once, each over both edges; return the id of every token that was issued."""
    async with client(edges[0]) as one, client(edges[1]) as two:
        tickets = [await _ticket(one) for _ in range(PEOPLE)]
        await _fill_the_bucket(valkey)
        one.cookies.clear()
        claims = [_claim(edge, ticket) for ticket in tickets for edge in (one, two)]
        return [token for token in await asyncio.gather(*claims) if token]


async def _ticket(visitor: httpx.AsyncClient) -> str:
    visitor.cookies.clear()
    return str((await visitor.post("/v1/rooms/demo/tickets")).json()["ticket"])


async def _fill_the_bucket(valkey: Redis) -> None:
    called = {"tokens": str(BURST), "1.called": str(PEOPLE)}
    for field, value in called.items():
        await valkey.hset("vestibule:{demo}:room", field, value)


async def _claim(edge: httpx.AsyncClient, ticket: str) -> str | None:
    response = await edge.post("/v1/rooms/demo/admissions", headers={"Authorization": f"Ticket {ticket}"})
    if response.status_code == 429:
        return None
    assert response.status_code == 201, response.text
    token = AdmissionTokens(ADMISSION_KEYS).verify(response.json()["token"], rooms={"demo"}, now=0, leeway_s=2e9)
    return token.id


async def test_racing_claims_never_issue_more_than_the_bucket_holds(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    edges = [await serve(create_app(config(valkey_server.url, ROOM))) for _ in range(2)]
    tokens = await admitted(edges, valkey)
    assert len(set(tokens)) == BURST
    assert len(tokens) == 2 * BURST, "both edges give the same person the same token id, for one token of the bucket"


async def test_the_race_is_real_without_the_script(valkey: Redis, valkey_server: Valkey, serve: Serve) -> None:
    unprotected = check_then_act()
    edges = [await serve(create_app(config(valkey_server.url, ROOM), line=unprotected)) for _ in range(2)]
    tokens = await admitted(edges, valkey)
    assert len(tokens) > BURST


async def test_one_ticket_claimed_fifty_times_at_once_takes_one_token(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    edges = [await serve(create_app(config(valkey_server.url, ROOM))) for _ in range(2)]
    async with client(edges[0]) as one, client(edges[1]) as two:
        ticket = await _ticket(one)
        await _fill_the_bucket(valkey)
        one.cookies.clear()
        tokens = await asyncio.gather(*(_claim(edge, ticket) for edge in (one, two) for _ in range(25)))
    assert len(set(tokens)) == 1
    assert float(await valkey.hget("vestibule:{demo}:room", "tokens") or 0) >= BURST - 1
    assert await valkey.bitcount("vestibule:{demo}:general:admitted") == 1


async def test_joins_at_once_over_two_edges_share_no_place(valkey: Redis, valkey_server: Valkey, serve: Serve) -> None:
    edges = [await serve(create_app(config(valkey_server.url, ROOM))) for _ in range(2)]

    async def places(base: str) -> list[int]:
        async with client(base) as browser:
            answers = await asyncio.gather(*(_anonymous_join(browser) for _ in range(100)))
        return list(answers)

    one, two = await asyncio.gather(*(places(edge) for edge in edges))
    assert sorted(one + two) == list(range(1, 201))


async def _anonymous_join(browser: httpx.AsyncClient) -> int:
    response = await browser.post("/v1/rooms/demo/tickets", headers={"Cookie": ""})
    return int(response.json()["place"])


async def test_a_changed_rate_and_a_pause_reach_every_edge_within_a_second(
    valkey: Redis, valkey_server: Valkey, serve: Serve, tmp_path: Path
) -> None:
    issuer = Issuer(tmp_path)
    room = plan(rate_per_s=5000.0, burst=1000)
    edges = [await serve(create_app(config(valkey_server.url, room, issuers=(issuer.trusted,)))) for _ in range(2)]
    now = asyncio.get_running_loop().time
    async with client(edges[0]) as one, client(edges[1]) as two:
        ticket = await _ticket(one)
        one.cookies.clear()
        began = now()
        await one.patch("/v1/ops/rooms/demo", json={"rate_per_s": 3.0, "reason": "slower"}, headers=issuer.operator())
        await one.post("/v1/ops/rooms/demo:pause", json={"reason": "lunch"}, headers=issuer.operator())
        assert await _claim(two, ticket) is None, "a claim obeys at once, wherever it is made"
        for edge in (one, two):
            while (status := (await edge.get("/v1/rooms/demo")).json())["state"] != "paused":
                assert now() - began < 1
            assert status["rate_per_s"] == 3
        assert now() - began < 1
        await two.post("/v1/ops/rooms/demo:resume", json={"reason": "after lunch"}, headers=issuer.operator())
        assert (await one.get("/v1/rooms/demo/tickets/me", headers={"Authorization": f"Ticket {ticket}"})).json()[
            "room_state"
        ] == "open"
