"""An app that answers what everybody asks before all that Starlette puts before its routes.

Starlette tries a regular expression per route and wraps each handler thrice more for its errors, and each middleware is
a call more for every message of an answer. At thousands of requests a second that is a good part of the work. The
endpoint table stays the one source of operations and document; what is not found here goes on to the routes.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from time import perf_counter

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.protocol import whole_of

Answer = Callable[[Scope, Receive], Awaitable[Response]]
"""Makes the answer to a request. It raises nothing: errors are answers, too."""


class Quick(Starlette, ABC):
    """Subclasses say what is answered first (``find``) and what is noted of it (``note``)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.find(scope) if scope["type"] == "http" else None
        if answer is None:
            await super().__call__(scope, receive, send)
            return
        started = perf_counter()
        status = 0
        self.begin()
        try:
            response = await answer(scope, receive)
            status = response.status_code
            whole = whole_of(scope)
            if whole is None or not whole(scope, status, response.raw_headers, bytes(response.body)):
                await send({"type": "http.response.start", "status": status, "headers": response.raw_headers})
                await send({"type": "http.response.body", "body": response.body})
        finally:
            self.note(scope["method"], status, perf_counter() - started)

    @abstractmethod
    def find(self, scope: Scope) -> Answer | None:
        """Return what answers a request, or None for whatever Starlette is to answer."""

    def begin(self) -> None:
        """Take note that somebody has asked."""

    @abstractmethod
    def note(self, method: str, status: int, seconds: float) -> None:
        """Take note of an answer; ``status`` is 0 where there was none."""
