"""The way to what a whole country asks at once: past the router, with one error path and as few layers as can be.

Starlette tries a regular expression per route, wraps each handler twice more for its errors, and every layer is a frame
that is kept for each request that waits for the store. At ten thousand requests a second that is a good part of the
work. The endpoint table stays the one source of operations and document.
"""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from edge import errors
from edge.carried import has_body
from edge.guard import Guard, Headers
from edge.room import Kind
from shared import problem
from shared.http import Endpoint, Handler
from shared.middleware import BodyLimit, Boundary, HttpMetrics
from shared.problem import Problem

PREFIX = "/v1/rooms/"

_SAFE = frozenset({"GET", "HEAD"})


class RoomCalls:
    """Middleware that answers the operations below ``/v1/rooms/{room}``; all else goes on to the app."""

    def __init__(self, app: ASGIApp, endpoints: Sequence[Endpoint], metrics: HttpMetrics, body_limit: int) -> None:
        self._app = app
        self._plain = Boundary(self._answer, metrics)
        self._with_body = Boundary(BodyLimit(self._answer, body_limit), metrics)
        self._tails: dict[str, dict[str, Handler]] = {}
        for endpoint in endpoints:
            methods = self._tails.setdefault(endpoint.path.removeprefix(f"{PREFIX}{{room}}"), {})
            methods[endpoint.method] = endpoint.handler
            if endpoint.method == "GET":
                methods["HEAD"] = endpoint.handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handlers = self._find(scope) if scope["type"] == "http" else None
        if handlers is None:
            await self._app(scope, receive, send)
            return
        scope["handlers"] = handlers
        await (self._with_body if has_body(scope) else self._plain)(scope, receive, send)

    def _find(self, scope: Scope) -> Mapping[str, Handler] | None:
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root:
            path = path.removeprefix(root)
        if not path.startswith(PREFIX):
            return None
        room, slash, tail = path[len(PREFIX) :].partition("/")
        scope["path_params"] = {"room": room}
        return self._tails.get(slash + tail) if room else None

    @staticmethod
    async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
        handlers: Mapping[str, Handler] = scope["handlers"]
        handler = handlers.get(scope["method"])
        limit: Headers = ()
        try:
            if handler is None:
                raise Problem(problem.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(handlers)})
            if scope["method"] not in _SAFE:
                guard: Guard = scope["state"]["edge"].guard
                kind: Kind = "joins" if scope["path"].endswith("/tickets") else "acts"
                limit = await guard.limit(scope, scope["path_params"]["room"], kind)
            response = await handler(Request(scope, receive))
        except errors.HANDLED as error:
            response = errors.as_problem(error).response()
        response.raw_headers.extend(limit)
        await response(scope, receive, send)
