"""The origin, assembled: ``create_app`` puts the parts together, its lifespan opens and closes the database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from importlib.metadata import version
from typing import TypedDict

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from origin import admission
from origin.admin import answers_api, courses_api, overrides_api, policies_api
from origin.admin import api as admin
from origin.admin.programmes import Programmes
from origin.booking import api as booking
from origin.booking import group_api, holds_api
from origin.booking.gone import Gone
from origin.booking.store import BookingStore
from origin.booking.together import Bookings
from origin.capacity import api as capacity
from origin.capacity.crowd import Crowd
from origin.capacity.feed import Feed
from origin.capacity.supply import Supply
from origin.capacity.traffic import Measured, Traffic
from origin.config import OriginConfig
from origin.db.pool import Database, create_pool
from origin.db.replica import Reader, reading
from origin.eligibility import api as eligibility
from origin.eligibility import own_api, rules_api
from origin.eligibility.cases import MAX_CASES_BYTES
from origin.eligibility.decisions import Decisions
from origin.eligibility.facts import FactSealer
from origin.eligibility.formats.v2 import MAX_BYTES
from origin.eligibility.keeping import Keeper
from origin.eligibility.rulebook import RuleBook
from origin.eligibility.store import DecisionStore
from origin.gate import Gate
from origin.hot import ActsFirst
from origin.household import api as household
from origin.household.members import Households
from origin.identity import People
from origin.inventory import adjacent_api
from origin.inventory import api as inventory
from origin.inventory import courses_api as next_doses
from origin.inventory.feeds import api as feeds
from origin.inventory.feeds.publish import Feeds
from origin.inventory.feeds.store import FeedStore
from origin.inventory.nearest import Nearest
from origin.inventory.store import SlotStore
from origin.inventory.uploads import api as uploads
from origin.metrics import OriginMetrics
from origin.offers import api as offers
from origin.offers.store import OfferStore
from origin.rings import Rings
from origin.sealing import Vault
from origin.sites import cancel_api, days_api, reopen_api
from origin.state import OriginState, state_of
from origin.turn import Terms
from origin.waitlist import api as waitlist
from origin.waitlist.store import WaitlistStore
from origin.web.pages import Pages
from shared import openapi, service
from shared.bearer import BearerVerifier
from shared.clock import Clock, SystemClock
from shared.http import Endpoint, answer_unexpected
from shared.ids import Ids, SystemIds
from shared.keys import KeyRing
from shared.keywatch import following
from shared.middleware import BodyLimit, Boundary, SecurityHeaders

BODY_LIMIT = 16 * 1024
ADMIN_BODY_LIMIT = MAX_BYTES + MAX_CASES_BYTES + 4 * 1024  # rule documents, their cases, and what is said about them
ADMIN_FORM_LIMIT = 3 * ADMIN_BODY_LIMIT  # the same in a form, where every quotation mark takes three bytes


class LifespanState(TypedDict):
    """What the lifespan puts beside each request."""

    origin: OriginState


_Lifespan = Callable[[Starlette], AbstractAsyncContextManager[LifespanState]]


def endpoints() -> list[Endpoint]:
    """Return the table of all operations, the busiest first."""
    return [
        *booking.ENDPOINTS,
        *group_api.ENDPOINTS,
        *adjacent_api.ENDPOINTS,
        *next_doses.ENDPOINTS,
        *holds_api.ENDPOINTS,
        *inventory.ENDPOINTS,
        *eligibility.ENDPOINTS,
        *own_api.ENDPOINTS,
        *offers.ENDPOINTS,
        *waitlist.ENDPOINTS,
        *household.ENDPOINTS,
        *admission.ENDPOINTS,
        *capacity.ENDPOINTS,
        *feeds.ENDPOINTS,
        *rules_api.ENDPOINTS,
        *admin.ENDPOINTS,
        *courses_api.ENDPOINTS,
        *answers_api.ENDPOINTS,
        *overrides_api.ENDPOINTS,
        *policies_api.ENDPOINTS,
        *uploads.ENDPOINTS,
        *cancel_api.ENDPOINTS,
        *reopen_api.ENDPOINTS,
        *days_api.ENDPOINTS,
    ]


def create_app(
    config: OriginConfig, *, clock: Clock | None = None, ids: Ids | None = None, store: BookingStore | None = None
) -> Starlette:
    """Return the origin as an ASGI app. Any number of them may share a database.

    The database may be away when it starts: it is not ready then, and becomes so.
    """
    meters = OriginMetrics(CollectorRegistry())
    document = openapi.document(
        title="Vestibule origin",
        version=version("vestibule"),
        description="The booking system: eligibility, slots, appointments.",
        endpoints=endpoints(),
        security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
    )
    routes: list[BaseRoute] = [endpoint.route() for endpoint in endpoints()]
    routes += service.routes(ready=_ready, registry=meters.registry, document=document)
    clock, ids = clock or SystemClock(), ids or SystemIds()
    pages = Pages(config, clock, ids)
    rings = Rings(KeyRing.load(config.admission_keys_file), pages.ring, KeyRing.load(config.person_keys_file))
    traffic = Traffic()
    routes += pages.routes()
    return ActsFirst(
        [*booking.ENDPOINTS, *group_api.ENDPOINTS, *holds_api.ENDPOINTS, *eligibility.ENDPOINTS],
        meters.http,
        traffic,
        BODY_LIMIT,
        routes=routes,
        middleware=[
            Middleware(ProxyHeadersMiddleware),
            Middleware(Measured, traffic=traffic),
            Middleware(SecurityHeaders),
            Middleware(Boundary, metrics=meters.http, fault_page=pages.errors.fault),
            Middleware(BodyLimit, limit=BODY_LIMIT, larger=_larger(config)),
        ],
        exception_handlers={
            **pages.errors.handlers(),
            Exception: answer_unexpected,
        },
        lifespan=_lifespan(config, rings, meters, clock, ids, store or BookingStore(), traffic),
    )


def _larger(config: OriginConfig) -> dict[str, int]:
    files = config.supply_upload_mb * 1024 * 1024
    return {
        r"/v1/admin/programmes/[^/]+/supply:import$": files,
        r"/admin/programmes/[^/]+/supply$": files,
        "/v1/admin/": ADMIN_BODY_LIMIT,
        "/admin/": ADMIN_FORM_LIMIT,
    }


def _lifespan(
    config: OriginConfig,
    rings: Rings,
    meters: OriginMetrics,
    clock: Clock,
    ids: Ids,
    store: BookingStore,
    traffic: Traffic,
) -> _Lifespan:
    @asynccontextmanager
    async def run(_app: Starlette) -> AsyncIterator[LifespanState]:
        pool = await create_pool(config.database_url.get_secret_value(), size=config.pool_size)
        database = Database(pool, meters, wait_s=config.pool_wait_s)
        replica_url = None if config.replica_url is None else config.replica_url.get_secret_value()
        urls = config.database_url.get_secret_value(), replica_url
        bound_s, size = config.replica_staleness_s, config.pool_size
        try:
            async with reading(database, clock, meters, urls, bound_s=bound_s, size=size) as reader:
                state = _assemble(config, rings, clock, ids, meters, database, reader, store, traffic)
                with closing(state.feeds):
                    async with following(rings.admission, rings.origin):
                        yield {"origin": state}
        finally:
            await database.close()

    return run


def _assemble(
    config: OriginConfig,
    rings: Rings,
    clock: Clock,
    ids: Ids,
    meters: OriginMetrics,
    database: Database,
    reader: Reader,
    store: BookingStore,
    traffic: Traffic,
) -> OriginState:
    programmes, crowd, slots = Programmes(database, clock), Crowd(), SlotStore()
    nearest = Nearest(database, slots, clock)
    gate = Gate(
        rings.admission,
        rings.origin,
        programmes,
        meters,
        clock,
        crowd,
        leeway_s=config.admission_leeway_s,
        terms=Terms(config.admission_session_s, config.admission_extensions, config.admission_longest_s),
    )
    people = People(BearerVerifier(config.trusted_issuers, clock), rings.person, rings.origin, clock)
    return OriginState(
        config=config,
        clock=clock,
        ids=ids,
        metrics=meters,
        database=database,
        reader=reader,
        programmes=programmes,
        gate=gate,
        people=people,
        households=Households(database, Vault(rings.origin, "household", ids), people, clock, ids),
        decisions=_decisions(rings, clock, ids, meters, database),
        slots=slots,
        nearest=nearest,
        gone=Gone(database, nearest, meters, clock, ids),
        bookings=Bookings(database, store, meters),
        offers=OfferStore(),
        waitlist=WaitlistStore(),
        crowd=crowd,
        capacity=Feed(
            Supply(database),
            traffic,
            crowd,
            meters,
            clock,
            per_s=config.capacity_per_s,
            p99_limit_ms=config.capacity_p99_ms,
        ),
        feeds=Feeds(
            FeedStore(database),
            clock,
            meters,
            every_s=config.feed_every_s,
            origin_url=str(config.origin_public_url),
            edge_url=str(config.edge_public_url),
        ),
    )


def _decisions(rings: Rings, clock: Clock, ids: Ids, meters: OriginMetrics, database: Database) -> Decisions:
    store = DecisionStore()
    return Decisions(
        database=database,
        rules=RuleBook(database, clock, meters),
        store=store,
        keeper=Keeper(database, store, meters),
        sealer=FactSealer(rings.origin, rings.person, ids),
        clock=clock,
        ids=ids,
    )


async def _ready(request: Request) -> bool:
    return await state_of(request).database.answers()
