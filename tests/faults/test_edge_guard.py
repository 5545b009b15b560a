"""The guard while the store is away: limits give way and say so, a challenge does not; nothing is lost by either."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.stores import Valkey, free_port
from edge.app import create_app
from tests.edge_world import client, config, metric, plan, solved
from tests.serving import Serve

JOIN = "/v1/rooms/demo/tickets"
ANONYMOUS = {"Cookie": ""}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Valkey]:
    """A store of its own, to be killed."""
    server = Valkey(tmp_path / "store", free_port())
    server.start()
    yield server
    server.stop()


async def test_limits_give_way_while_the_store_is_away_and_hold_again_after_it(store: Valkey, serve: Serve) -> None:
    room = plan(limits={"acts": 2})
    async with client(await serve(create_app(config(store.url, room)))) as browser:
        store.kill()
        statuses = [(await browser.delete(f"{JOIN}/me")).status_code for _ in range(10)]
        assert statuses == [401] * 10, "no ticket; but not 429"
        assert await metric(browser, "limits_open_total", kind="acts") >= 1
        store.start()
        async with asyncio.timeout(10):
            while (await browser.delete(f"{JOIN}/me")).status_code != 429:
                pass


async def test_a_solution_is_not_accepted_unseen_while_the_store_is_away(store: Valkey, serve: Serve) -> None:
    room = plan(challenge="altcha", challenge_effort=50)
    async with client(await serve(create_app(config(store.url, room)))) as browser:
        text = solved((await browser.get("/v1/rooms/demo/challenge")).json())
        store.kill()
        refused = await browser.post(JOIN, json={"challenge": text}, headers=ANONYMOUS)
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert await metric(browser, "store_errors_total", act="spend") == 1
        assert (await browser.get("/v1/rooms/demo/challenge")).status_code == 200, "the challenge is still asked for"
        store.start()
        async with asyncio.timeout(10):
            while (await browser.post(JOIN, json={"challenge": text}, headers=ANONYMOUS)).status_code == 503:
                pass
        again = await browser.post(JOIN, json={"challenge": text}, headers=ANONYMOUS)
        assert (again.status_code, again.json()["reason"]) == (403, "spent")
        assert (await browser.get("/v1/rooms/demo")).json()["joined"] <= 1
