"""What operators see and set of a room's governor."""

from typing import Annotated

import msgspec

from edge import errors
from edge.desk import Desk
from edge.pacing import Bounds, Mode
from edge.room import MAX_RATE_PER_S, Held
from edge.steering import bounds_of, written
from edge.view import View
from shared import problem
from shared.problem import Problem

Rate = Annotated[float, msgspec.Meta(ge=0.01, le=MAX_RATE_PER_S)]
People = Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]


class GovernorChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is missing stays.

    ``manual`` leaves the rate to operators, ``automatic`` lets it follow the booking system within the bounds, ``off``
    follows nothing. ``max_inside``: people inside the booking system at a time; null takes the cap away.
    """

    mode: Mode | msgspec.UnsetType = msgspec.UNSET
    min_rate_per_s: Rate | msgspec.UnsetType = msgspec.UNSET
    max_rate_per_s: Rate | msgspec.UnsetType = msgspec.UNSET
    max_inside: People | msgspec.UnsetType | None = msgspec.UNSET


class GovernorReport(msgspec.Struct, frozen=True):
    """A room's governor. ``why`` nobody is called (null: people are); ``remaining`` doses, null while not known."""

    mode: Mode
    min_rate_per_s: float
    max_rate_per_s: float
    max_inside: int | None
    why: Held | None
    remaining: int | None


def report(desk: Desk, view: View) -> GovernorReport | None:
    """Return how a room is governed; None where it has no booking system to follow."""
    if desk.plan.capacity_url is None:
        return None
    seen = view.picture
    bounds = bounds_of(desk.plan, seen)
    return GovernorReport(
        mode=bounds.mode,
        min_rate_per_s=bounds.min_rate_per_s,
        max_rate_per_s=bounds.max_rate_per_s,
        max_inside=bounds.max_inside,
        why=seen.held or None,
        remaining=seen.remaining,
    )


async def changed(desk: Desk, given: GovernorChange) -> str:
    """Return the bounds with what is given, as the store keeps them.

    Raises:
        Problem: ``no_capacity_feed``; ``invalid_body`` where the lowest rate would be above the highest.
        StoreUnavailable: see there.
    """
    if desk.plan.capacity_url is None:
        raise Problem(errors.NO_CAPACITY_FEED)
    now = bounds_of(desk.plan, (await desk.refresh()).picture)
    wished = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not msgspec.UNSET}
    bounds: Bounds = msgspec.structs.replace(now, **wished)
    if bounds.min_rate_per_s > bounds.max_rate_per_s:
        raise Problem(problem.INVALID_BODY, "the lowest rate is above the highest - at `$.governor`")
    return written(bounds)
