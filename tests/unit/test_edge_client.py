"""What the operators' client makes of answers, good and bad."""

from collections.abc import Callable

import httpx
import msgspec
import pytest

from edge.client import ApiError, ApiUnreachable, OperatorClient
from edge.ops.models import RoomChange

Answer = Callable[[httpx.Request], httpx.Response]


def speaking_to(answer: Answer) -> OperatorClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return OperatorClient("https://wait.example.org/", "secret", http=http)


def problem(status: int, **members: object) -> httpx.Response:
    body = msgspec.json.encode({"status": status, "title": "A title", **members})
    return httpx.Response(status, content=body, headers={"Content-Type": "application/problem+json"})


async def test_a_refusal_is_told_with_its_code_and_when_to_come_back() -> None:
    edge = speaking_to(lambda _: problem(503, code="store_unavailable", detail="healing", retry_after_s=2))
    with pytest.raises(ApiError) as refused:
        await edge.read_room("demo")
    error = refused.value
    assert (error.status, error.code, error.detail, error.retry_after_s) == (503, "store_unavailable", "healing", 2)
    assert str(error) == "store_unavailable: healing"


async def test_a_refusal_without_detail_is_told_by_its_title() -> None:
    with pytest.raises(ApiError, match="not_found: A title"):
        await speaking_to(lambda _: problem(404, code="not_found")).read_room("demo")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<h1>Bad gateway</h1>"),
        httpx.Response(302, headers={"Location": "https://login.example.org"}),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json={"rooms": "many"}),
        httpx.Response(500, content=b"{", headers={"Content-Type": "application/problem+json"}),
    ],
)
async def test_what_is_no_edge_is_not_taken_for_one(answer: httpx.Response) -> None:
    with pytest.raises(ApiUnreachable, match=r"is no edge"):
        await speaking_to(lambda _: answer).list_rooms()


async def test_nobody_there_is_unreachable() -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiUnreachable, match=r"no answer from https://wait\.example\.org \(ConnectError\)"):
        await speaking_to(fail).list_rooms()
    async with OperatorClient("no address", "secret") as edge:
        with pytest.raises(ApiUnreachable):
            await edge.list_rooms()


async def test_only_what_is_said_is_sent_and_the_token_goes_along() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return problem(404, code="not_found")

    with pytest.raises(ApiError):
        await speaking_to(answer).change_room("a/../b", RoomChange(rate_per_s=5.0, reason="snow"))
    [request] = sent
    assert request.headers["authorization"] == "Bearer secret"
    assert msgspec.json.decode(request.content) == {"rate_per_s": 5.0, "reason": "snow"}
    assert request.url.raw_path == b"/v1/ops/rooms/a%2F..%2Fb", "a room's id is one part of the address"


async def test_a_client_that_is_lent_its_connections_does_not_close_them() -> None:
    http = httpx.AsyncClient()
    async with OperatorClient("https://wait.example.org", "secret", http=http):
        pass
    assert not http.is_closed
    await http.aclose()
