"""``/v1/admin/programmes/{programme}:freeze``, ``:unfreeze`` and ``:fallback``; what is frozen now."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.admin.fallback import Fallback, FallbackForm, choose
from origin.admin.freeze import FreezeForm, Freezes, change, freezes
from origin.admin.officials import AUTHOR, OPERATOR, REVIEWER, require_programme
from origin.state import state_of
from shared.http import Endpoint, Json, read_body
from shared.problem import FORBIDDEN, UNAUTHENTICATED

PATH = "/v1/admin/programmes/{programme}"
PROGRAMME = {"programme": {"type": "string"}}


async def freeze_programme(request: Request) -> Response:
    """Handle the request."""
    return await _change(request, "frozen")


async def unfreeze_programme(request: Request) -> Response:
    """Handle the request."""
    return await _change(request, "unfrozen")


async def _change(request: Request, act: Literal["frozen", "unfrozen"]) -> Response:
    state = state_of(request)
    official = await state.people.official(request, OPERATOR)
    form = await read_body(request, FreezeForm)
    async with state.database.connection() as connection:
        programme: str = request.path_params["programme"]
        return Json(await change(connection, official, programme, form, act, state.clock.now()))


async def choose_fallback(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await state.people.official(request, REVIEWER, OPERATOR)
    form = await read_body(request, FallbackForm)
    programme: str = request.path_params["programme"]
    async with state.database.connection() as connection:
        about, now = state.ids.uuid(), state.clock.now()
        return Json(await choose(connection, official, programme, form, about=about, now=now))


async def read_freezes(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    await state.people.official(request, OPERATOR, REVIEWER, AUTHOR)
    programme: str = request.path_params["programme"]
    async with state.database.connection() as connection:
        await require_programme(connection, programme)
        return Json(await freezes(connection, programme))


REFUSED = (UNAUTHENTICATED, FORBIDDEN, errors.PROGRAMME_UNKNOWN)

ENDPOINTS = (
    Endpoint(
        "POST",
        PATH + ":freeze",
        freeze_programme,
        "Stop booking in a programme or a region; nothing is booked once this has answered",
        answers={200: Freezes},
        body=FreezeForm,
        path_params=PROGRAMME,
        problems=(*REFUSED, errors.REGION_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + ":unfreeze",
        unfreeze_programme,
        "Let booking go on",
        answers={200: Freezes},
        body=FreezeForm,
        path_params=PROGRAMME,
        problems=(*REFUSED, errors.REGION_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + ":fallback",
        choose_fallback,
        "Choose what decides where the rules in force cannot be read: nobody, or the last known rules",
        answers={200: Fallback},
        body=FallbackForm,
        path_params=PROGRAMME,
        problems=REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/freezes",
        read_freezes,
        "What is frozen in a programme now",
        answers={200: Freezes},
        path_params=PROGRAMME,
        problems=REFUSED,
        security=("bearer",),
    ),
)
