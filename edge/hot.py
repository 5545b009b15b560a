"""The way to what a whole country asks at once: plain ASGI, found by two look-ups, with one error path.

Starlette tries a regular expression per route and wraps each handler once more; at ten thousand requests a second that
is a good part of the work. The endpoint table stays the one source of routes and document.
"""

from collections.abc import Sequence

from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp, Receive, Scope, Send

from edge import errors
from edge.guard import Guard, Headers
from edge.room import Kind
from shared.http import Endpoint, Handler
from shared.middleware import SecurityHeaders

_SAFE = frozenset({"GET", "HEAD"})


class RoomRoutes(BaseRoute):
    """The operations below ``/v1/rooms/{room}``."""

    PREFIX = "/v1/rooms/"

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._tails: dict[str, dict[str, Handler]] = {}
        for endpoint in endpoints:
            tail = endpoint.path.removeprefix(f"{self.PREFIX}{{room}}")
            methods = self._tails.setdefault(tail, {})
            methods[endpoint.method] = endpoint.handler
            if endpoint.method == "GET":
                methods["HEAD"] = endpoint.handler

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root:
            path = path.removeprefix(root)
        if not path.startswith(self.PREFIX):
            return Match.NONE, {}
        room, slash, tail = path[len(self.PREFIX) :].partition("/")
        methods = self._tails.get(slash + tail)
        if methods is None or not room:
            return Match.NONE, {}
        return Match.FULL, {"path_params": {"room": room}, "handlers": methods}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods: dict[str, Handler] = scope["handlers"]
        handler = methods.get(scope["method"])
        if handler is None:
            raise HTTPException(405, headers={"Allow": ", ".join(methods)})
        limit: Headers = ()
        try:
            if scope["method"] not in _SAFE:
                guard: Guard = scope["state"]["edge"].guard
                kind: Kind = "joins" if scope["path"].endswith("/tickets") else "acts"
                limit = await guard.limit(scope, scope["path_params"]["room"], kind)
            response = await handler(Request(scope, receive))
        except errors.HANDLED as error:
            response = errors.as_problem(error).response()
        response.raw_headers.extend(limit)
        await response(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        raise NoMatchFound(name, path_params)


class OnPages:
    """Security headers for everything but the JSON, which has no use for them."""

    def __init__(self, app: ASGIApp, form_targets: tuple[str, ...]) -> None:
        self._app = app
        self._pages = SecurityHeaders(app, form_targets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        json = scope["type"] == "http" and scope["path"].startswith("/v1/")
        await (self._app if json else self._pages)(scope, receive, send)
