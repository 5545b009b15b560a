"""``POST /v1/appointments``; ``GET`` and ``DELETE /v1/appointments/{id}``, and ``:reschedule`` of it."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.booking.appointments import Appointment
from origin.booking.book import PATH, BookForm, book
from origin.booking.keep import cancel, view
from origin.booking.key import HEADER, read_key
from origin.booking.reschedule import RescheduleForm, reschedule
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER
from origin.state import state_of
from shared.http import Endpoint, Header, Json, read_body
from shared.problem import UNAUTHENTICATED, Problem


async def book_appointment(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admission = await state.gate.admit(request)
    person = await state.people.caller(request)
    key = read_key(request.headers)
    form = await read_body(request, BookForm)
    appointment = await book(state, admission, person, key, form)
    return Json(appointment, 201, Location=f"{PATH}/{appointment.id}")


async def view_appointment(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    return Json(await view(state, person, appointment_id(request)))


async def cancel_appointment(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    await cancel(state, person, appointment_id(request))
    return Response(status_code=204)


async def reschedule_appointment(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    key = read_key(request.headers)
    form = await read_body(request, RescheduleForm)
    return Json(await reschedule(state, person, key, appointment_id(request), form))


def appointment_id(request: Request) -> UUID:
    """Return the id that the path names; raises Problem 404 ``appointment_unknown``."""
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Problem(errors.APPOINTMENT_UNKNOWN) from None


_ID = {"id": {"type": "string", "format": "uuid"}}
_KEY = Header(
    HEADER,
    "1 to 255 visible ASCII characters, quoted or bare. The same key gets the same answer for 24 hours.",
    required=True,
)
_KEY_REFUSED = (
    errors.IDEMPOTENCY_KEY_MISSING,
    errors.IDEMPOTENCY_KEY_MALFORMED,
    errors.KEY_IN_FLIGHT,
    errors.KEY_REUSED,
)

ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        book_appointment,
        "Book a slot; 201 means committed",
        answers={201: Appointment},
        body=BookForm,
        headers=(
            _KEY,
            Header(ADMISSION_HEADER, "The admission token, unless its cookie is sent."),
        ),
        cookies=(ADMISSION_COOKIE,),
        problems=(
            *errors.GATE,
            UNAUTHENTICATED,
            *_KEY_REFUSED,
            errors.FROZEN,
            errors.SLOT_UNKNOWN,
            errors.SLOT_PAST,
            errors.SLOT_GONE,
            errors.DECISION_UNKNOWN,
            errors.DECISION_EXPIRED,
            errors.OVERRIDE_ENDED,
            errors.INELIGIBLE,
            errors.ADMISSION_USED,
            errors.ALREADY_BOOKED,
            errors.NEXT_DOSE_MISSING,
            errors.RULES_MISSING,
            errors.RULES_UNAVAILABLE,
        ),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + "/{id}:reschedule",
        reschedule_appointment,
        "Move an appointment; the old place is kept until the new one is certain",
        answers={200: Appointment},
        body=RescheduleForm,
        path_params=_ID,
        headers=(_KEY,),
        problems=(
            UNAUTHENTICATED,
            *_KEY_REFUSED,
            errors.FROZEN,
            errors.APPOINTMENT_UNKNOWN,
            errors.APPOINTMENT_CANCELLED,
            errors.TOO_LATE,
            errors.TOO_OFTEN,
            errors.SLOT_UNKNOWN,
            errors.SLOT_PAST,
            errors.SLOT_GONE,
            errors.INELIGIBLE,
            errors.INTERVAL_NOT_KEPT,
        ),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/{id}",
        view_appointment,
        "View one's own appointment, or one that one booked for another",
        answers={200: Appointment},
        path_params=_ID,
        problems=(UNAUTHENTICATED, errors.APPOINTMENT_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "DELETE",
        PATH + "/{id}",
        cancel_appointment,
        "Cancel one's own appointment; its place can be booked at once",
        answers={204: None},
        path_params=_ID,
        problems=(UNAUTHENTICATED, errors.APPOINTMENT_UNKNOWN, errors.TOO_LATE, errors.TOO_OFTEN),
        security=("bearer",),
    ),
)
