"""The edge, assembled: ``create_app`` puts the parts together, its lifespan opens and closes the store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute

from edge import errors
from edge.config import EdgeConfig
from edge.governor import feed
from edge.guard.guard import Guard
from edge.guard.once import Once
from edge.line.kept import RegisterKeeper
from edge.line.line import Line, LineError
from edge.line.pace import Pace
from edge.line.store import connect
from edge.line.ticket import TicketRefused, Tickets
from edge.metrics import EdgeMetrics, RoomCollector
from edge.ops import api as ops_api
from edge.pages.waiting import Pages
from edge.register import Register
from edge.registrar import Registrar
from edge.rooms import Means, Rooms
from edge.state import EdgeState, LifespanState
from edge.visitors import api as visitor_api
from edge.visitors.hot import Page, RoomsFirst
from edge.visitors.resume import ResumeCodes
from shared import openapi, service
from shared.bearer import BearerVerifier
from shared.clock import Clock, SystemClock
from shared.http import Endpoint, answer_unexpected
from shared.ids import Ids, SystemIds
from shared.keywatch import KeyWatch
from shared.middleware import BodyLimit, Boundary, SecurityHeaders, page_headers
from shared.token import AdmissionTokens

BODY_LIMIT = 16 * 1024
_Lifespan = Callable[[Starlette], AbstractAsyncContextManager[LifespanState]]


def endpoints() -> list[Endpoint]:
    """Return the table of all operations, the busiest first."""
    return [*visitor_api.endpoints(), *ops_api.endpoints()]


def create_app(
    config: EdgeConfig,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    line: type[Line] = Line,
    once: type[Once] = Once,
    codes: type[ResumeCodes] = ResumeCodes,
) -> Starlette:
    """Return the edge as an ASGI app. Any number of them may share a store.

    Args:
        line: what keeps each room's line.
        once: what makes sure that things work once.
        codes: what carries places to other devices.
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
    pages = Pages(config.theme, secure_cookies=config.secure_cookies)
    routes += pages.routes()
    page = Page(pages.room, pages.errors, page_headers((config.origin_public_url,)))
    return RoomsFirst(
        visitor_api.endpoints(),
        page,
        metrics.http,
        BODY_LIMIT,
        routes=routes,
        middleware=[
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
        lifespan=_lifespan(config, metrics, clock or SystemClock(), ids or SystemIds(), line, once, codes),
    )


def _lifespan(
    config: EdgeConfig,
    metrics: EdgeMetrics,
    clock: Clock,
    ids: Ids,
    line: type[Line],
    once: type[Once],
    codes: type[ResumeCodes],
) -> _Lifespan:
    @asynccontextmanager
    async def run(_app: Starlette) -> AsyncIterator[LifespanState]:
        async with (
            aclosing(connect(config.redis_url.get_secret_value())) as client,  # not entered: it may be away
            feed.connect() as http,
        ):
            guard = Guard(
                client,
                config.ticket_keys,
                metrics.guard,
                metrics,
                trusted_proxies=config.trusted_proxies,
                secure_cookies=config.secure_cookies,
                clock=clock,
                ids=ids,
                once=once,
            )
            rooms = Rooms(Means(config, client, http, metrics, guard, line, clock, ids, ids.secret(16), Pace()))
            register = Register(client, metrics, heal_s=config.heal_s)
            edge = EdgeState(
                config=config,
                desks=rooms.desks,
                tickets=Tickets(config.ticket_keys),
                tokens=AdmissionTokens(config.admission_keys),
                ids=ids,
                verifier=BearerVerifier(config.issuers, clock),
                metrics=metrics,
                guard=guard,
                registrar=Registrar(register, rooms, RegisterKeeper(config.state_dir)),
                codes=codes(client, metrics, ids),
                clock=clock,
            )
            metrics.registry.register(RoomCollector(rooms.pictures))
            for plan in config.rooms:
                rooms.open(plan)
            await edge.registrar.begin()
            await _first_look(edge)
            stop = asyncio.Event()  # told rather than cancelled: the store's client may swallow a cancellation
            async with asyncio.TaskGroup() as refreshing:
                refreshing.create_task(KeyWatch((config.ticket_keys, config.admission_keys)).run(stop))
                refreshing.create_task(edge.registrar.run(stop))
                rooms.start(refreshing, stop)
                try:
                    yield {"edge": edge}
                finally:
                    stop.set()

    return run


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
    return edge.registrar.has_read and not any(view.picture.healing for view in views)
