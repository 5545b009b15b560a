"""``GET`` and ``PATCH /v1/admin/programmes/{programme}``: what a programme allows."""

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.admin.api import PATH, PROGRAMME
from origin.admin.officials import AUTHOR, OPERATOR, REVIEWER, SUPPORT
from origin.admin.policies import Policies, PolicyForm, change, policies
from origin.state import state_of
from shared.http import Endpoint, Json, read_body
from shared.problem import FORBIDDEN, UNAUTHENTICATED


async def read_policies(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    await state.people.official(request, OPERATOR, REVIEWER, AUTHOR, SUPPORT)
    async with state.database.connection() as connection:
        return Json(await policies(connection, request.path_params["programme"]))


async def change_policies(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await state.people.official(request, OPERATOR)
    form = await read_body(request, PolicyForm)
    programme: str = request.path_params["programme"]
    async with state.database.connection() as connection:
        about, now = state.ids.uuid(), state.clock.now()
        return Json(await change(connection, official, programme, form, about=about, now=now))


_REFUSED = (UNAUTHENTICATED, FORBIDDEN, errors.PROGRAMME_UNKNOWN)

ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        read_policies,
        "What a programme allows: holds, changes, other times where a site cancels, the waitlist",
        answers={200: Policies},
        path_params=PROGRAMME,
        problems=_REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "PATCH",
        PATH,
        change_policies,
        "Change what a programme allows",
        answers={200: Policies},
        body=PolicyForm,
        path_params=PROGRAMME,
        problems=_REFUSED,
        security=("bearer",),
    ),
)
