"""The short way past the router answers as the long one would: faults, methods, headers, counts."""

import httpx
import pytest

from deploy.stores import Valkey
from edge.app import create_app
from edge.visitors import visits
from shared import problem
from shared.problem import Problem
from tests.edge_world import client, config, metric, plan
from tests.serving import Serve

HTML = {"Accept": "text/html"}


@pytest.fixture
async def base(valkey: object, valkey_server: Valkey, serve: Serve) -> str:
    """An edge with a room that calls nobody while the test lasts."""
    return await serve(create_app(config(valkey_server.url, plan(rate_per_s=0.01, burst=1))))


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let every look at one's place end with an error."""

    async def standing(*_given: object) -> None:
        raise error

    monkeypatch.setattr(visits, "standing", standing)


@pytest.mark.parametrize("path", ["/rooms/demo", "/v1/rooms/demo/tickets/me"])
async def test_a_fault_of_ours_tells_nothing_and_is_counted(
    base: str, path: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    broken(monkeypatch, RuntimeError("secret-value"))
    async with client(base) as visitor:
        await visitor.post("/rooms/demo/join")
        answer = await visitor.get(path, headers=HTML)
        counted = await metric(visitor, "http_requests_total", method="GET", status="500")
    printed = capfd.readouterr()
    assert answer.status_code == 500
    assert counted == 1
    assert "secret-value" not in answer.text + printed.out + printed.err
    assert "RuntimeError" in printed.out + printed.err


async def test_a_page_that_tells_of_our_own_fault_or_refusal_is_as_protected_as_any(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(base) as visitor:
        await visitor.post("/rooms/demo/join")
        for error in (RuntimeError(), Problem(problem.FORBIDDEN)):
            broken(monkeypatch, error)
            answer = await visitor.get("/rooms/demo", headers=HTML)
            assert answer.status_code == (403 if isinstance(error, Problem) else 500)
            assert answer.headers["content-type"].startswith("text/html")
            assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_rooms_page_is_protected_once_and_has_no_body_for_head(base: str) -> None:
    async with client(base) as visitor:
        page: httpx.Response = await visitor.get("/rooms/demo")
        head = await visitor.head("/rooms/demo")
    for answer in (page, head):
        assert answer.status_code == 200
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert answer.headers["referrer-policy"] == "same-origin"
    assert head.content == b""
    assert head.headers["content-length"] == page.headers["content-length"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/v1/rooms/demo", 405),
        ("PUT", "/rooms/demo", 405),
        ("GET", "/rooms/nowhere", 404),
        ("GET", "/rooms/", 404),
        ("GET", "/rooms/demo/more", 404),
        ("GET", "/v1/rooms/", 404),
    ],
)
async def test_what_is_not_there_is_told_as_everywhere(base: str, method: str, path: str, status: int) -> None:
    async with client(base) as visitor:
        answer = await visitor.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, br", "gzip"),
        ("br;q=1, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip; q=0.0, br", None),
    ],
)
async def test_a_page_is_compressed_for_those_who_take_it(base: str, accepted: str, encoding: str | None) -> None:
    async with client(base) as visitor:
        await visitor.post("/rooms/demo/join")
        page = await visitor.get("/rooms/demo", headers={"Accept-Encoding": accepted})
    assert page.headers.get("content-encoding") == encoding
    assert "Accept-Encoding" in page.headers["vary"]
    assert 'id="place">1<' in page.text
