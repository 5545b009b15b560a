"""The operators' JSON: read a room, change its rate, pause and resume it. Every call needs the role ``operator``."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from edge import errors, ops_governor
from edge.carried import has_body
from edge.desk import Desk
from edge.ops_governor import GovernorChange, GovernorReport
from edge.room import MAX_BURST, MAX_RATE_PER_S, ChallengeKind, RoomState, Setting
from edge.state import EdgeState
from edge.view import View
from edge.visitor_api import ROOM, Empty
from shared import problem
from shared.bearer import require_identity
from shared.http import Endpoint, Json, read_body

log = structlog.get_logger(__name__)

OPERATOR = "operator"


class RoomChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is missing stays. ``rate_per_s`` is in tokens per second, ``burst`` in tokens."""

    rate_per_s: Annotated[float, msgspec.Meta(ge=0.01, le=MAX_RATE_PER_S)] | msgspec.UnsetType = msgspec.UNSET
    burst: Annotated[int, msgspec.Meta(ge=1, le=MAX_BURST)] | msgspec.UnsetType = msgspec.UNSET
    reason: Annotated[str, msgspec.Meta(max_length=200)] | msgspec.UnsetType = msgspec.UNSET
    challenge: ChallengeKind | msgspec.UnsetType = msgspec.UNSET
    governor: GovernorChange | msgspec.UnsetType = msgspec.UNSET


class RoomReport(msgspec.Struct, frozen=True):
    """A room with its settings, counters and meters.

    ``tokens`` is the level of the token bucket, ``show`` the share of called people who turn up, ``backlog`` the people
    called lately who wait for a token. ``reason`` is what the last change gave.
    """

    room: str
    name: str
    state: RoomState
    reason: str
    epoch: int
    rate_per_s: float
    burst: int
    call_window_s: int
    token_ttl_s: int
    enter_url: str
    challenge: ChallengeKind
    governor: GovernorReport | None
    joined: int
    called: int
    answered: int
    admitted: int
    left: int
    waiting: int
    backlog: int
    tokens: float
    show: float
    calls_per_s: float
    as_of: str


class RoomReports(msgspec.Struct, frozen=True):
    """All rooms of this edge."""

    rooms: list[RoomReport]


async def _operator(request: Request) -> EdgeState:
    edge: EdgeState = request.scope["state"]["edge"]
    await require_identity(request, edge.verifier, OPERATOR)
    return edge


async def _desk(request: Request) -> Desk:
    edge: EdgeState = request.scope["state"]["edge"]
    room: str = request.path_params["room"]
    if request.method != "GET":
        await edge.guard.limit(request.scope, room, "acts")
    return (await _operator(request)).desk(room)


def _report(desk: Desk, view: View) -> RoomReport:
    plan, seen = desk.plan, view.picture
    return RoomReport(
        room=plan.id,
        name=plan.name,
        state=seen.state,
        reason=seen.reason,
        epoch=seen.epoch,
        rate_per_s=seen.rate,
        burst=seen.burst,
        call_window_s=seen.window,
        token_ttl_s=plan.token_ttl_s,
        enter_url=str(plan.enter_url),
        challenge=view.challenge,
        governor=ops_governor.report(desk, view),
        joined=seen.joined,
        called=seen.called,
        answered=seen.answered,
        admitted=seen.admitted,
        left=seen.left,
        waiting=seen.waiting,
        backlog=seen.backlog,
        tokens=round(seen.tokens, 3),
        show=round(seen.show, 4),
        calls_per_s=round(seen.calls_per_s, 3),
        as_of=view.as_of,
    )


async def list_rooms(request: Request) -> Response:
    """Return all rooms, fresh from the store."""
    edge = await _operator(request)
    return Json(RoomReports([_report(desk, await desk.refresh()) for desk in edge.desks.values()]))


async def read_room(request: Request) -> Response:
    """Return one room, fresh from the store."""
    desk = await _desk(request)
    return Json(_report(desk, await desk.refresh()))


async def change_room(request: Request) -> Response:
    """Change rate, burst, challenge or governor; in force on every edge when this answers."""
    desk = await _desk(request)
    given = await read_body(request, RoomChange)
    fields = {"rate_per_s": "rate"}
    wished: dict[str, Setting] = {
        fields.get(name, name): value
        for name, value in msgspec.structs.asdict(given).items()
        if value is not msgspec.UNSET
    }
    if given.governor is not msgspec.UNSET:
        wished["governor"] = await ops_governor.changed(desk, given.governor)
    return await _change(desk, wished, "room_changed")


async def pause_room(request: Request) -> Response:
    """Stop calling people and issuing tokens; everybody keeps their place, newcomers still get one."""
    return await _set_state(request, "paused")


async def resume_room(request: Request) -> Response:
    """Go on where the pause began."""
    return await _set_state(request, "open")


async def _set_state(request: Request, state: RoomState) -> Response:
    desk = await _desk(request)
    if has_body(request.scope) and await request.body():
        await read_body(request, Empty)
    return await _change(desk, {"state": state}, f"room_{state}")


async def _change(desk: Desk, settings: Mapping[str, Setting], event: str) -> Response:
    report = _report(desk, await desk.change(settings))
    log.info(event, room=desk.plan.id, rate_per_s=report.rate_per_s, burst=report.burst, state=report.state)
    return Json(report)


def endpoints() -> list[Endpoint]:
    """Return the table of the operators' operations."""
    refused = [problem.UNAUTHENTICATED, problem.FORBIDDEN, errors.TOO_MANY_REQUESTS]
    room = "/v1/ops/rooms/{room}"
    bearer = ["bearer"]
    return [
        Endpoint(
            "GET",
            "/v1/ops/rooms",
            list_rooms,
            "All rooms with their meters",
            {200: RoomReports},
            problems=refused,
            security=bearer,
        ),
        Endpoint(
            "POST",
            f"{room}:pause",
            pause_room,
            "Pause a room",
            {200: RoomReport},
            path_params=ROOM,
            problems=[*refused, problem.MALFORMED_JSON, problem.INVALID_BODY, problem.UNSUPPORTED_MEDIA_TYPE],
            security=bearer,
        ),
        Endpoint(
            "POST",
            f"{room}:resume",
            resume_room,
            "Resume a paused room",
            {200: RoomReport},
            path_params=ROOM,
            problems=[*refused, problem.MALFORMED_JSON, problem.INVALID_BODY, problem.UNSUPPORTED_MEDIA_TYPE],
            security=bearer,
        ),
        Endpoint(
            "GET",
            room,
            read_room,
            "A room with its settings, counters and meters",
            {200: RoomReport},
            path_params=ROOM,
            problems=refused,
            security=bearer,
        ),
        Endpoint(
            "PATCH",
            room,
            change_room,
            "Change a room's rate, burst, challenge or governor",
            {200: RoomReport},
            body=RoomChange,
            path_params=ROOM,
            problems=[*refused, errors.NO_CAPACITY_FEED],
            security=bearer,
        ),
    ]
