"""``GET /v1/slots/{id}/next-dose``."""

from datetime import datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER, Admission
from origin.inventory.courses import Following, following, next_doses
from origin.inventory.slots import Slot
from origin.state import OriginState, state_of
from shared.http import Endpoint, Header, Json, read_query
from shared.problem import Problem

_LARGEST_SLOT = 2**63 - 1


class NextDoseForm(msgspec.Struct, forbid_unknown_fields=True):
    """Which dose of the course the slot is for; what is asked about is the one behind it."""

    dose: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1
    limit: Annotated[int, msgspec.Meta(ge=1, le=96)] = 48


class NextDose(msgspec.Struct, frozen=True):
    """What follows, and free slots for it: the same site first, then the nearest, then earliest."""

    following: Following
    slots: list[Slot]
    as_of: datetime


async def next_dose(
    state: OriginState, admission: Admission, slot: int, *, dose: int, at_most: int
) -> tuple[Following, list[Slot]]:
    """Return what follows ``dose`` at a slot of the programme, and free slots for it.

    Raises:
        Problem: 404 ``course_unknown`` where nothing follows, or there is no such slot; 503 ``store_unavailable``.
    """
    programme = admission.programme.id
    async with state.database.connection() as connection:
        found = await following(connection, slot, programme=programme, dose=dose) if slot <= _LARGEST_SLOT else None
        if found is None:
            raise Problem(errors.COURSE_UNKNOWN)
        now = state.clock.now()
        return found, await next_doses(connection, slot, programme=programme, dose=dose, now=now, at_most=at_most)


async def find_next_dose(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admission = await state.gate.admit(request)
    form = read_query(request, NextDoseForm)
    try:
        slot = int(request.path_params["id"])
    except ValueError:
        raise Problem(errors.COURSE_UNKNOWN) from None
    found, slots = await next_dose(state, admission, max(slot, 0), dose=form.dose, at_most=form.limit)
    return Json(NextDose(found, slots, state.clock.now()))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/slots/{id}/next-dose",
        find_next_dose,
        "What follows a dose that is had at a slot, and free slots for it inside the interval",
        answers={200: NextDose},
        query=NextDoseForm,
        path_params={"id": {"type": "integer", "minimum": 1}},
        headers=(Header(ADMISSION_HEADER, "The admission token, unless its cookie is sent."),),
        cookies=(ADMISSION_COOKIE,),
        problems=(*errors.GATE, errors.COURSE_UNKNOWN),
    ),
)
