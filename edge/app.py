"""The edge, assembled: ``create_app`` puts the parts together, its lifespan opens and closes the store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute

from edge import errors, ops_api, visitor_api
from edge.config import EdgeConfig
from edge.desk import Desk
from edge.hot import RoomCalls
from edge.line import Line, LineError
from edge.metrics import EdgeMetrics, RoomCollector
from edge.pages import Pages
from edge.state import EdgeState, LifespanState
from edge.ticket import TicketRefused, Tickets
from shared import openapi, service
from shared.bearer import BearerVerifier
from shared.clock import Clock, SystemClock
from shared.http import Endpoint, answer_unexpected
from shared.ids import Ids, SystemIds
from shared.middleware import BodyLimit, Boundary, SecurityHeaders
from shared.token import AdmissionTokens

BODY_LIMIT = 16 * 1024
_STORE_TIMEOUT_S = 1.0
_Lifespan = Callable[[Starlette], AbstractAsyncContextManager[LifespanState]]


def endpoints() -> list[Endpoint]:
    """Return the table of all operations, the busiest first."""
    return [*visitor_api.endpoints(), *ops_api.endpoints()]


def create_app(
    config: EdgeConfig, *, clock: Clock | None = None, ids: Ids | None = None, line: type[Line] = Line
) -> Starlette:
    """Return the edge as an ASGI app. Any number of them may share a store.

    Args:
        line: what keeps each room's line.
    """
    metrics = EdgeMetrics(CollectorRegistry())
    document = openapi.document(
        title="Vestibule edge",
        version=version("vestibule"),
        description="The waiting room: join, see where you stand, go through when called.",
        endpoints=endpoints(),
        security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
    )
    routes: list[BaseRoute] = [endpoint.route() for endpoint in ops_api.endpoints()]
    routes += service.routes(ready=_ready, registry=metrics.registry, document=document)
    pages = Pages()
    routes += pages.routes()
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(RoomCalls, endpoints=visitor_api.endpoints(), metrics=metrics.http, body_limit=BODY_LIMIT),
            Middleware(SecurityHeaders, form_targets=(config.origin_public_url,)),
            Middleware(Boundary, metrics=metrics.http, fault_page=pages.errors.fault),
            Middleware(BodyLimit, limit=BODY_LIMIT),
        ],
        exception_handlers={
            **pages.errors.handlers(),
            TicketRefused: errors.answer,
            LineError: errors.answer,
            Exception: answer_unexpected,
        },
        lifespan=_lifespan(config, metrics, clock or SystemClock(), ids or SystemIds(), line),
    )


def _lifespan(config: EdgeConfig, metrics: EdgeMetrics, clock: Clock, ids: Ids, line: type[Line]) -> _Lifespan:
    @asynccontextmanager
    async def run(_app: Starlette) -> AsyncIterator[LifespanState]:
        async with connect(config) as client:
            desks = {
                room.id: Desk(room, line(client, room, metrics, heal_s=config.heal_s), metrics) for room in config.rooms
            }
            metrics.registry.register(RoomCollector(lambda: {room: desk.line.picture for room, desk in desks.items()}))
            edge = EdgeState(
                config=config,
                desks=desks,
                tickets=Tickets(config.ticket_keys),
                tokens=AdmissionTokens(config.admission_keys),
                ids=ids,
                verifier=BearerVerifier(config.issuers, clock),
                metrics=metrics,
            )
            await _first_look(edge)
            stop = asyncio.Event()  # told rather than cancelled: the store's client may swallow a cancellation
            async with asyncio.TaskGroup() as refreshing:
                for desk in desks.values():
                    refreshing.create_task(desk.keep_fresh(stop))
                try:
                    yield {"edge": edge}
                finally:
                    stop.set()

    return run


def connect(config: EdgeConfig) -> Redis:
    """Return a client of the store that fails fast: whoever waits is told to come back rather than kept."""
    return Redis.from_url(
        config.redis_url.get_secret_value(),
        socket_timeout=_STORE_TIMEOUT_S,
        socket_connect_timeout=_STORE_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


async def _first_look(edge: EdgeState) -> None:
    """Begin with a picture of each room; a store that is away does not keep the edge from starting."""
    for desk in edge.desks.values():
        try:
            await desk.refresh()
        except LineError:
            return


async def _ready(request: Request) -> bool:
    edge: EdgeState = request.scope["state"]["edge"]
    try:
        views = [desk.view() for desk in edge.desks.values()]
    except LineError:
        return False
    return not any(view.picture.healing for view in views)
