"""The operators' JSON, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.ops.api import endpoints
from tests.edge_world import Issuer, client, config, plan
from tests.serving import Serve

SPRING = {
    "id": "spring",
    "name": "Spring",
    "rate_per_s": 4,
    "enter_url": "https://book.example.org/enter",
    "reason": "the second programme opens",
}
ROOM = plan(lanes=[{"lane": "general"}, {"lane": "letters", "access": "pass"}])
CALLS: list[tuple[str, str, dict[str, object] | None]] = [
    ("GET", "/v1/ops/rooms", None),
    ("GET", "/v1/ops/rooms/demo", None),
    ("GET", "/v1/ops/rooms/demo/log?limit=3", None),
    ("PATCH", "/v1/ops/rooms/demo", {"rate_per_s": 1, "reason": "snow"}),
    ("POST", "/v1/ops/rooms/demo:pause", {"reason": "snow"}),
    ("POST", "/v1/ops/rooms/demo:resume", {"reason": "sun"}),
    ("POST", "/v1/ops/rooms/demo:open", {"reason": "sun"}),
    ("POST", "/v1/ops/rooms/demo:drain", {"reason": "enough"}),
    ("POST", "/v1/ops/rooms/demo:close", {"reason": "the evening"}),
    ("POST", "/v1/ops/rooms/demo:reset", {"confirm": "demo", "reason": "the wrong room"}),
    ("POST", "/v1/ops/rooms/demo:bypass", {"rate_per_s": 5, "reason": "a night shift"}),
    ("POST", "/v1/ops/rooms/demo:revoke-passes", {"batch": "K7Q2M9XD", "reason": "a leak"}),
    ("POST", "/v1/ops/rooms", SPRING),
]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer) -> str:
    return await serve(create_app(config(valkey_server.url, ROOM, plan(id="other"), issuers=(issuer.trusted,))))


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
    only_rate = (await operator.patch("/v1/ops/rooms/demo", json={"rate_per_s": 2, "reason": "snow"})).json()
    assert (only_rate["rate_per_s"], only_rate["burst"]) == (2, 3)
    other = (await operator.get("/v1/ops/rooms/other")).json()
    assert (other["rate_per_s"], other["burst"]) == (50, 10), "another room is another line"


async def test_a_pause_stops_calls_and_a_resume_goes_on(operator: httpx.AsyncClient) -> None:
    paused = await operator.post("/v1/ops/rooms/demo:pause", json={"reason": "lunch"})
    assert (paused.json()["state"], paused.json()["calls_per_s"]) == ("paused", 0)
    joined = (await operator.post("/v1/rooms/demo/tickets", headers={"Authorization": ""})).json()
    assert (joined["state"], joined["room_state"], joined["wait"]) == ("waiting", "paused", None)
    again = (await operator.post("/v1/ops/rooms/demo:pause", json={"reason": "snow"})).json()
    assert (again["state"], again["reason"]) == ("paused", "snow")
    resumed = await operator.post("/v1/ops/rooms/demo:resume", json={"reason": "sun"})
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
        for role in ("visitor", "assistant", "auditor"):
            headers = {"Authorization": f"Bearer {issuer.token(role)}"}
            wrong = await anyone.request(method, path, json=body, headers=headers)
            assert (wrong.status_code, wrong.json()["code"]) == (403, "forbidden")
        expired = {"Authorization": f"Bearer {issuer.token('operator', exp=1_000_000_000)}"}
        late = await anyone.request(method, path, json=body, headers=expired)
        assert late.status_code == 401
        log = (await anyone.get("/v1/ops/rooms/demo/log", headers=issuer.operator())).json()
        assert log["rows"] == [], "nothing was done"
        assert (await anyone.request(method, path, json=body, headers=issuer.operator())).status_code in {200, 201}


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
        {"state": "open"},
        {"rate_per_s": 5, "reason": "x" * 201},
        {"rate_per_s": 5, "reason": ""},
        {"rate_per_s": 5, "reason": 5},
        {"rate_per_s": 5, "reason": None},
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(
    operator: httpx.AsyncClient, body: dict[str, object]
) -> None:
    response = await operator.patch("/v1/ops/rooms/demo", json={"reason": "a test"} | body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_body")
    report = (await operator.get("/v1/ops/rooms/demo")).json()
    assert (report["rate_per_s"], report["burst"], report["reason"]) == (50, 10, "")


async def test_unknown_rooms_are_not_found(operator: httpx.AsyncClient) -> None:
    for method, path, body in CALLS[1:-1]:
        response = await operator.request(method, path.replace("demo", "nowhere"), json=body)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("method", "path", "body"), [call for call in CALLS if call[2]])
async def test_no_change_without_a_reason(
    operator: httpx.AsyncClient, method: str, path: str, body: dict[str, object]
) -> None:
    without = {name: value for name, value in body.items() if name != "reason"}
    for wrong in (without, without | {"reason": ""}, without | {"reason": "x" * 201}):
        response = await operator.request(method, path, json=wrong)
        assert (response.status_code, response.json()["code"]) == (422, "invalid_body")
    assert (await operator.get("/v1/ops/rooms/demo/log")).json()["rows"] == []


def test_every_operation_is_in_the_table() -> None:
    listed = {(method, path.partition("?")[0].replace("demo", "{room}")) for method, path, _ in CALLS}
    assert listed == {(endpoint.method, endpoint.path) for endpoint in endpoints()}


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
