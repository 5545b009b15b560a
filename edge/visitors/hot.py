"""The way to what a whole country asks at once: past the router, with one error path and as few layers as can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from edge import errors
from edge.guard.guard import Guard, Headers
from edge.line.room import Kind
from edge.visitors.carried import has_body
from shared import problem
from shared.http import Endpoint, Handler
from shared.middleware import HttpMetrics, bounded, log_fault
from shared.problem import Problem
from shared.quick import Answer, Quick
from shared.web.errors import ErrorPages

PREFIX = "/v1/rooms/"
PAGES = "/rooms/"

_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Page:
    """The room's page: what shows it, what is shown when that fails, and the headers that every page has."""

    show: Answer
    errors: ErrorPages
    headers: Headers


class RoomsFirst(Quick):
    """An app that answers the operations below ``/v1/rooms/{room}``, and a known room's page, before all that Starlette
    puts before its routes, its own handling of errors included.

    Each answer is timed and counted; what nobody caught is logged and becomes a plain 500, as ``Boundary`` has it.
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], page: Page, metrics: HttpMetrics, body_limit: int, **given: Any
    ) -> None:
        super().__init__(**given)
        self._page = page
        self._metrics = metrics
        self._body_limit = body_limit
        self._tails: dict[str, dict[str, Handler]] = {}
        for endpoint in endpoints:
            methods = self._tails.setdefault(endpoint.path.removeprefix(f"{PREFIX}{{room}}"), {})
            methods[endpoint.method] = endpoint.handler
            if endpoint.method == "GET":
                methods["HEAD"] = endpoint.handler

    def note(self, method: str, status: int, seconds: float) -> None:
        self._metrics.observe(method, status, seconds)

    def find(self, scope: Scope) -> Answer | None:
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root:
            path = path.removeprefix(root)
        if path.startswith(PREFIX):
            room, slash, tail = path[len(PREFIX) :].partition("/")
            handlers = self._tails.get(slash + tail) if room else None
            if handlers is None:
                return None
            scope["handlers"] = handlers
            scope["path_params"] = {"room": room}
            return self._call
        if path.startswith(PAGES) and scope["method"] in _SAFE:
            room = path[len(PAGES) :]
            if room in scope["state"]["edge"].desks:
                scope["path_params"] = {"room": room}
                return self._show
        return None

    async def _call(self, scope: Scope, receive: Receive) -> Response:
        handlers: Mapping[str, Handler] = scope["handlers"]
        method: str = scope["method"]
        handler = handlers.get(method)
        if handler is None:
            return Problem(problem.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(handlers)}).response()
        limit: Headers = ()
        try:
            if method not in _SAFE:
                if has_body(scope):
                    receive = await bounded(scope, receive, self._body_limit)
                guard: Guard = scope["state"]["edge"].guard
                kind: Kind = "joins" if scope["path"].endswith("/tickets") else "acts"
                limit = await guard.limit(scope, scope["path_params"]["room"], kind)
            response = await handler(Request(scope, receive))
        except errors.HANDLED as error:
            response = errors.as_problem(error).response()
        except Exception as error:
            log_fault(error)
            return Problem(problem.INTERNAL).response()
        response.raw_headers.extend(limit)
        return response

    async def _show(self, scope: Scope, receive: Receive) -> Response:
        try:
            response = await self._page.show(scope, receive)
        except Problem as refused:
            response = await self._page.errors.refusal(Request(scope, receive), refused)
        except Exception as error:
            log_fault(error)
            response = self._page.errors.fault(scope) or Problem(problem.INTERNAL).response()
        response.raw_headers.extend(self._page.headers)
        return response
