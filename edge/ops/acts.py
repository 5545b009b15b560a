"""The operators' changes over HTTP. Each is made with a row in the room's log, or not at all."""

import asyncio
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from edge import errors
from edge.governor.steering import bounds_of
from edge.governor.steering import written as written_bounds
from edge.line.desk import Desk
from edge.line.line import Healing, Late, new_seed
from edge.line.logrow import Told
from edge.line.oplog import Entry, What, written
from edge.line.room import Picture
from edge.line.view import View
from edge.ops import changes
from edge.ops.access import desk_of
from edge.ops.changes import Wish
from edge.ops.models import BypassChange, Reset, Revocation, RoomChange, StateChange
from edge.ops.report import report
from edge.ops.told import told
from edge.state import EdgeState
from shared.bearer import Identity
from shared.http import Json, read_body
from shared.problem import Problem

log = structlog.get_logger(__name__)

_TRIES = 50  # whoever is late is so because somebody else's change was made: so many at once all get their turn
_HEAL_LOOKS = 40
_HEAL_LOOK_S = 0.1


async def change_room(request: Request) -> Response:
    """Change settings of a room; in force on every edge when this answers."""
    edge, desk, operator = await desk_of(request)
    given = await read_body(request, RoomChange)
    seed = new_seed(edge.ids)
    return await _change(edge, desk, operator, given.reason, lambda seen: changes.changed(desk.plan, seen, given, seed))


async def pause_room(request: Request) -> Response:
    """Stop calling people and issuing tokens; everybody keeps their place, newcomers still get one."""
    return await _set_state(request, changes.paused)


async def resume_room(request: Request) -> Response:
    """Go on where the pause began."""
    return await _set_state(request, changes.resumed)


async def open_room(request: Request) -> Response:
    """Let people join and be called, whatever an operator had set before; the schedule stays."""
    return await _set_state(request, lambda _: Wish("room_opened", {"state": "open"}))


async def drain_room(request: Request) -> Response:
    """Take nobody new in, and serve the line to its end."""
    return await _set_state(request, lambda _: Wish("room_draining", {"state": "draining"}))


async def close_room(request: Request) -> Response:
    """Take nobody in and call nobody; tickets stay good, should the room open again."""
    return await _set_state(request, lambda _: Wish("room_closed", {"state": "closed"}))


async def set_bypass(request: Request) -> Response:
    """Let holders of passes pass by the line, out of a second bucket, or no longer."""
    edge, desk, operator = await desk_of(request)
    given = await read_body(request, BypassChange)
    return await _change(edge, desk, operator, given.reason, lambda _: changes.bypassed(desk.plan, given))


async def revoke_passes(request: Request) -> Response:
    """Take passes back that have not been used, or make a batch good again."""
    edge, desk, operator = await desk_of(request)
    given = await read_body(request, Revocation)
    return await _change(
        edge, desk, operator, given.reason, lambda seen: changes.revoked(seen, desk.line.revoked, given)
    )


async def reset_room(request: Request) -> Response:
    """Begin a new line: every ticket of the old one is stale; settings stay."""
    edge, desk, operator = await desk_of(request)
    given = await read_body(request, Reset)
    why = changes.told_why(given.reason)
    if given.confirm != desk.plan.id:
        raise Problem(errors.NOT_CONFIRMED)
    for _ in range(_TRIES):
        seen = (await _settled(desk)).picture
        before: dict[str, Told] = {"epoch": seen.epoch, "joined": seen.joined, "waiting": seen.waiting}
        after: dict[str, Told] = {"epoch": seen.epoch + 1, "joined": 0, "waiting": 0}
        row = written(Entry(operator.sub, operator.issuer, "room_reset", why, before, after))
        try:
            return _answer(edge, desk, await desk.reset(row, why, seen.version), "room_reset")
        except Late:
            continue
    raise Late


async def _set_state(request: Request, wish: Callable[[Picture], Wish]) -> Response:
    edge, desk, operator = await desk_of(request)
    given = await read_body(request, StateChange)
    return await _change(edge, desk, operator, given.reason, wish)


async def _change(
    edge: EdgeState, desk: Desk, operator: Identity, reason: str, wish: Callable[[Picture], Wish]
) -> Response:
    """Make a change of the settings as they are at that moment: where somebody was faster, it is thought out anew."""
    why = changes.told_why(reason)
    for _ in range(_TRIES):
        seen = (await _settled(desk)).picture
        wished = wish(seen)
        row = written(_entry(desk, seen, wished, operator, why))
        try:
            view = await desk.change({**wished.settings, "reason": why}, row, seen.version)
        except Late:
            continue
        return _answer(edge, desk, view, wished.what)
    raise Late


async def _settled(desk: Desk) -> View:
    """Look at the room, once every edge has had time to bring what it knows into a store that had lost it."""
    for _ in range(_HEAL_LOOKS):
        view = await desk.refresh()
        if not view.picture.healing:
            return view
        await asyncio.sleep(_HEAL_LOOK_S)
    raise Healing


def _entry(desk: Desk, seen: Picture, wished: Wish, operator: Identity, why: str) -> Entry:
    plan = desk.plan
    was = {name: value for name, value in seen.settings.items() if name in wished.settings}
    if "governor" in was:
        was["governor"] = written_bounds(bounds_of(plan, seen))
    before = {**told(plan, was), **wished.before}
    after = {**told(plan, wished.settings), **wished.after}
    if (
        "rate" in was
        and plan.capacity_url is not None
        and seen.rate != (desk.log.last("rate_per_s") or plan.rate_per_s)
    ):
        before["rate_set_by"] = "governor"
    return Entry(operator.sub, operator.issuer, wished.what, why, before, after)


def _answer(edge: EdgeState, desk: Desk, view: View, event: What) -> Response:
    answer = report(edge, desk, view)
    log.info(event, room=answer.room, rate_per_s=answer.rate_per_s, burst=answer.burst, state=answer.state)
    return Json(answer)
