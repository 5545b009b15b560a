"""The operators' JSON: create a room, read it, change it, pause and resume it. All need the role ``operator``."""

import asyncio
from collections.abc import Mapping

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from edge import errors, ops_governor, ops_rooms
from edge.carried import has_body
from edge.desk import Desk
from edge.ops_models import CreationReport, NewRoom, RoomChange, RoomReport, RoomReports, StateChange
from edge.room import RoomState, Setting
from edge.state import EdgeState
from edge.view import View, iso
from edge.visitor_api import ROOM
from shared import problem
from shared.bearer import Identity, require_identity
from shared.http import Endpoint, Json, read_body

log = structlog.get_logger(__name__)

OPERATOR = "operator"


async def _operator(request: Request) -> tuple[EdgeState, Identity]:
    edge: EdgeState = request.scope["state"]["edge"]
    return edge, await require_identity(request, edge.verifier, OPERATOR)


async def _desk(request: Request) -> tuple[EdgeState, Desk]:
    edge: EdgeState = request.scope["state"]["edge"]
    room: str = request.path_params["room"]
    if request.method != "GET":
        await edge.guard.limit(request.scope, room, "acts")
    await _operator(request)
    return edge, edge.desk(room)


def _report(edge: EdgeState, desk: Desk, view: View) -> RoomReport:
    plan, seen = desk.plan, view.picture
    created = edge.registrar.created(plan.id)
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
        created=None if created is None else CreationReport(iso(created.at), created.actor, created.why),
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
    edge, _ = await _operator(request)
    desks = list(edge.desks.values())
    views = await asyncio.gather(*(desk.refresh() for desk in desks))
    return Json(RoomReports([_report(edge, desk, view) for desk, view in zip(desks, views, strict=True)]))


async def create_room(request: Request) -> Response:
    """Create a room; it is open here when this answers, on every other edge within a second."""
    edge, operator = await _operator(request)
    given = await read_body(request, NewRoom)
    desk = await ops_rooms.created(edge.registrar, given, actor=operator.sub, at=edge.clock.unix())
    log.info("room_created", room=desk.plan.id)
    return Json(_report(edge, desk, desk.view()), 201)


async def read_room(request: Request) -> Response:
    """Return one room, fresh from the store."""
    edge, desk = await _desk(request)
    return Json(_report(edge, desk, await desk.refresh()))


async def change_room(request: Request) -> Response:
    """Change rate, burst, challenge or governor; in force on every edge when this answers."""
    edge, desk = await _desk(request)
    given = await read_body(request, RoomChange)
    fields = {"rate_per_s": "rate"}
    wished: dict[str, Setting] = {
        fields.get(name, name): value
        for name, value in msgspec.structs.asdict(given).items()
        if value is not msgspec.UNSET
    }
    if given.governor is not msgspec.UNSET:
        wished["governor"] = await ops_governor.changed(desk, given.governor)
    return await _change(edge, desk, wished, "room_changed")


async def pause_room(request: Request) -> Response:
    """Stop calling people and issuing tokens; everybody keeps their place, newcomers still get one."""
    return await _set_state(request, "paused")


async def resume_room(request: Request) -> Response:
    """Go on where the pause began."""
    return await _set_state(request, "open")


async def _set_state(request: Request, state: RoomState) -> Response:
    edge, desk = await _desk(request)
    given = await read_body(request, StateChange) if has_body(request.scope) and await request.body() else StateChange()
    settings: dict[str, Setting] = {"state": state}
    if given.reason is not msgspec.UNSET:
        settings["reason"] = given.reason
    return await _change(edge, desk, settings, f"room_{state}")


async def _change(edge: EdgeState, desk: Desk, settings: Mapping[str, Setting], event: str) -> Response:
    report = _report(edge, desk, await desk.change(settings))
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
            "/v1/ops/rooms",
            create_room,
            "Create a room",
            {201: RoomReport},
            body=NewRoom,
            problems=[problem.UNAUTHENTICATED, problem.FORBIDDEN, errors.ROOM_EXISTS, errors.TOO_MANY_ROOMS],
            security=bearer,
        ),
        Endpoint(
            "POST",
            f"{room}:pause",
            pause_room,
            "Pause a room",
            {200: RoomReport},
            body=StateChange,
            body_required=False,
            path_params=ROOM,
            problems=refused,
            security=bearer,
        ),
        Endpoint(
            "POST",
            f"{room}:resume",
            resume_room,
            "Resume a paused room",
            {200: RoomReport},
            body=StateChange,
            body_required=False,
            path_params=ROOM,
            problems=refused,
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
