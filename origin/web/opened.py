"""A time that was opened: the place is kept while its page is read, and given back when the page is left.

The press in the list keeps it (POST); the page itself (GET) only shows that it is kept. A browser may fetch any address
ahead of a press, and a place must not be taken by that.
"""

import re
from uuid import UUID

import msgspec
from starlette.datastructures import FormData
from starlette.responses import Response

from origin import errors
from origin.booking.hold import HoldForm, held, hold, release
from origin.identity import Person
from origin.web.site import see
from origin.web.visit import FORM_STALE, Visit, text_of
from origin.words import TurnWords, of_turn
from shared.http import Json
from shared.problem import Problem

_KEY = re.compile("[0-9a-f-]{36}")
_LARGEST_SLOT = 2**63 - 1


class Kept(msgspec.Struct, frozen=True):
    """For how many seconds from now the place is kept: the visitor's clock may be wrong."""

    lasts_s: int


def slot_in(visit: Visit, name: str = "slot") -> int:
    """Return the slot that a part of the path names; raises Problem ``slot_unknown`` where it can be none."""
    slot: int = visit.request.path_params[name]
    if not 0 < slot <= _LARGEST_SLOT:
        raise Problem(errors.SLOT_UNKNOWN)
    return slot


def appointment_of(text: str) -> UUID:
    """Return the id that an address names; raises Problem ``appointment_unknown`` where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise Problem(errors.APPOINTMENT_UNKNOWN) from None


async def keep(visit: Visit, person: Person, form: HoldForm, *, programme: str | None, page: str) -> Response:
    """Keep the place and lead to its page; a script is told for how long, and stays. Raises as ``hold`` does."""
    made = await hold(visit.state, person, form, programme=programme)
    if "json" not in visit.request.headers.get("accept", ""):
        return see(page)
    return Json(Kept(max(0, int((made.expires_at - visit.state.clock.now()).total_seconds()))))


async def give_back(visit: Visit, person: Person, slot: int, *, page: str) -> Response:
    """Give the place back, where this person has opened it; lead to ``page``, unless it is a page that closes.

    A place that we have offered stays theirs: who only looks at an offer has not refused it.
    """
    kept = await held(visit.state, person, slot)
    if kept is not None and kept.opened:
        try:
            await release(visit.state, person, kept.id)
        except Problem as refused:
            if refused.kind is not errors.HOLD_UNKNOWN:  # it lapsed, or was booked, at this moment
                raise
    leads = "html" in visit.request.headers.get("accept", "")
    return see(page) if leads else Response(status_code=204)


async def kept_until(visit: Visit, person: Person, slot: int) -> TurnWords | None:
    """Return until when the place is kept for this person, in words; None where it is not."""
    kept = await held(visit.state, person, slot)
    if kept is None:
        return None
    return of_turn(int(kept.expires_at.timestamp()), visit.state.clock.unix(), visit.language, back="")


def key_of(form: FormData) -> str:
    """Return the Idempotency-Key that the form carries: however often it is sent, it does its work once.

    Raises:
        Problem: ``form_stale``, where it is none of ours.
    """
    key = text_of(form, "key")
    if not _KEY.fullmatch(key):
        raise Problem(FORM_STALE)
    return key
