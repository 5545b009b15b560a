"""``POST /v1/admission:exchange``: an admission token in, a session as long as a form needs out."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.gate import ADMISSION_COOKIE
from origin.state import OriginState, state_of
from shared.http import Endpoint, Json, read_body


class ExchangeForm(msgspec.Struct, forbid_unknown_fields=True):
    """The token as the edge gave it."""

    token: Annotated[str, msgspec.Meta(max_length=2048)]


class Exchanged(msgspec.Struct, frozen=True):
    """What one was let through to, and until when the session lasts."""

    room: str
    programme: str
    expires_at: datetime


async def exchange(state: OriginState, token: str) -> tuple[Exchanged, str]:
    """Return what the token admits to, and the value of the cookie that stands for it.

    Raises:
        Problem: 403 ``admission_<reason>``; 503 ``store_unavailable``.
    """
    admission, cookie = await state.gate.exchange(token)
    expires_at = datetime.fromtimestamp(admission.exp, UTC)
    return Exchanged(admission.programme.room, admission.programme.id, expires_at), cookie


def set_cookie(state: OriginState, response: Response, cookie: str) -> None:
    """Give the visitor the admission cookie, for as long as the session lasts."""
    response.set_cookie(
        ADMISSION_COOKIE,
        cookie,
        max_age=state.config.admission_session_s,
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
    set_cookie(state, response, cookie)
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
)
