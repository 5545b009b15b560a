"""The operators' JSON: create rooms, look at them, change them, see what was changed. All need the role `operator`."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from edge import errors
from edge.line.logrow import LogPage
from edge.ops import acts, rooms
from edge.ops.access import desk_of, operator_of
from edge.ops.answers import RoomReport, RoomReports
from edge.ops.log import LogQuery, read_log
from edge.ops.models import BypassChange, NewRoom, Reset, Revocation, RoomChange, StateChange
from edge.ops.report import report
from edge.visitors.api import ROOM
from shared import problem
from shared.http import Endpoint, Handler, Json, read_body
from shared.problem import ProblemType

log = structlog.get_logger(__name__)

_ROOMS = "/v1/ops/rooms"
_REFUSED = (problem.UNAUTHENTICATED, problem.FORBIDDEN)


async def list_rooms(request: Request) -> Response:
    """Return all rooms, fresh from the store."""
    edge, _ = await operator_of(request)
    desks = list(edge.desks.values())
    views = await asyncio.gather(*(desk.refresh() for desk in desks))
    return Json(RoomReports([report(edge, desk, view) for desk, view in zip(desks, views, strict=True)]))


async def create_room(request: Request) -> Response:
    """Create a room; it is open here when this answers, on every other edge within a second."""
    edge, operator = await operator_of(request)
    given = await read_body(request, NewRoom)
    desk = await rooms.created(edge.registrar, given, operator, at=edge.clock.unix())
    log.info("room_created", room=desk.plan.id)
    return Json(report(edge, desk, desk.view()), 201)


async def read_room(request: Request) -> Response:
    """Return one room, fresh from the store."""
    edge, desk, _ = await desk_of(request)
    return Json(report(edge, desk, await desk.refresh()))


def endpoints() -> list[Endpoint]:
    """Return the table of the operators' operations."""
    schedule = (errors.NO_CAPACITY_FEED, errors.LOTTERY_DRAWN, errors.LINE_BEGUN)
    ended = (errors.ROOM_CLOSED, errors.ROOM_DRAINING)
    return [
        Endpoint(
            "GET",
            _ROOMS,
            list_rooms,
            "All rooms with their meters",
            {200: RoomReports},
            problems=_REFUSED,
            security=["bearer"],
        ),
        Endpoint(
            "POST",
            _ROOMS,
            create_room,
            "Create a room",
            {201: RoomReport},
            body=NewRoom,
            problems=[*_REFUSED, errors.ROOM_EXISTS, errors.TOO_MANY_ROOMS],
            security=["bearer"],
        ),
        _on_room("POST", ":pause", acts.pause_room, "Pause a room", StateChange, ended),
        _on_room("POST", ":resume", acts.resume_room, "Resume a paused room", StateChange, ended),
        _on_room("POST", ":open", acts.open_room, "Open a room, as far as its schedule goes", StateChange),
        _on_room("POST", ":drain", acts.drain_room, "Take nobody new in, serve the line", StateChange),
        _on_room("POST", ":close", acts.close_room, "Close a room", StateChange),
        _on_room("POST", ":reset", acts.reset_room, "Begin a new line", Reset, [errors.NOT_CONFIRMED]),
        _on_room(
            "POST",
            ":bypass",
            acts.set_bypass,
            "Let holders of passes by, or no longer",
            BypassChange,
            [errors.NO_BYPASS_LANE],
        ),
        _on_room("POST", ":revoke-passes", acts.revoke_passes, "Take passes back, or undo it", Revocation),
        Endpoint(
            "GET",
            f"{_ROOMS}/{{room}}/log",
            read_log,
            "What was changed, by whom, when and why",
            {200: LogPage},
            query=LogQuery,
            path_params=ROOM,
            problems=[*_REFUSED, problem.INVALID_QUERY],
            security=["bearer"],
        ),
        _on_room("GET", "", read_room, "A room with its settings, counters and meters"),
        _on_room("PATCH", "", acts.change_room, "Change a room's settings", RoomChange, schedule),
    ]


def _on_room(
    method: str,
    act: str,
    handler: Handler,
    summary: str,
    body: type[Any] | None = None,
    problems: Sequence[ProblemType] = (),
) -> Endpoint:
    return Endpoint(
        method,
        f"{_ROOMS}/{{room}}{act}",
        handler,
        summary,
        {200: RoomReport},
        body=body,
        path_params=ROOM,
        problems=[*_REFUSED, errors.TOO_MANY_REQUESTS, *problems],
        security=["bearer"],
    )
