"""Which lane somebody lines up in, and what that takes: nothing, a pass from a letter, or staff on the telephone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from edge import errors
from edge.guard.pass_guard import PassGuard
from edge.guard.revoked import revoked
from edge.line.desk import Desk
from edge.line.line import LineError
from edge.line.room import Access
from shared import problem
from shared.problem import Problem


class Wish(msgspec.Struct, frozen=True):
    """Where somebody wants to line up. ``is_assistant``: who asks has shown to be staff that joins for others."""

    lane: str | None = None
    pass_text: str | None = None
    is_assistant: bool = False


class Lineup(msgspec.Struct, frozen=True):
    """A lane by its index. ``ticket_id``: the ticket's, where it is not for the edge to choose."""

    lane: int
    ticket_id: str | None = None


def lane_for(desk: Desk, wish: Wish) -> int:
    """Return the index of the lane that a wish without a pass leads to.

    Raises:
        Problem: ``invalid_body`` for a lane that is not there, ``pass_missing``, ``forbidden``.
    """
    if wish.lane is None:
        if desk.open_lane is None:
            raise Problem(errors.PASS_MISSING)
        return desk.open_lane
    lane = desk.plan.lane(wish.lane)
    if lane is None:
        raise Problem(problem.INVALID_BODY, "there is no such lane - at `$.lane`")
    _expect(desk.plan.lanes[lane].access, wish)
    return lane


@asynccontextmanager
async def by_pass(desk: Desk, passes: PassGuard | None, text: str) -> AsyncIterator[Lineup]:
    """Use up a pass; when the block fails to give a place, it is good again.

    Raises:
        Problem: ``pass_refused``, ``pass_revoked``, ``pass_used``.
        StoreUnavailable: whether it was used up is not known.
    """
    if passes is None:
        raise Problem(errors.PASS_REFUSED, reason="malformed")
    epoch = desk.line.epoch
    found = await passes.admit(text, revoked(desk.line.revoked), epoch)
    try:
        yield Lineup(desk.plan.lane(found.lane) or 0, found.ticket_id)
    except LineError:
        await passes.give_back(found, epoch)
        raise


def _expect(access: Access, wish: Wish) -> None:
    if access == "pass":
        raise Problem(errors.PASS_MISSING)
    if access == "assisted" and not wish.is_assistant:
        raise Problem(problem.FORBIDDEN, "only staff of the programme join this lane, for somebody else")
