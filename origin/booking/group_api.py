"""``POST /v1/bookings``."""

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.booking.api import ENDPOINTS as _ALONE
from origin.booking.group import PATH, Booking, BookingForm, book_together
from origin.booking.key import read_key
from origin.state import state_of
from shared.http import Endpoint, Json, read_body


async def book_several(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admission = await state.gate.admit(request)
    person = await state.people.caller(request)
    key = read_key(request.headers)
    form = await read_body(request, BookingForm)
    return Json(await book_together(state, admission, person, key, form), 201)


_BOOK = _ALONE[0]

ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        book_several,
        "Book several appointments with one admission, all or none: both doses of a course, or a household's",
        answers={201: Booking},
        body=BookingForm,
        headers=_BOOK.headers,
        cookies=_BOOK.cookies,
        problems=(*_BOOK.problems, errors.INTERVAL_NOT_KEPT, errors.MEMBER_UNKNOWN),
        security=("bearer",),
    ),
)
