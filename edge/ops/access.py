"""Who may do what operators do: those whose bearer token says so."""

from starlette.requests import Request

from edge.line.desk import Desk
from edge.state import EdgeState
from shared.bearer import Identity, require_identity

OPERATOR = "operator"


async def operator_of(request: Request) -> tuple[EdgeState, Identity]:
    """Return the edge and the operator; raises Problem ``unauthenticated``, ``forbidden``."""
    edge: EdgeState = request.scope["state"]["edge"]
    return edge, await require_identity(request, edge.verifier, OPERATOR)


async def desk_of(request: Request) -> tuple[EdgeState, Desk, Identity]:
    """Return the edge, the room's desk and the operator.

    Raises:
        Problem: ``unauthenticated``, ``forbidden``, ``not_found``; ``too_many_requests`` before any token is looked at.
    """
    edge: EdgeState = request.scope["state"]["edge"]
    room: str = request.path_params["room"]
    if request.method != "GET":
        await edge.guard.limit(request.scope, room, "acts")
    _, operator = await operator_of(request)
    return edge, edge.desk(room), operator
