"""``GET /v1/slots``, its days at a glance, and the places that it can begin at."""

from datetime import datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.db.sql import Connection
from origin.eligibility.rulebook import RulesUnavailable
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER, Admission
from origin.inventory import gazetteer
from origin.inventory.forms import DaysForm, SearchForm, month_after, span_of_days
from origin.inventory.gazetteer import Place
from origin.inventory.search import FIRST, Area, Cursor
from origin.inventory.slots import Slot
from origin.inventory.store import FreeDay, FreeDays, Page
from origin.state import OriginState, state_of
from shared.http import IF_NONE_MATCH, Endpoint, Header, Tagged, read_query
from shared.problem import Problem

_VARIES = f"{ADMISSION_HEADER}, Cookie"


class Found(msgspec.Struct, frozen=True):
    """Slots with free places. ``next``: what ``after`` takes for the next page, null at the end.

    ``rules_changed``: the version asked with is old. ``as_of``: all that was booked until then is counted.
    """

    slots: list[Slot]
    next: str | None
    rules_changed: bool
    as_of: datetime


class Month(msgspec.Struct, frozen=True):
    """The days of a month that have free places, on the sites' own calendars.

    ``more_sites``: there are sites beyond the nearest 100, and they are not counted.
    """

    month: str
    days: list[FreeDay]
    more_sites: bool
    as_of: datetime


class PlacesForm(msgspec.Struct, forbid_unknown_fields=True):
    """``q``: the beginning of a town's name, of its words, or of a postal code."""

    q: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=20)] = 10


class Places(msgspec.Struct, frozen=True):
    """Places that are called so first, then those with most sites, then the largest."""

    places: list[Place]
    as_of: datetime


async def search(state: OriginState, admission: Admission, form: SearchForm) -> Found:
    """Find slots of the programme that the visitor was let through to.

    Raises:
        Problem: ``invalid_query``, ``place_unknown``, ``place_ambiguous``, ``cursor_unknown``; 503
            ``store_unavailable``.
    """
    form.check()
    programme = admission.programme.id
    cursor = form.cursor(programme)
    span = form.span(state.clock.now(), None if cursor is None else cursor.starts_before)

    async def ask(connection: Connection) -> tuple[Page, Area]:
        area = await form.area(connection) if cursor is None else _circle(cursor, form)
        page = await state.slots.search(
            connection,
            form.wanted(programme),
            area,
            span,
            at_most=form.limit,
            sort=form.sort,
            per_site=form.per_site,
            after=FIRST if cursor is None else cursor.at,
        )
        return page, area

    (page, area), as_of = await state.reader.read(ask)
    further = None
    if page.end is not None:
        further = Cursor(form.digest(programme), area.lat, area.lng, span.starts_before, page.end).text()
    changed = form.rule_version is not None and await _changed(state, admission, form.rule_version)
    state.metrics.searched.inc()
    return Found(page.slots, further, changed, as_of)


def _circle(cursor: Cursor, form: SearchForm) -> Area:
    return Area(round(cursor.lat, 7), round(cursor.lng, 7), max(1, form.radius_km * 1000))


async def _changed(state: OriginState, admission: Admission, version: int) -> bool:
    try:
        return version not in (await state.decisions.rules.in_force(admission.programme.id)).values()
    except RulesUnavailable:
        return False  # decisions hold until something else is known


async def month(state: OriginState, admission: Admission, form: DaysForm) -> Month:
    """Return the days with free places.

    Raises:
        Problem: ``invalid_query``, ``place_unknown``, ``place_ambiguous``; 503 ``store_unavailable``.
    """
    form.check()
    now = state.clock.now()
    first = form.first_day(now.date())
    end = month_after(first)

    async def ask(connection: Connection) -> FreeDays:
        area = await form.area(connection)
        wanted, span = form.wanted(admission.programme.id), span_of_days(first, end, now)
        return await state.slots.days(connection, wanted, area, span, first_day=first, end_day=end)

    found, as_of = await state.reader.read(ask)
    return Month(form.month, found.days, found.more_sites, as_of)


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
    found = await search(state, admission, read_query(request, SearchForm))
    return _of_the_programme(request, found, (found.slots, found.next, found.rules_changed))


async def read_days(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admission = await state.gate.admit(request)
    found = await month(state, admission, read_query(request, DaysForm))
    return _of_the_programme(request, found, (found.month, found.days, found.more_sites))


def _of_the_programme(request: Request, content: object, same: object) -> Response:
    """Answer for a moment: private, for the address does not say of which programme, the admission does."""
    return Tagged(request, content, same=same, cache_control="private, max-age=1", vary=_VARIES)


async def read_places(request: Request) -> Response:
    """Handle the request. The gate spares the database; what is behind it here is the same for all, and no secret."""
    state = state_of(request)
    await state.gate.admit(request)
    form = read_query(request, PlacesForm)

    async def ask(connection: Connection) -> list[Place]:
        return await gazetteer.beginning(connection, form.q, at_most=form.limit)

    found, as_of = await state.reader.read(ask)
    return Tagged(request, Places(found, as_of), same=found, cache_control="public, max-age=60")


_ADMITTED = (Header(ADMISSION_HEADER, "The admission token, unless its cookie is sent."), IF_NONE_MATCH)
_ABOUT_PLACES = (errors.PLACE_UNKNOWN, errors.PLACE_AMBIGUOUS)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/slots",
        search_slots,
        "Find slots with free places by distance and time",
        answers={200: Found, 304: None},
        query=SearchForm,
        headers=_ADMITTED,
        cookies=(ADMISSION_COOKIE,),
        problems=(*errors.GATE, *_ABOUT_PLACES, errors.CURSOR_UNKNOWN),
    ),
    Endpoint(
        "GET",
        "/v1/slots/days",
        read_days,
        "The days of a month that have free places",
        answers={200: Month, 304: None},
        query=DaysForm,
        headers=_ADMITTED,
        cookies=(ADMISSION_COOKIE,),
        problems=(*errors.GATE, *_ABOUT_PLACES),
    ),
    Endpoint(
        "GET",
        "/v1/places",
        read_places,
        "Towns and postal codes by how they begin",
        answers={200: Places, 304: None},
        query=PlacesForm,
        headers=_ADMITTED,
        cookies=(ADMISSION_COOKIE,),
        problems=errors.GATE,
    ),
)
