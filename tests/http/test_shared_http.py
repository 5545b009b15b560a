"""What every endpoint of both services does with bad requests, seen over real HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from shared import problem, service
from shared.http import Endpoint, Json, answer_http_exception, answer_problem, read_body, read_query
from shared.middleware import BodyLimit, Boundary, HttpMetrics, SecurityHeaders
from shared.openapi import document
from shared.problem import Problem
from tests import edge_world
from tests.serving import Serve


class Order(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1)]
    note: str = ""


class Window(msgspec.Struct, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    name: str = ""


async def place_order(request: Request) -> Response:
    return Json(await read_body(request, Order), 201)


async def list_orders(request: Request) -> Response:
    return Json(read_query(request, Window))


async def fail(_request: Request) -> Response:
    raise RuntimeError("secret-value-in-a-fault")


async def unavailable(_request: Request) -> Response:
    raise Problem(problem.STORE_UNAVAILABLE)


ENDPOINTS = [
    Endpoint("POST", "/orders", place_order, "Order", {201: Order}, body=Order),
    Endpoint("GET", "/orders", list_orders, "List", {200: Window}, query=Window),
    Endpoint("GET", "/fail", fail, "Fail", {200: None}),
    Endpoint("GET", "/away", unavailable, "Away", {200: None}),
]


@pytest.fixture
async def client(serve: Serve) -> httpx.AsyncClient:
    registry = CollectorRegistry()

    async def ready(_request: Request) -> bool:
        return False

    app = Starlette(
        routes=[
            *(endpoint.route() for endpoint in ENDPOINTS),
            *service.routes(
                ready=ready,
                registry=registry,
                document=document(title="T", version="1", description="", endpoints=ENDPOINTS),
            ),
        ],
        middleware=[Middleware(Boundary, metrics=HttpMetrics(registry, "test")), Middleware(BodyLimit, limit=1000)],
        exception_handlers={Problem: answer_problem, HTTPException: answer_http_exception},
    )
    return edge_world.client(await serve(app))


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "code"),
    [
        ("POST", "/orders", b"{", JSON, 400, "malformed_json"),
        ("POST", "/orders", b'"\xff"', JSON, 400, "malformed_json"),
        ("POST", "/orders", b"", JSON, 400, "malformed_json"),
        ("POST", "/orders", b"[" * 900, JSON, 400, "malformed_json"),
        ("POST", "/orders", b'{"count": "many"}', JSON, 422, "invalid_body"),
        ("POST", "/orders", b'{"count": 0}', JSON, 422, "invalid_body"),
        ("POST", "/orders", b'{"count": 1, "x": 1}', JSON, 422, "invalid_body"),
        ("POST", "/orders", b'{"count": 1, "note": "a\\u0000b"}', JSON, 422, "invalid_body"),
        ("POST", "/orders", b'{"count": 1}', {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        ("POST", "/orders", b'{"count": 1}', {}, 415, "unsupported_media_type"),
        ("POST", "/orders", b" " * 1001, JSON, 413, "body_too_large"),
        ("GET", "/orders?limit=abc", b"", {}, 422, "invalid_query"),
        ("GET", "/orders?limit=0", b"", {}, 422, "invalid_query"),
        ("GET", "/orders?limit=1&limit=2", b"", {}, 422, "invalid_query"),
        ("GET", "/orders?name=a%00b", b"", {}, 422, "invalid_query"),
        ("GET", "/orders?unknown=1", b"", {}, 422, "invalid_query"),
        ("GET", "/nothing", b"", {}, 404, "not_found"),
        ("DELETE", "/orders", b"", {}, 405, "method_not_allowed"),
        ("GET", "/fail", b"", {}, 500, "internal"),
        ("GET", "/away", b"", {}, 503, "store_unavailable"),
        ("GET", "/readyz", b"", {}, 503, "store_unavailable"),
    ],
)
async def test_each_bad_request_gets_a_problem_with_its_code(
    client: httpx.AsyncClient, method: str, path: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    async with client:
        answer = await client.request(method, path, content=content, headers=headers)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"].endswith(code)
    assert body["status"] == status
    assert ("retry-after" in answer.headers) == (status in {429, 503})


async def test_a_body_that_grows_over_the_limit_while_it_arrives_is_refused(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 400

    async with client:
        answer = await client.post("/orders", content=chunks(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_fault_of_ours_tells_nothing_about_the_inside(
    client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    async with client:
        answer = await client.get("/fail")
    printed = capfd.readouterr()
    assert "secret-value" not in answer.text + printed.out + printed.err
    assert "RuntimeError" in printed.out + printed.err


async def test_a_good_request_is_answered_and_counted(client: httpx.AsyncClient) -> None:
    async with client:
        answer = await client.post("/orders", json={"count": 2})
        metrics = (await client.get("/metrics")).text
    assert (answer.status_code, answer.json()) == (201, {"count": 2, "note": ""})
    assert answer.headers["cache-control"] == "no-store"
    assert 'test_http_requests_total{method="POST",status="201"} 1.0' in metrics


def test_requests_are_counted_as_the_metrics_library_would() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    meter = HttpMetrics(ours, "test")
    count = Counter("test_http_requests", "HTTP requests answered.", ["method", "status"], registry=theirs)
    buckets = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
    text = "Time to answer a request, in seconds."
    time = Histogram("test_http_seconds", text, ["method"], registry=theirs, buckets=buckets)
    asked = [("GET", 200, 0.0), ("GET", 200, 0.001), ("POST", 201, 0.0011), ("BREW", 418, 10.0), ("GET", 0, 11.0)]
    for method, status, seconds in asked:
        known = "OTHER" if method == "BREW" else method
        meter.observe(method, status, seconds)
        count.labels(known, str(status)).inc()
        time.labels(known).observe(seconds)
    for name, labels, value in _samples(theirs):
        assert ours.get_sample_value(name, labels) == value, (name, labels)
    assert len([labels for name, labels, _ in _samples(ours) if name == "test_http_requests_total"]) == 4


def _samples(registry: CollectorRegistry) -> list[tuple[str, dict[str, str], float]]:
    found = [sample for family in registry.collect() for sample in family.samples]
    return [(each.name, each.labels, each.value) for each in found if not each.name.endswith("_created")]


async def test_the_openapi_document_names_every_operation_and_its_refusals(client: httpx.AsyncClient) -> None:
    async with client:
        described = (await client.get("/openapi.json")).json()
    operation = described["paths"]["/orders"]["post"]
    assert set(operation["responses"]) == {"201", "400", "405", "413", "415", "422", "503"}
    assert described["paths"]["/orders"]["get"]["parameters"][0]["schema"]["maximum"] == 100


async def test_a_page_that_tells_of_our_own_fault_is_as_protected_as_any(serve: Serve) -> None:
    def page(_scope: Scope) -> Response:
        return Response("<h1>Sorry</h1>", 500, media_type="text/html")

    app = Starlette(
        routes=[Endpoint("GET", "/fail", fail, "Fail", {200: None}).route()],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Boundary, metrics=HttpMetrics(CollectorRegistry(), "test"), fault_page=page),
        ],
    )
    async with edge_world.client(await serve(app)) as browser:
        answer = await browser.get("/fail")
    assert (answer.status_code, answer.text) == (500, "<h1>Sorry</h1>")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
