"""Endpoints for what a whole country asks at once: plain ASGI below Starlette's router, with one error path."""

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edge import errors
from shared.http import Endpoint, Handler


class Hot:
    """A handler as an ASGI app. Spares Starlette's per-request exception wrapper; refusals are answered here."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._handler(Request(scope, receive))
        except errors.HANDLED as error:
            response = errors.as_problem(error).response()
        await response(scope, receive, send)


class HotEndpoint(Endpoint):
    """An Endpoint whose route spares what it can."""

    def route(self) -> Route:
        """Return the Starlette route."""
        return Route(self.path, Hot(self.handler), methods=[self.method], name=self.handler.__name__)
