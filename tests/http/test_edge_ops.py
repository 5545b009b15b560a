"""The operators' JSON, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from tests.conftest import Serve
from tests.edge_world import Issuer, client, config, plan

CALLS = [
    ("GET", "/v1/ops/rooms", None),
    ("GET", "/v1/ops/rooms/demo", None),
    ("PATCH", "/v1/ops/rooms/demo", {"rate_per_s": 1}),
    ("POST", "/v1/ops/rooms/demo:pause", {"reason": "snow"}),
    ("POST", "/v1/ops/rooms/demo:resume", None),
]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer) -> str:
    return await serve(create_app(config(valkey_server.url, plan(), plan(id="other"), issuers=(issuer.trusted,))))


@pytest.fixture
async def operator(base: str, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    async with client(base) as browser:
        browser.headers.update(issuer.operator())
        yield browser


async def test_an_operator_reads_settings_counters_and_meters(operator: httpx.AsyncClient) -> None:
    await operator.post("/v1/rooms/demo/tickets", headers={"Authorization": ""})
    report = (await operator.get("/v1/ops/rooms/demo")).json()
    assert (report["room"], report["state"], report["rate_per_s"], report["burst"]) == ("demo", "open", 50, 10)
    assert report["joined"] == 1
    assert 0 <= report["tokens"] <= 10
    assert 0.25 <= report["show"] <= 1
    assert report["calls_per_s"] >= 50
    listed = (await operator.get("/v1/ops/rooms")).json()["rooms"]
    assert [room["room"] for room in listed] == ["demo", "other"]


async def test_a_change_is_in_force_when_it_answers(operator: httpx.AsyncClient) -> None:
    changed = await operator.patch(
        "/v1/ops/rooms/demo", json={"rate_per_s": 7.5, "burst": 3, "reason": "the clinics are slow today"}
    )
    assert changed.status_code == 200
    report = (await operator.get("/v1/ops/rooms/demo")).json()
    assert (report["rate_per_s"], report["burst"], report["reason"]) == (7.5, 3, "the clinics are slow today")
    assert report["tokens"] <= 3
    only_rate = (await operator.patch("/v1/ops/rooms/demo", json={"rate_per_s": 2})).json()
    assert (only_rate["rate_per_s"], only_rate["burst"]) == (2, 3)
    other = (await operator.get("/v1/ops/rooms/other")).json()
    assert (other["rate_per_s"], other["burst"]) == (50, 10), "another room is another line"


async def test_a_pause_stops_calls_and_a_resume_goes_on(operator: httpx.AsyncClient) -> None:
    paused = await operator.post("/v1/ops/rooms/demo:pause")
    assert (paused.json()["state"], paused.json()["calls_per_s"]) == ("paused", 0)
    joined = (await operator.post("/v1/rooms/demo/tickets", headers={"Authorization": ""})).json()
    assert (joined["state"], joined["room_state"], joined["wait"]) == ("waiting", "paused", None)
    again = (await operator.post("/v1/ops/rooms/demo:pause", json={"reason": "snow"})).json()
    assert (again["state"], again["reason"]) == ("paused", "snow")
    resumed = await operator.post("/v1/ops/rooms/demo:resume", json={})
    assert resumed.json()["state"] == "open"
    assert resumed.json()["calls_per_s"] == 50


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_every_call_needs_the_operators_role(
    base: str, issuer: Issuer, method: str, path: str, body: dict[str, object] | None
) -> None:
    async with client(base) as anyone:
        nobody = await anyone.request(method, path, json=body)
        assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated")
        assert nobody.headers["www-authenticate"].startswith("Bearer")
        visitor = {"Authorization": f"Bearer {issuer.token('visitor')}"}
        wrong = await anyone.request(method, path, json=body, headers=visitor)
        assert (wrong.status_code, wrong.json()["code"]) == (403, "forbidden")
        expired = {"Authorization": f"Bearer {issuer.token('operator', exp=1_000_000_000)}"}
        late = await anyone.request(method, path, json=body, headers=expired)
        assert late.status_code == 401
        rate = (await anyone.get("/v1/rooms/demo")).json()["rate_per_s"]
        assert rate == 50
        assert (await anyone.request(method, path, json=body, headers=issuer.operator())).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"rate_per_s": 0},
        {"rate_per_s": -5},
        {"rate_per_s": 1e9},
        {"rate_per_s": "fast"},
        {"rate_per_s": None},
        {"burst": 0},
        {"burst": 1.5},
        {"reason": "x" * 201},
        {"reason": 5},
        {"state": "open"},
        [],
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(operator: httpx.AsyncClient, body: object) -> None:
    response = await operator.patch("/v1/ops/rooms/demo", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_body")
    report = (await operator.get("/v1/ops/rooms/demo")).json()
    assert (report["rate_per_s"], report["burst"], report["reason"]) == (50, 10, "")


async def test_unknown_rooms_are_not_found(operator: httpx.AsyncClient) -> None:
    for method, path, body in CALLS[1:]:
        response = await operator.request(method, path.replace("demo", "nowhere"), json=body)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_production_edge_refuses_the_local_issuer(tmp_path: Path, issuer: Issuer) -> None:
    from edge.config import ConfigError, EdgeConfig, EdgeSettings

    settings = EdgeSettings.model_validate(
        {
            "redis_url": "redis://127.0.0.1",
            "rooms_file": tmp_path,
            "ticket_keys_file": tmp_path,
            "admission_keys_file": tmp_path,
            "trusted_issuers": (issuer.trusted.model_copy(update={"local": True}),),
            "edge_public_url": "http://127.0.0.1:8080",
            "origin_public_url": "http://127.0.0.1:8081",
        }
    )
    with pytest.raises(ConfigError, match="local issuer"):
        EdgeConfig.load(settings)
