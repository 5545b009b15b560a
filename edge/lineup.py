"""Which lane somebody lines up in, and what that takes: nothing, a pass from a letter, or staff on the telephone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from edge import errors
from edge.desk import Desk
from edge.line import LineError
from edge.pass_guard import PassGuard
from edge.revoked import revoked
from edge.room import Access
from shared import problem
from shared.problem import Problem


@dataclass(frozen=True)
class Wish:
    """Where somebody wants to line up. ``is_assistant``: who asks has shown to be staff that joins for others."""

    lane: str | None = None
    pass_text: str | None = None
    is_assistant: bool = False


@dataclass(frozen=True)
class Lineup:
    """A lane by its index. ``ticket_id``: the ticket's, where it is not for the edge to choose."""

    lane: int
    ticket_id: str | None = None


def check(desk: Desk, wish: Wish) -> None:
    """Refuse a wish that nothing can fulfil, before anything is used up for it.

    Raises:
        Problem: ``invalid_body`` for a lane that is not there, ``pass_missing``, ``forbidden``.
    """
    if not wish.pass_text:
        _lane(desk, wish)


@asynccontextmanager
async def lineup(desk: Desk, passes: PassGuard | None, wish: Wish) -> AsyncIterator[Lineup]:
    """Use up what the lane takes; when the block fails to give a place, it is good again.

    Raises:
        Problem: as ``check``; ``pass_refused``, ``pass_revoked``, ``pass_used``.
        StoreUnavailable: whether a pass was used up is not known.
    """
    if not wish.pass_text:
        yield Lineup(_lane(desk, wish))
        return
    if passes is None:
        raise Problem(errors.PASS_REFUSED, reason="malformed")
    epoch = desk.line.epoch
    found = await passes.admit(wish.pass_text, revoked(desk.line.revoked), epoch)
    try:
        yield Lineup(desk.plan.lane(found.lane) or 0, found.ticket_id)
    except LineError:
        await passes.give_back(found, epoch)
        raise


def _lane(desk: Desk, wish: Wish) -> int:
    plan = desk.plan
    lane = plan.open_lane() if wish.lane is None else plan.lane(wish.lane)
    if lane is None:
        if wish.lane is None:
            raise Problem(errors.PASS_MISSING)
        raise Problem(problem.INVALID_BODY, "there is no such lane - at `$.lane`")
    _expect(plan.lanes[lane].access, wish)
    return lane


def _expect(access: Access, wish: Wish) -> None:
    if access == "pass":
        raise Problem(errors.PASS_MISSING)
    if access == "assisted" and not wish.is_assistant:
        raise Problem(problem.FORBIDDEN, "only staff of the programme join this lane, for somebody else")
