"""What all connections write in one turn of the event loop leaves together, when the turn is over.

uvicorn writes the head of an answer and its body apart, and uvloop sends each piece at once. So an answer is two system
calls and two packets, and whoever waits for it, often a proxy on the same machine, is woken up for a head without its
body, and once more for each other connection's. Of 50 µs for a page, waking up took eight.
"""

import asyncio
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import structlog

log = structlog.get_logger(__name__)

_MOST = 32  # connections that wait for the end of a turn: whoever is answered first need not wait for hundreds
_MUCH = 65_536  # bytes kept for one connection


class _Turn:
    """The connections of one loop that have something to send when its turn is over."""

    def __init__(self) -> None:
        self.waiting: list[Cork] = []

    def end(self) -> None:
        ready = self.waiting.copy()
        self.waiting.clear()
        for cork in ready:
            try:
                cork.flush()
            except Exception:  # one connection's fault is no reason to keep others waiting
                log.exception("answer_not_sent")


_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn] = WeakKeyDictionary()


class Cork:
    """A transport that keeps what is written until the turn is over, it is much, or the connection is closed.

    All but writing and closing is the transport's own.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._turn = _TURNS.setdefault(loop, _Turn())
        self._waiting = self._turn.waiting
        self._kept = b""
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send ``data`` soon, after what was written before."""
        if self._kept:
            self._kept += data
            if len(self._kept) >= _MUCH:
                self.flush()
        elif data:
            self._kept = data
            waiting = self._waiting
            if not waiting:
                self._loop.call_soon(self._turn.end)
            waiting.append(self)
            if len(waiting) >= _MOST:
                self._turn.end()

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Send some pieces soon, in their order."""
        self.write(b"".join(pieces))

    def write_eof(self) -> None:
        """Say that no more is coming, once all is sent."""
        self.flush()
        self._transport.write_eof()

    def flush(self) -> None:
        """Send what is kept; nothing where nobody is there any more."""
        kept, self._kept = self._kept, b""
        if kept and not self.is_closing():
            self._transport.write(kept)

    def close(self) -> None:
        """Close the connection once all is sent."""
        self.flush()
        self._transport.close()
