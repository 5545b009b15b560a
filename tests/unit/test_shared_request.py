"""A quick request reads as Starlette's."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from shared.middleware import bounded
from shared.problem import Problem
from shared.request import QuickRequest

HEADERS = [
    (b"host", b"a"),
    (b"idempotency-key", b"one"),
    (b"content-type", b"application/json"),
    (b"idempotency-key", b"two"),
    (b"x-name", "é".encode("latin-1")),
]
SCOPE = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": HEADERS}


def sent(*messages: Message) -> Receive:
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    return receive


def piece(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize("name", ["host", "Idempotency-Key", "CONTENT-TYPE", "x-name", "cookie"])
def test_headers_are_found_by_any_spelling_the_first_of_several(name: str) -> None:
    ours, theirs = QuickRequest(SCOPE).headers, Request(SCOPE).headers
    assert (name in ours) == (name in theirs)
    assert ours.get(name) == theirs.get(name)
    assert ours.get(name, "none") == theirs.get(name, "none")
    assert ours.getlist(name) == theirs.getlist(name)
    if name in theirs:
        assert ours[name] == theirs[name]
    else:
        with pytest.raises(KeyError):
            ours[name]


def test_all_headers_are_there() -> None:
    ours, theirs = QuickRequest(SCOPE).headers, Request(SCOPE).headers
    assert (ours.items(), len(ours), ours) == (theirs.items(), len(theirs), theirs)


BODIES: list[Sequence[Message]] = [
    [piece(b"whole")],
    [piece(b"")],
    [{"type": "http.request"}],
    [piece(b"in ", more=True), piece(b"two ", more=True), piece(b"parts")],
]


@pytest.mark.parametrize("messages", BODIES)
async def test_the_body_is_the_same_however_it_comes_and_however_often_it_is_read(messages: Sequence[Message]) -> None:
    ours, theirs = QuickRequest(SCOPE, sent(*messages)), Request(SCOPE, sent(*messages))
    expected = await theirs.body()
    assert await ours.body() == expected
    assert await ours.body() == expected
    assert [each async for each in ours.stream()] == [each async for each in theirs.stream()]


@pytest.mark.parametrize("messages", BODIES)
async def test_a_body_can_be_read_in_pieces(messages: Sequence[Message]) -> None:
    ours, theirs = QuickRequest(SCOPE, sent(*messages)), Request(SCOPE, sent(*messages))
    assert [each async for each in ours.stream()] == [each async for each in theirs.stream()]
    with pytest.raises(RuntimeError):
        await ours.body()


@pytest.mark.parametrize("announced", [[(b"content-length", b"4"), (b"transfer-encoding", b"chunked")], []])
async def test_what_may_be_longer_than_announced_is_counted(announced: list[tuple[bytes, bytes]]) -> None:
    scope = SCOPE | {"headers": announced}
    receive = await bounded(scope, sent(piece(b"four"), piece(b"five", more=False)), limit=6)
    assert (await receive())["body"] == b"four"
    with pytest.raises(Problem):
        await receive()


@pytest.mark.parametrize("before", [[], [piece(b"half", more=True)]])
async def test_whoever_leaves_half_way_is_found_out(before: list[Any]) -> None:
    with pytest.raises(ClientDisconnect):
        await QuickRequest(SCOPE, sent(*before, {"type": "http.disconnect"})).body()
