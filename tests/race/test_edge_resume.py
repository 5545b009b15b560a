"""One resume code brought to two edges at once; the control shows that the race is real without the one command."""

import asyncio

import httpx
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.visitors.resume import ResumeCodes
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import client, config, plan
from tests.race.meeting import Meeting
from tests.serving import Serve

pytestmark = ON_SINGLE_AND_CLUSTER

AT_ONCE = 20


def check_then_act() -> type[ResumeCodes]:
    """Reads the ticket, then takes the code away: each step is atomic, both together are not."""
    meeting = Meeting()

    class CheckThenAct(ResumeCodes):
        async def _take(self, key: str) -> bytes | str | None:
            found = await self._client.get(key)
            await meeting()
            await self._client.delete(key)
            return found

    return CheckThenAct


async def race(valkey_server: Valkey, serve: Serve, codes: type[ResumeCodes]) -> list[httpx.Response]:
    """Bring one code many times at once to two edges."""
    edges = [await serve(create_app(config(valkey_server.url, plan()), codes=codes)) for _ in range(2)]
    async with client(edges[0]) as one, client(edges[1]) as two:
        await one.post("/v1/rooms/demo/tickets")
        code = (await one.post("/v1/rooms/demo/resume-codes")).json()["code"]
        await asyncio.gather(*(edge.get("/healthz") for _ in range(AT_ONCE) for edge in (one, two)))  # connect
        attempts = [
            edge.post("/v1/rooms/demo/tickets:resume", json={"code": code})
            for _ in range(AT_ONCE)
            for edge in (one, two)
        ]
        return await asyncio.gather(*attempts)


async def test_one_code_brought_to_two_edges_at_once_works_once(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    answers = await race(valkey_server, serve, ResumeCodes)
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * (2 * AT_ONCE - 1)


async def test_the_race_is_real_without_the_one_command(valkey: Redis, valkey_server: Valkey, serve: Serve) -> None:
    answers = await race(valkey_server, serve, check_then_act())
    assert sum(answer.status_code == 200 for answer in answers) > 1
