"""A place on more than one device: a code is made on the first and typed on the second. Both hold the same ticket.

Whichever goes through, the admission has one id, as when one device asks twice. Each raises Problem, TicketRefused or
LineError, which ``edge.errors`` turns into answers.
"""

from datetime import datetime

import msgspec

from edge import errors
from edge.line.desk import Desk
from edge.line.standing import Joined, joined_at
from edge.line.ticket import TicketRefused
from edge.line.view import iso
from edge.state import EdgeState
from edge.visitors import visits
from edge.visitors.resume import LIVES_S
from shared.problem import Problem


class ResumeCode(msgspec.Struct, frozen=True):
    """A code for another device, and until when it works (ISO 8601)."""

    code: str
    expires_at: str


async def carry(edge: EdgeState, desk: Desk, text: str | None) -> ResumeCode:
    """Return a code for the ticket's place.

    Raises:
        Problem: ``ticket_left``.
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    at = await visits.standing(edge, desk, text)
    if text is None:
        raise TicketRefused("missing")
    if at.state == "left":
        raise Problem(errors.TICKET_LEFT)
    code = await edge.codes.write(desk.plan.id, text)
    return ResumeCode(code, iso(datetime.fromisoformat(at.as_of).timestamp() + LIVES_S))


async def resume(edge: EdgeState, desk: Desk, code: str) -> Joined:
    """Return the ticket that a code stands for, and where its holder stands; the code is used up.

    Raises:
        Problem: ``resume_code_unknown``, the same for a code that was never made, was used or is too old;
            ``ticket_left``.
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    text = await edge.codes.take(desk.plan.id, code)
    if text is None:
        raise Problem(errors.RESUME_CODE_UNKNOWN)
    at = await visits.standing(edge, desk, text)
    if at.state == "left":
        raise Problem(errors.TICKET_LEFT)
    return joined_at(text, at)
