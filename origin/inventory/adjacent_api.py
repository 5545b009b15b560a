"""``GET /v1/slots/adjacent``."""

from datetime import datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER, Admission
from origin.household.members import MOST_MEMBERS
from origin.inventory.adjacent import Together, adjacent
from origin.inventory.forms import DECIMALS, Time, window
from origin.state import OriginState, state_of
from shared.http import Endpoint, Header, Json, read_query


class AdjacentForm(msgspec.Struct, forbid_unknown_fields=True, rename={"starts_from": "from", "starts_before": "to"}):
    """For how many people of one product, where and when; the window as in the search for slots."""

    party: Annotated[int, msgspec.Meta(ge=1, le=MOST_MEMBERS + 1)]
    product: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9.-]{1,64}$")]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    radius_km: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 50
    starts_from: Time | None = None
    starts_before: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class FoundTogether(msgspec.Struct, frozen=True):
    """Where all of the party can be served together: nearest site first, then earliest."""

    together: list[Together]
    as_of: datetime


async def find_together(state: OriginState, admission: Admission, form: AdjacentForm) -> FoundTogether:
    """Find times for a party in the programme that the visitor was let through to.

    Raises:
        Problem: ``invalid_query`` as the search for slots; 503 ``store_unavailable``.
    """
    now = state.clock.now()
    span = window(form.starts_from, form.starts_before, now)
    async with state.database.connection() as connection:
        found = await adjacent(
            connection,
            programme=admission.programme.id,
            party=form.party,
            products=[form.product],
            lat=round(form.lat, DECIMALS),
            lng=round(form.lng, DECIMALS),
            radius_m=max(1, form.radius_km * 1000),
            starts_from=span.starts_from,
            starts_before=span.starts_before,
            at_most=form.limit,
        )
    state.metrics.searched.inc()
    return FoundTogether(found, now)


async def find_adjacent(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admission = await state.gate.admit(request)
    return Json(await find_together(state, admission, read_query(request, AdjacentForm)))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/slots/adjacent",
        find_adjacent,
        "Find times at which several people can be served together: in one slot, or in times that follow each other",
        answers={200: FoundTogether},
        query=AdjacentForm,
        headers=(Header(ADMISSION_HEADER, "The admission token, unless its cookie is sent."),),
        cookies=(ADMISSION_COOKIE,),
        problems=errors.GATE,
    ),
)
