"""HTTP/1.1 as uvicorn speaks it, for answers that are asked for by everybody at once.

What an application sends by ASGI is handled by uvicorn alone; it leaves through a cork. Besides, an application may
hand over an answer that it has in one piece: by ASGI that is two messages, for each a coroutine, and every header is
looked through by itself. A page with its thirteen headers spent as long there as in being made.
"""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.cork import Cork

RawHeaders = Sequence[tuple[bytes, bytes]]
Whole = Callable[[Scope, int, RawHeaders, bytes], bool]
"""Sends an answer to the request: status, headers with their names in lower case, body. False: it did nothing, send it
by ASGI.
"""

_EXTENSION = "vestibule.whole"
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09})  # no header has them (RFC 9110, 5.5), and between two are CR and LF
_field = b": ".join
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


def whole_of(scope: Scope) -> Whole | None:
    """Return what sends a whole answer to a request, or None where another server serves."""
    found: Whole | None = scope["extensions"].get(_EXTENSION) if "extensions" in scope else None
    return found


class Protocol(HttpToolsProtocol):
    """One connection. Give it to uvicorn as ``http``; it wants uvloop's speed, and works with any loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(cast("asyncio.Transport", Cork(transport, self.loop)))
        self._extensions: dict[str, dict[object, object]] = {_EXTENSION: cast("dict[object, object]", self._answer)}

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._extensions.clear()  # a connection that is over is nobody's work to collect

    def eof_received(self) -> None:
        """Send what is kept: whoever says that no more is coming may still read, and the transport closes itself."""
        cast("Cork", self.transport).flush()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions

    def _answer(self, scope: Scope, status: int, headers: RawHeaders, body: bytes) -> bool:
        """See ``Whole``. Whatever is not plain is left to uvicorn: what to do then is written there."""
        cycle = self.cycle
        if (
            cycle.scope is not scope  # pipelined: others are before it
            or cycle.response_started
            or not cycle.keep_alive
            or cycle.access_log
            or self.flow.write_paused
            or scope["method"] == "HEAD"
        ):
            return False
        head = _head(status, [*cycle.default_headers, *headers], len(body))
        if head is None:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        self.transport.write(head + body)
        self.on_response_complete()
        return True


def _head(status: int, headers: RawHeaders, length: int) -> bytes | None:
    """Return the head of an answer; None unless each header is one line, and they say how long it is and no more of
    the connection.
    """
    fields = b"\r\n".join(map(_field, headers))
    named = dict(headers)
    if (
        len(fields.translate(None, _CONTROLS)) != len(fields) - 2 * (len(headers) - 1)
        or named.get(b"content-length") != b"%d" % length
        or b"connection" in named
        or b"transfer-encoding" in named
        or status not in _STATUS_LINES
    ):
        return None
    return b"%b%b\r\n\r\n" % (_STATUS_LINES[status], fields)
