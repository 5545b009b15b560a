"""``/v1/waitlist``: join, see, leave, and come in for the place that is offered."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import admission, errors
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER
from origin.state import state_of
from origin.waitlist import waiting
from origin.waitlist.models import Entries, Entry, JoinForm
from shared.http import Endpoint, Header, Json, read_body
from shared.problem import UNAUTHENTICATED, Problem

PATH = "/v1/waitlist"


async def join(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admitted = await state.gate.admit(request)
    person = await state.people.caller(request)
    form = await read_body(request, JoinForm)
    return Json(await waiting.join(state, admitted, person, form), 201)


async def list_entries(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    return Json(Entries(await waiting.entries(state, person)))


async def leave(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    await waiting.leave(state, person, entry_id(request))
    return Response(status_code=204)


async def enter(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    _, exchanged, cookie = await waiting.enter(state, person, entry_id(request))
    response = Json(exchanged)
    admission.set_cookie(state, response, cookie, exchanged.expires_at)
    return response


def entry_id(request: Request) -> UUID:
    """Return the id that the path names; raises Problem 404 ``entry_unknown``."""
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Problem(errors.ENTRY_UNKNOWN) from None


_ID = {"id": {"type": "string", "format": "uuid"}}

ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        join,
        "Wait for a place to become free",
        answers={201: Entry},
        body=JoinForm,
        headers=(Header(ADMISSION_HEADER, "The admission token, unless its cookie is sent."),),
        cookies=(ADMISSION_COOKIE,),
        problems=(
            *errors.GATE,
            UNAUTHENTICATED,
            errors.NO_WAITLIST,
            errors.ALREADY_WAITING,
            errors.DECISION_UNKNOWN,
            errors.DECISION_EXPIRED,
            errors.INELIGIBLE,
            errors.SITE_UNKNOWN,
            errors.ADMISSION_USED,
            errors.ALREADY_BOOKED,
        ),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH,
        list_entries,
        "One's own entries",
        answers={200: Entries},
        problems=(UNAUTHENTICATED,),
        security=("bearer",),
    ),
    Endpoint(
        "DELETE",
        PATH + "/{id}",
        leave,
        "Leave the waitlist; a place that is held goes to the next one",
        answers={204: None},
        path_params=_ID,
        problems=(UNAUTHENTICATED, errors.ENTRY_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + "/{id}:enter",
        enter,
        "Come in again to book the place that is offered, without the queue",
        answers={200: admission.Exchanged},
        path_params=_ID,
        problems=(UNAUTHENTICATED, errors.ENTRY_UNKNOWN, errors.OFFER_OVER),
        security=("bearer",),
    ),
)
