"""What operators create: a room, from what they send to what every edge opens."""

import msgspec
from pydantic import ValidationError

from edge import errors
from edge.line.desk import Desk
from edge.line.room import RoomPlan
from edge.ops.changes import told_why
from edge.ops.models import NewRoom
from edge.register import Creation
from edge.registrar import Registrar, RoomExists, TooManyRooms
from shared import problem
from shared.bearer import Identity
from shared.problem import Problem


def plan_of(given: NewRoom) -> RoomPlan:
    """Return the plan of a room as the rooms file would have it.

    Raises:
        Problem: ``invalid_body`` naming the path of the first fault.
    """
    wished = msgspec.to_builtins(given)
    del wished["reason"]
    try:
        return RoomPlan.model_validate(wished)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = ".".join(("$", *(str(part) for part in fault["loc"])))
        raise Problem(problem.INVALID_BODY, f"{fault['msg']} - at `{path}`") from None


async def created(registrar: Registrar, given: NewRoom, operator: Identity, *, at: float) -> Desk:
    """Create the room, in the name of ``operator`` at the Unix time ``at``.

    Raises:
        Problem: ``invalid_body``, ``room_exists``, ``too_many_rooms``.
        Healing, StoreUnavailable: see ``Registrar.create``.
    """
    why = told_why(given.reason)
    try:
        return await registrar.create(plan_of(given), Creation(at, operator.sub, why, operator.issuer))
    except RoomExists:
        raise Problem(errors.ROOM_EXISTS) from None
    except TooManyRooms:
        raise Problem(errors.TOO_MANY_ROOMS) from None
