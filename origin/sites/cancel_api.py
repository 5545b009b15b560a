"""``/v1/admin/sites/{site}:cancel``, and how far the people of cancelled slots are."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.sites.cancelling import cancel_slots, cancellation, cancellations, preview
from origin.sites.models import CancelForm, Cancellation, Cancellations, Preview
from origin.sites.staff import site_by_code, staff_of
from origin.state import state_of
from shared.http import Endpoint, Json, read_body
from shared.problem import FORBIDDEN, UNAUTHENTICATED, Problem

PATH = "/v1/admin/sites/{site}"
SITE = {"site": {"type": "string"}}
REFUSED = (UNAUTHENTICATED, FORBIDDEN, errors.SITE_UNKNOWN)


async def cancel(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    official = await staff_of(request)
    form = await read_body(request, CancelForm)
    now = state.clock.now()
    async with state.database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
        if form.confirm is None:
            return Json(await preview(connection, site, form, now))
        done = await cancel_slots(connection, official, site, form, state.ids.uuid(), now)
    state.metrics.slots_cancelled.inc(done.slots)
    return Json(done, 201, Location=f"{PATH.format(site=site.code)}/cancellations/{done.id}")


async def read_cancellations(request: Request) -> Response:
    """Handle the request."""
    await staff_of(request)
    async with state_of(request).database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
        return Json(await cancellations(connection, site))


async def read_cancellation(request: Request) -> Response:
    """Handle the request."""
    await staff_of(request)
    async with state_of(request).database.connection() as connection:
        site = await site_by_code(connection, request.path_params["site"])
        return Json(await cancellation(connection, site, cancellation_id(request)))


def cancellation_id(request: Request) -> UUID:
    """Return the id that the path names; raises Problem 404 ``cancellation_unknown``."""
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Problem(errors.CANCELLATION_UNKNOWN) from None


ENDPOINTS = (
    Endpoint(
        "POST",
        PATH + ":cancel",
        cancel,
        "Cancel slots of a site; without `confirm`, say who is in them",
        answers={200: Preview, 201: Cancellation},
        body=CancelForm,
        path_params=SITE,
        problems=(*REFUSED, errors.NOTHING_TO_CANCEL, errors.PEOPLE_CHANGED),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/cancellations",
        read_cancellations,
        "What a site has cancelled, and how far its people are",
        answers={200: Cancellations},
        path_params=SITE,
        problems=REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/cancellations/{id}",
        read_cancellation,
        "One of them",
        answers={200: Cancellation},
        path_params=SITE | {"id": {"type": "string", "format": "uuid"}},
        problems=(*REFUSED, errors.CANCELLATION_UNKNOWN),
        security=("bearer",),
    ),
)
