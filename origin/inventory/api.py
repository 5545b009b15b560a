"""``GET /v1/slots``."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.eligibility.rulebook import RulesUnavailable
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER, Admission
from origin.inventory.slots import Slot
from origin.state import OriginState, state_of
from shared.http import Endpoint, Header, Json, read_query
from shared.problem import INVALID_QUERY, Problem

_LONGEST_WINDOW = timedelta(days=62)
_DEFAULT_WINDOW = timedelta(days=14)
_FURTHEST = timedelta(days=3653)

Time = Annotated[datetime, msgspec.Meta(tz=True)]
DECIMALS = 7  # a centimetre; numbers near 1e-308 make PostgreSQL's trigonometry fail


class SearchForm(msgspec.Struct, forbid_unknown_fields=True, rename={"starts_from": "from", "starts_before": "to"}):
    """Where and when. ``from`` counts, ``to`` does not; without them the next 14 days. Distances in kilometres."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    radius_km: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 50
    starts_from: Time | None = None
    starts_before: Time | None = None
    product: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9.-]{1,64}$")] | None = None
    rule_version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    per_site: Annotated[int, msgspec.Meta(ge=1, le=200)] = 200
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class Found(msgspec.Struct, frozen=True):
    """Slots with free places, nearest site first, then earliest. ``rules_changed``: the version asked with is old."""

    slots: list[Slot]
    rules_changed: bool
    as_of: datetime


async def search(state: OriginState, admission: Admission, form: SearchForm) -> Found:
    """Find slots of the programme that the visitor was let through to.

    Raises:
        Problem: ``invalid_query`` for a window that ends before it begins, is longer than 62 days, or far away;
            503 ``store_unavailable``.
    """
    now = state.clock.now()
    starts_from, starts_before = window(form.starts_from, form.starts_before, now)
    async with state.database.connection() as connection:
        slots = await state.slots.search(
            connection,
            programme=admission.programme.id,
            lat=round(form.lat, DECIMALS),
            lng=round(form.lng, DECIMALS),
            radius_m=max(1, form.radius_km * 1000),
            starts_from=starts_from,
            starts_before=starts_before,
            products=None if form.product is None else [form.product],
            per_site=form.per_site,
            at_most=form.limit,
        )
    changed = form.rule_version is not None and await _changed(state, admission, form.rule_version)
    state.metrics.searched.inc()
    return Found(slots, changed, now)


async def _changed(state: OriginState, admission: Admission, version: int) -> bool:
    try:
        return version not in (await state.decisions.rules.in_force(admission.programme.id)).values()
    except RulesUnavailable:
        return False  # decisions hold until something else is known


def window(asked_from: datetime | None, asked_before: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return from when (not before now) until when to look.

    Raises:
        Problem: ``invalid_query`` for a window that ends before it begins, is longer than 62 days, or far away.
    """
    for asked in (asked_from, asked_before):
        if asked is not None and abs(asked - now) > _FURTHEST:
            raise Problem(INVALID_QUERY, "`from` and `to` must lie within ten years of now")
    starts_from = max(now, asked_from or now)
    starts_before = asked_before or starts_from + _DEFAULT_WINDOW
    if asked_from is not None and starts_before < asked_from:
        raise Problem(INVALID_QUERY, "`to` lies before `from`")
    if starts_before - starts_from > _LONGEST_WINDOW:
        raise Problem(INVALID_QUERY, "the window is longer than 62 days")
    return starts_from, starts_before


async def one_slot(state: OriginState, admission: Admission, slot: int) -> Slot:
    """Return one slot of the programme, free or not.

    Raises:
        Problem: 404 ``slot_unknown``; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        found = await state.slots.one(connection, slot, programme=admission.programme.id)
    if found is None:
        raise Problem(errors.SLOT_UNKNOWN)
    return found


async def search_slots(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admission = await state.gate.admit(request)
    return Json(await search(state, admission, read_query(request, SearchForm)))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/slots",
        search_slots,
        "Find slots with free places by distance and time",
        answers={200: Found},
        query=SearchForm,
        headers=(Header(ADMISSION_HEADER, "The admission token, unless its cookie is sent."),),
        cookies=(ADMISSION_COOKIE,),
        problems=errors.GATE,
    ),
)
