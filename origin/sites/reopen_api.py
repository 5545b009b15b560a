"""``/v1/admin/sites/{site}:reopen``, and what a site has opened again."""

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.sites.cancel_api import PATH, REFUSED, SITE
from origin.sites.models import ReopenForm, Reopening, Reopenings
from origin.sites.reopening import reopen_slots, reopenings
from origin.sites.staff import site_by_code, staff_of
from origin.state import state_of
from shared.http import Endpoint, Json, read_body


async def reopen(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await staff_of(request)
    form = await read_body(request, ReopenForm)
    async with state.database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
        done = await reopen_slots(connection, official, site, form, state.ids.uuid(), state.clock.now())
    state.metrics.slots_reopened.inc(done.slots)
    return Json(done, 201)


async def read_reopenings(request: Request) -> Response:
    """Handle the request."""
    await staff_of(request)
    async with state_of(request).database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
        return Json(await reopenings(connection, site))


ENDPOINTS = (
    Endpoint(
        "POST",
        PATH + ":reopen",
        reopen,
        "Open cancelled slots of a site again, as free places; nobody is moved back",
        answers={201: Reopening},
        body=ReopenForm,
        path_params=SITE,
        problems=(*REFUSED, errors.NOTHING_TO_REOPEN, errors.CANCELLATION_RUNS),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/reopenings",
        read_reopenings,
        "What a site has opened again, by whom and why",
        answers={200: Reopenings},
        path_params=SITE,
        problems=REFUSED,
        security=("bearer",),
    ),
)
