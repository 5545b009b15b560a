"""``/v1/admin/sites/{site}/days/{day}``, marks and walk-ins."""

from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.booking.api import appointment_id
from origin.booking.appointments import Appointment
from origin.booking.key import HEADER, read_key
from origin.eligibility.person import facts_of
from origin.sites.cancel_api import PATH, REFUSED, SITE
from origin.sites.days import day_list, mark
from origin.sites.models import DayList, Marked, MarkForm, WalkInForm
from origin.sites.staff import site_by_code, staff_of
from origin.sites.walk_ins import Door
from origin.state import state_of
from shared import problem
from shared.http import Endpoint, Header, Json, read_body
from shared.problem import Problem


async def read_day(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    await staff_of(request)
    async with state.database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
        return Json(await day_list(connection, site, day_of(request), state.clock.now()))


async def mark_appointment(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await staff_of(request)
    form = await read_body(request, MarkForm)
    appointment = appointment_id(request)
    async with state.database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
        await mark(connection, official, site, appointment, form.status, state.clock.now())
    return Json(Marked(appointment, form.status))


async def book_walk_in(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await staff_of(request)
    key = read_key(request.headers)
    form = await read_body(request, WalkInForm)
    async with state.database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
    return Json(await Door(state, official, site).walk_in(form.slot_id, key, facts_of(form.facts)), 201)


def day_of(request: Request) -> date:
    """Return the day that the path names; raises Problem 404 ``not_found``."""
    try:
        return date.fromisoformat(request.path_params["day"])
    except ValueError:
        raise Problem(problem.NOT_FOUND) from None


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH + "/days/{day}",
        read_day,
        "Who is expected at a site on a day, by time",
        answers={200: DayList},
        path_params=SITE | {"day": {"type": "string", "format": "date"}},
        problems=REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + "/appointments/{id}:mark",
        mark_appointment,
        "Check in, complete, mark as not come, or take that back",
        answers={200: Marked},
        body=MarkForm,
        path_params=SITE | {"id": {"type": "string", "format": "uuid"}},
        problems=(*REFUSED, errors.APPOINTMENT_UNKNOWN, errors.MARK_REFUSED, errors.MARK_EARLY),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + "/walk-ins",
        book_walk_in,
        "Book a free place for somebody who came without an appointment",
        answers={201: Appointment},
        body=WalkInForm,
        path_params=SITE,
        headers=(Header(HEADER, "The same key books once.", required=True),),
        problems=(
            *REFUSED,
            errors.IDEMPOTENCY_KEY_MISSING,
            errors.IDEMPOTENCY_KEY_MALFORMED,
            errors.KEY_IN_FLIGHT,
            errors.KEY_REUSED,
            errors.FROZEN,
            errors.SLOT_UNKNOWN,
            errors.SLOT_PAST,
            errors.SLOT_GONE,
            errors.INELIGIBLE,
            errors.RULES_MISSING,
            errors.RULES_UNAVAILABLE,
        ),
        security=("bearer",),
    ),
)
