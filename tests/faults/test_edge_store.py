"""The store dies, hangs, and comes back empty: people are told to wait, and their places outlive it."""

import gc
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.cluster import ValkeyCluster
from deploy.stores import Valkey, free_port
from edge.app import create_app
from tests.edge_processes import until
from tests.edge_world import client, config, metric, plan
from tests.serving import Serve

Store = Valkey | ValkeyCluster

# redis-py's client of a cluster leaves a connection to the collector, now and then, when a node is killed.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SLOW = plan(rate_per_s=0.01, burst=1)


@pytest.fixture(params=["single", "cluster"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of our own, to be killed."""
    folder = tmp_path / "valkey"
    server = ValkeyCluster(folder) if request.param == "cluster" else Valkey(folder, free_port())
    server.start()
    yield server
    server.stop()
    gc.collect()  # here, where it is no fault; see above


@pytest.fixture
async def edges(store: Store, serve: Serve) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two edges on that store."""
    bases = [await serve(create_app(config(store.url, SLOW, heal_s=0.5))) for _ in range(2)]
    async with client(bases[0]) as one, client(bases[1]) as two:
        for edge in (one, two):
            await until(lambda edge=edge: _is(edge.get("/readyz"), 200))  # type: ignore[misc]  # bound as a default
        yield [one, two]


async def _is(answer: Awaitable[httpx.Response], status: int) -> bool:
    return (await answer).status_code == status


async def join(edge: httpx.AsyncClient) -> tuple[str, int]:
    """Join as somebody new; wait while the line is being restored."""
    while True:
        response = await edge.post("/v1/rooms/demo/tickets", headers={"Cookie": ""})
        if response.status_code == 201:
            return response.json()["ticket"], response.json()["place"]
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1


async def standing(edge: httpx.AsyncClient, ticket: str) -> httpx.Response:
    return await edge.get("/v1/rooms/demo/tickets/me", headers={"Authorization": f"Ticket {ticket}", "Cookie": ""})


async def test_while_the_store_is_away_everybody_is_told_to_come_back(
    store: Store, edges: list[httpx.AsyncClient]
) -> None:
    visitor = edges[0]
    await visitor.post("/v1/rooms/demo/tickets")
    cookies = dict(visitor.cookies)
    assert cookies
    store.kill()
    await until(lambda: _is(visitor.get("/v1/rooms/demo/tickets/me"), 503))  # for a second, memory answers
    for method, path in [
        ("GET", "/v1/rooms/demo/tickets/me"),
        ("POST", "/v1/rooms/demo/tickets"),
        ("POST", "/v1/rooms/demo/admissions"),
        ("DELETE", "/v1/rooms/demo/tickets/me"),
    ]:
        response = await visitor.request(method, path)
        assert response.status_code == 503
        assert response.json()["code"] == "store_unavailable"
        assert int(response.headers["retry-after"]) >= 1
        assert "set-cookie" not in response.headers
    assert dict(visitor.cookies) == cookies, "the ticket stays with the visitor"
    assert await metric(visitor, "store_errors_total", act="claim") >= 1
    assert (await visitor.get("/v1/rooms/demo")).status_code == 200, "the status is good for five seconds"
    assert (await visitor.get("/healthz")).status_code == 200


async def test_a_ticket_is_good_again_when_the_store_is_back_empty(
    store: Store, edges: list[httpx.AsyncClient]
) -> None:
    one, two = edges
    people = [await join(one) for _ in range(40)]
    store.kill()
    store.start()
    # Edge two knows of none of the forty; what it gives out must not be theirs.
    newcomers = [await join(two) for _ in range(20)]
    places = [place for _, place in people + newcomers]
    assert len(set(places)) == len(places), "two people share a place"
    assert min(place for _, place in newcomers) > max(place for _, place in people), "a newcomer went ahead"
    for ticket, place in people:
        assert (await standing(two, ticket)).json()["place"] == place


async def test_the_tickets_alone_heal_the_line_when_every_edge_is_new(
    store: Store, edges: list[httpx.AsyncClient], serve: Serve
) -> None:
    people = [await join(edges[0]) for _ in range(30)]
    fresh = Valkey(store.data_dir / "other", free_port())
    fresh.start()
    try:
        async with client(await serve(create_app(config(fresh.url, SLOW)))) as edge:
            ticket, place = people[-1]
            assert (await standing(edge, ticket)).json()["place"] == place == 30
            assert (await join(edge))[1] == 31
    finally:
        fresh.stop()


async def test_an_edge_starts_without_its_store_and_serves_when_it_comes(tmp_path: Path, serve: Serve) -> None:
    late = Valkey(tmp_path / "late", free_port())
    async with client(await serve(create_app(config(late.url, SLOW)))) as edge:
        for path in ("/readyz", "/v1/rooms/demo"):
            response = await edge.get(path)
            assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
        late.start()
        try:
            await until(lambda: _is(edge.get("/readyz"), 200))
            assert (await join(edge))[1] == 1
        finally:
            late.stop()


async def test_settings_that_operators_changed_survive_the_loss_of_the_store(
    store: Store, edges: list[httpx.AsyncClient], tmp_path: Path, serve: Serve
) -> None:
    from tests.edge_world import Issuer

    issuer = Issuer(tmp_path)
    async with client(await serve(create_app(config(store.url, SLOW, issuers=(issuer.trusted,))))) as ops:
        await ops.patch("/v1/ops/rooms/demo", json={"rate_per_s": 0.02, "reason": "slower"}, headers=issuer.operator())
        await ops.post("/v1/ops/rooms/demo:pause", json={"reason": "snow"}, headers=issuer.operator())
        store.kill()
        store.start()

        async def restored() -> bool:
            response = await ops.get("/v1/ops/rooms/demo", headers=issuer.operator())
            return response.status_code == 200

        await until(restored)
        report = (await ops.get("/v1/ops/rooms/demo", headers=issuer.operator())).json()
        assert (report["state"], report["rate_per_s"]) == ("paused", 0.02)
