"""``/v1/admission:exchange`` and ``:extend``: a token in, a session as long as a form needs out, longer where asked."""

import math
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.gate import ADMISSION_COOKIE
from origin.state import OriginState, state_of
from shared.http import Endpoint, Json, read_body
from shared.problem import Problem


class ExchangeForm(msgspec.Struct, forbid_unknown_fields=True):
    """The token as the edge gave it."""

    token: Annotated[str, msgspec.Meta(max_length=2048)]


class Exchanged(msgspec.Struct, frozen=True):
    """What one was let through to, and until when the session lasts."""

    room: str
    programme: str
    expires_at: datetime


class Extended(Exchanged, frozen=True):
    """The same with its new end. ``extensions_left``: how often it can be made longer still."""

    extensions_left: int


async def exchange(state: OriginState, token: str) -> tuple[Exchanged, str]:
    """Return what the token admits to, and the value of the cookie that stands for it.

    Raises:
        Problem: 403 ``admission_<reason>``; 503 ``store_unavailable``.
    """
    admission, cookie = await state.gate.exchange(token)
    expires_at = datetime.fromtimestamp(admission.exp, UTC)
    return Exchanged(admission.programme.room, admission.programme.id, expires_at), cookie


async def extend(state: OriginState, request: Request) -> tuple[Extended, str]:
    """Make the session that the request carries longer; return how long it lasts now, and its new cookie.

    An admission whose booking is made gets no more time. While the database cannot tell, it does: that is when people
    need it, and a booking consumes an admission once whatever its session says.

    Raises:
        Problem: 403 ``admission_<reason>``; 409 ``admission_used``, ``admission_extended_enough``.
    """
    session = await state.gate.session(request)
    if await _is_used(state, session.id):
        state.gate.count_used()
        state.metrics.admission_extended.labels("used").inc()
        raise Problem(errors.ADMISSION_USED)
    extension = await state.gate.extend(session)
    admission = extension.admission
    expires_at = datetime.fromtimestamp(admission.exp, UTC)
    extended = Extended(admission.programme.room, admission.programme.id, expires_at, extension.left)
    return extended, extension.cookie


async def _is_used(state: OriginState, admission: str) -> bool:
    try:
        async with state.database.connection() as connection:
            return await state.bookings.store.is_used(connection, admission)
    except Problem:  # policy: open
        return False


def set_cookie(state: OriginState, response: Response, cookie: str, expires_at: datetime) -> None:
    """Give the visitor the admission cookie, for as long as the session lasts."""
    response.set_cookie(
        ADMISSION_COOKIE,
        cookie,
        max_age=math.ceil((expires_at - state.clock.now()).total_seconds()),
        path="/",
        httponly=True,
        secure=state.config.secure_cookies,
        samesite="lax",
    )


async def exchange_admission(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    form = await read_body(request, ExchangeForm)
    exchanged, cookie = await exchange(state, form.token)
    response = Json(exchanged)
    set_cookie(state, response, cookie, exchanged.expires_at)
    return response


async def extend_admission(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    extended, cookie = await extend(state, request)
    response = Json(extended)
    set_cookie(state, response, cookie, extended.expires_at)
    return response


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/admission:exchange",
        exchange_admission,
        "Exchange an admission token for a session cookie",
        answers={200: Exchanged},
        body=ExchangeForm,
        problems=errors.GATE,
    ),
    Endpoint(
        "POST",
        "/v1/admission:extend",
        extend_admission,
        "Make the session of an exchanged admission longer",
        answers={200: Extended},
        cookies=(ADMISSION_COOKIE,),
        problems=(*errors.GATE, errors.ADMISSION_USED, errors.ADMISSION_EXTENDED_ENOUGH),
    ),
)
