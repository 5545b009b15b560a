"""An answer in one piece says to the byte what uvicorn would have said, and leaves as one."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Literal, cast
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from shared.protocol import Protocol, whole_of
from shared.quick import Answer, Quick
from tests.serving import serving

_DATE = re.compile(rb"\r\ndate: [^\r]+")
_LONG = b"x" * 4_000_000
_METHOD = re.compile(rb"(\w+) /\S* HTTP/1.1")


def _split() -> Response:
    response = Response(b"{}", media_type="application/json")
    response.raw_headers.append((b"x-room", b"a\r\nset-cookie: theirs=1"))
    return response


def _with(header: tuple[bytes, bytes]) -> Response:
    response = Response(b"{}")
    response.raw_headers.append(header)
    return response


def _wrong(length: bytes) -> Response:
    response = Response(b"four", media_type="text/plain")
    response.raw_headers[0] = (b"content-length", length)
    return response


def _endless() -> Response:
    response = Response(b"four", media_type="text/plain")
    del response.raw_headers[0]
    return response


_MADE: dict[str, Callable[[], Response]] = {
    "/plain": lambda: Response(b'{"status":"ok"}', media_type="application/json", headers={"x-a": "1", "x-b": "é"}),
    "/empty": lambda: Response(b"", 200),
    "/long": lambda: Response(_LONG),
    "/nothing": lambda: Response(status_code=204),
    "/same": lambda: Response(status_code=304, headers={"etag": '"1"'}),
    "/odd": lambda: Response(b"?", 599),
    "/split": _split,
    "/control": lambda: _with((b"x-room", b"a\x00b")),
    "/short": lambda: _wrong(b"3"),
    "/over": lambda: _wrong(b"5"),
    "/endless": _endless,
    "/bye": lambda: Response(b"bye", headers={"connection": "close"}),
    "/chunks": lambda: Response(b"4\r\nfour\r\n0\r\n\r\n", headers={"transfer-encoding": "chunked"}),
}


class App(Quick):
    """Answers at once what is in ``_MADE``; ``/echo`` reads first; ``/held`` waits; the rest is Starlette's."""

    def __init__(self) -> None:
        super().__init__(routes=[Route("/streamed", _streamed), Route("/slow", _plain)])
        self.noted: list[int] = []
        self.answered = asyncio.Event()
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.had_whole = False

    def find(self, scope: Scope) -> Answer | None:
        path = scope["path"]
        if path == "/echo":
            return _echo
        if path == "/held":
            return self._held
        made = _MADE.get(path)
        if made is None:
            return None

        async def answer(scope: Scope, _receive: Receive) -> Response:
            self.had_whole = whole_of(scope) is not None
            return made()

        return answer

    def note(self, _method: str, status: int, _seconds: float) -> None:
        self.noted.append(status)
        self.answered.set()

    async def _held(self, _scope: Scope, _receive: Receive) -> Response:
        self.asked.set()
        await self.may_answer.wait()
        return Response(b"held")


async def _echo(scope: Scope, receive: Receive) -> Response:
    return Response(await Request(scope, receive).body())


async def _streamed(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"one", b"two", b""):
            yield piece

    return StreamingResponse(pieces(), media_type="text/plain")


async def _plain(_request: Request) -> Response:
    return Response(b"plain")


class Recording(asyncio.Transport):
    """Notes each piece that is sent by a real transport."""

    def __init__(self, transport: asyncio.Transport, sent: list[bytes]) -> None:
        self._transport = transport
        self._sent = sent

    def __getattribute__(self, name: str) -> object:
        if name in {"write", "_transport", "_sent"}:
            return object.__getattribute__(self, name)
        return getattr(self._transport, name)

    def write(self, data: object) -> None:
        self._sent.append(data)  # type: ignore[arg-type]
        self._transport.write(data)  # type: ignore[arg-type]


def recording(sent: list[bytes]) -> type[Protocol]:
    class Recorded(Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(Recording(transport, sent))

    return Recorded


class Connection:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, method: bytes = b"GET") -> bytes:
        """Read one answer that says how long it is."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if length is None or method == b"HEAD":
            return head
        return head + await self._reader.readexactly(int(length[1]))

    async def rest(self) -> bytes:
        return await self._reader.read()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def ask(path: str, method: str = "GET", *more: str, version: str = "1.1", body: str = "") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: a", *more]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


_LAST = ask("/plain", "GET", "Connection: close")


async def told(app: Quick, http: type[asyncio.Protocol] | Literal["httptools"], requests: list[bytes]) -> bytes:
    """Return all that one connection is told, without the date; its last request closes it."""
    async with asyncio.timeout(20), serving(app, http=http) as url, connected(url) as connection:
        said = b""
        for request in requests[:-1]:
            await connection.send(request)
            for method in _METHOD.findall(request):
                said += await connection.answer(method)
        await connection.send(requests[-1])
        return _DATE.sub(b"", said + await connection.rest())


@pytest.mark.parametrize(
    "requests",
    [
        [ask("/plain"), ask("/plain"), _LAST],
        [ask("/empty"), _LAST],
        [ask("/long"), _LAST],
        [ask("/nothing"), ask("/plain"), _LAST],
        [ask("/same"), ask("/plain"), _LAST],
        [ask("/plain", "HEAD"), ask("/plain"), _LAST],
        [ask("/plain", version="1.0")],
        [ask("/plain", "GET", "Connection: keep-alive", version="1.0")],
        [ask("/plain", "GET", "Connection: close")],
        [ask("/bye")],
        [ask("/split")],
        [ask("/control")],
        [ask("/short")],
        [ask("/over")],
        [ask("/endless"), _LAST],
        [ask("/chunks"), _LAST],
        [ask("/echo", "POST", body="body"), ask("/echo", "POST", body="more"), _LAST],
        [ask("/streamed", "GET", "Connection: close")],
        [ask("/slow"), ask("/plain"), ask("/elsewhere"), _LAST],
        [ask("/plain") + ask("/slow") + ask("/nothing") + ask("/plain", "HEAD"), _LAST],
        [b"no such thing\r\n\r\n"],
    ],
    ids=lambda requests: re.sub(rb"[^\w/ ]+", b" ", b", ".join(requests)).decode()[:60],
)
async def test_says_to_the_byte_what_uvicorn_would(requests: list[bytes]) -> None:
    ours, theirs = App(), App()
    assert await told(ours, Protocol, requests) == await told(theirs, "httptools", requests)
    assert ours.noted == theirs.noted
    assert not theirs.had_whole, "what we compare with goes uvicorn's own way"


async def test_what_is_answered_in_one_piece_is_answered_once_and_whoever_listens_learns_that_it_is_over() -> None:
    """As with ASGI: what comes to hear whether somebody has gone ends with the answer."""
    response = Response(b"whole")
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        if scope["type"] != "http":
            return
        whole = whole_of(scope)
        assert whole is not None
        await receive()
        listening = asyncio.create_task(cast("Coroutine[None, None, Message]", receive()))
        await asyncio.sleep(0)  # it listens
        seen.extend(whole(scope, 200, response.raw_headers, b"whole") for _ in range(2))
        seen.append((await listening)["type"])

    async with asyncio.timeout(20), serving(app) as url, connected(url) as connection:
        await connection.send(ask("/"))
        assert (await connection.answer()).endswith(b"whole")
        await connection.send(ask("/"))
        assert (await connection.answer()).endswith(b"whole")
    assert seen == [True, False, "http.disconnect"] * 2


async def test_nobody_is_told_to_go_on_once_answered() -> None:
    response = Response(b"whole")

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        if scope["type"] == "http":
            whole = whole_of(scope)
            assert whole is not None
            whole(scope, 200, response.raw_headers, b"whole")
            await receive()

    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    async with asyncio.timeout(20), serving(app, keep_alive_s=0) as url, connected(url) as connection:
        await connection.send(request)
        assert (await connection.rest()).endswith(b"\r\n\r\nwhole")


async def test_a_connection_on_which_nothing_more_is_asked_is_closed() -> None:
    async with asyncio.timeout(20), serving(App(), keep_alive_s=0) as url, connected(url) as connection:
        await connection.send(ask("/plain"))
        assert (await connection.rest()).endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("path", ["/plain", "/slow"])
async def test_whoever_says_that_no_more_is_coming_still_gets_the_answer(path: str) -> None:
    async with asyncio.timeout(20), serving(App()) as url:
        for _ in range(20):
            place = urlsplit(url)
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.write(ask(path))
            writer.write_eof()
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
            writer.close()


async def test_a_connection_that_is_over_leaves_nothing_for_the_collector() -> None:
    async with asyncio.timeout(20), serving(App()) as url:
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                async with connected(url) as connection:
                    await connection.send(ask("/plain", "GET", "Connection: close"))
                    await connection.rest()
            for _ in range(5):
                await asyncio.sleep(0)  # turns of the event loop, in which the server learns of it
            left = [each for each in gc.get_objects() if type(each) is Protocol]
        finally:
            gc.enable()
    assert left == []


async def test_a_status_without_a_name_is_left_to_uvicorn() -> None:
    async with serving(App()) as url, connected(url) as connection:
        await connection.send(ask("/odd"))
        assert (await connection.answer()).startswith(b"HTTP/1.1 599 ")


async def test_whoever_waits_to_be_told_to_go_on_is_told() -> None:
    async with serving(App()) as url, connected(url) as connection:
        await connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert await connection.answer() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await connection.send(b"body")
        assert (await connection.answer()).endswith(b"\r\n\r\nbody")
        await connection.send(b"POST /plain HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert (await connection.answer()).startswith(b"HTTP/1.1 200 OK\r\n"), "nobody wanted the body"


@pytest.mark.parametrize("path", ["/plain", "/slow", "/long"])
async def test_an_answer_leaves_in_one_piece(path: str) -> None:
    sent: list[bytes] = []
    async with serving(App(), http=recording(sent)) as url, connected(url) as connection:
        await connection.send(ask(path))
        answer = await connection.answer()
        assert sent == [answer]


async def test_a_stream_is_not_kept_back() -> None:
    """Each piece leaves before the next one is made."""
    may_go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        await may_go_on.wait()
        yield b"two"

    async def streamed(_request: Request) -> Response:
        return StreamingResponse(pieces(), headers={"content-length": "6"})

    app = App()
    app.router.routes.append(Route("/pieces", streamed))
    async with serving(app) as url, connected(url) as connection:
        await connection.send(ask("/pieces"))
        head = await connection._reader.readuntil(b"\r\n\r\n")
        assert await connection._reader.readexactly(3) == b"one", head
        may_go_on.set()
        assert await connection._reader.readexactly(3) == b"two"


async def test_nobody_who_does_not_read_is_sent_more_and_more() -> None:
    sent: list[bytes] = []
    app = App()
    async with asyncio.timeout(20), serving(app, http=recording(sent)) as url, connected(url) as connection:
        await connection.send(ask("/long"))
        await app.answered.wait()
        await connection.send(ask("/held"))
        await app.asked.wait()
        app.may_answer.set()
        for _ in range(5):  # turns of the event loop, in which an answer would leave
            await asyncio.sleep(0)
        assert len(sent) == 1
        assert (await connection.answer()).endswith(_LONG)
        assert (await connection.answer()).endswith(b"held")


async def test_whoever_leaves_before_the_answer_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    async with serving(app) as url:
        async with connected(url) as leaving:
            await leaving.send(ask("/held"))
            await app.asked.wait()
        async with connected(url) as other:
            await other.send(ask("/plain"))
            await other.answer()
            app.may_answer.set()
            await other.send(ask("/plain"))
            assert (await other.answer()).startswith(b"HTTP/1.1 200")
    assert app.noted == [200, 200, 200]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
