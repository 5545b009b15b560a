"""What operators see and set of a room's governor."""

import msgspec

from edge import errors
from edge.governor.pacing import Bounds
from edge.governor.steering import bounds_of, written
from edge.line.desk import Desk
from edge.line.room import Picture, RoomPlan
from edge.line.view import View
from edge.ops.answers import GovernorReport
from edge.ops.models import GovernorChange
from shared import problem
from shared.problem import Problem


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


def changed(plan: RoomPlan, seen: Picture, given: GovernorChange) -> str:
    """Return the bounds with what is given, as the store keeps them.

    Raises:
        Problem: ``no_capacity_feed``; ``invalid_body`` where the lowest rate would be above the highest.
    """
    if plan.capacity_url is None:
        raise Problem(errors.NO_CAPACITY_FEED)
    wished = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not msgspec.UNSET}
    bounds: Bounds = msgspec.structs.replace(bounds_of(plan, seen), **wished)
    if bounds.min_rate_per_s > bounds.max_rate_per_s:
        raise Problem(problem.INVALID_BODY, "the lowest rate is above the highest - at `$.governor`")
    return written(bounds)
