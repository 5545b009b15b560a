"""``POST /v1/holds``, ``DELETE /v1/holds/{id}``."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.booking.hold import PATH, HoldForm, hold, release
from origin.booking.hold_store import Hold
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER
from origin.state import state_of
from shared.http import Endpoint, Header, Json, read_body
from shared.problem import UNAUTHENTICATED, Problem


async def hold_place(request: Request) -> Response:
    """Handle the request. Who moves an appointment has queued for it before."""
    state = state_of(request)
    form = await read_body(request, HoldForm)
    form.check()
    programme = None if form.decision_ref is None else (await state.gate.admit(request)).programme.id
    person = await state.people.caller(request)
    made = await hold(state, person, form, programme=programme)
    return Json(made, 201, Location=f"{PATH}/{made.id}")


async def release_hold(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    await release(state, person, _hold(request))
    return Response(status_code=204)


def _hold(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Problem(errors.HOLD_UNKNOWN) from None


ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        hold_place,
        "Hold a place for a moment, to book it or to move an appointment there",
        answers={201: Hold},
        body=HoldForm,
        headers=(Header(ADMISSION_HEADER, "With `decision_ref`: the admission token, unless its cookie is sent."),),
        cookies=(ADMISSION_COOKIE,),
        problems=(
            *errors.GATE,
            UNAUTHENTICATED,
            errors.FROZEN,
            errors.SLOT_UNKNOWN,
            errors.SLOT_PAST,
            errors.SLOT_GONE,
            errors.DECISION_UNKNOWN,
            errors.DECISION_EXPIRED,
            errors.INELIGIBLE,
            errors.APPOINTMENT_UNKNOWN,
            errors.APPOINTMENT_CANCELLED,
            errors.TOO_LATE,
            errors.TOO_OFTEN,
        ),
        security=("bearer",),
    ),
    Endpoint(
        "DELETE",
        PATH + "/{id}",
        release_hold,
        "Give a held place back; it can be booked at once",
        answers={204: None},
        path_params={"id": {"type": "string", "format": "uuid"}},
        problems=(UNAUTHENTICATED, errors.HOLD_UNKNOWN),
        security=("bearer",),
    ),
)
