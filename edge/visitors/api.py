"""The visitors' JSON: public status, join, standing, admission, leave."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from edge import errors
from edge.guard.challenge import MAX_SOLUTION_LENGTH, Challenge
from edge.guard.guard import Proof, visit_cookie_name
from edge.line.desk import Desk
from edge.line.standing import Joined, Standing
from edge.line.view import RoomStatus
from edge.state import EdgeState
from edge.visitors import devices, visits
from edge.visitors.carried import Carried, cookie_name, has_body, ticket_of
from edge.visitors.devices import ResumeCode
from edge.visitors.lineup import Wish
from edge.visitors.resume import MAX_TEXT_LENGTH
from edge.visitors.visits import Admission
from shared import problem
from shared.bearer import require_identity
from shared.http import Endpoint, Header, Json, read_body

ROOM = {"room": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$"}}
TICKET_HEADER = Header("Authorization", "`Ticket …`: the ticket, where no cookie is kept.")
_COOKIE_DAYS = 30
ASSISTANT = "assistant"


class Empty(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing to say, for now."""


class JoinBody(msgspec.Struct, forbid_unknown_fields=True, rename={"pass_text": "pass"}):
    """``challenge``: the solution of a challenge, where the room asks for one, as ALTCHA encodes it.

    ``pass`` is that of a letter, and opens its lane. ``lane`` is for staff who join for somebody else.
    """

    challenge: Annotated[str, msgspec.Meta(max_length=MAX_SOLUTION_LENGTH)] = ""
    pass_text: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    lane: Annotated[str, msgspec.Meta(max_length=32)] | None = None


_NOTHING = JoinBody()


class ResumeBody(msgspec.Struct, forbid_unknown_fields=True):
    """A code from another device, as it was typed."""

    code: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_LENGTH)]


class StatusResponse(Response):
    """The public status out of memory; caches may keep it for a second."""

    def __init__(self, body: bytes) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
            (b"cache-control", b"public, max-age=1"),
        ]


def _edge(scope: Scope) -> tuple[EdgeState, Desk, str | None]:
    edge: EdgeState = scope["state"]["edge"]
    room: str = scope["path_params"]["room"]
    return edge, edge.desk(room), ticket_of(scope, room)


def ticket_cookie(room: str, ticket: str, *, secure: bool, max_age_s: int = _COOKIE_DAYS * 86_400) -> str:
    """Return the ``Set-Cookie`` value that makes the browser carry the ticket; an empty one takes it away."""
    ending = "; Secure" if secure else ""
    return f"{cookie_name(room)}={ticket}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{ending}"


async def _expect_no_body(request: Request) -> None:
    if has_body(request.scope) and await request.body():
        await read_body(request, Empty)


async def read_status(request: Request) -> Response:
    """Answer from memory: this is what a whole country may ask at once."""
    edge: EdgeState = request.scope["state"]["edge"]
    return StatusResponse(edge.desk(request.scope["path_params"]["room"]).view().status_json)


async def join(request: Request) -> Response:
    """Give a place, or the one that the visitor already has."""
    edge, desk, ticket = _edge(request.scope)
    given = await read_body(request, JoinBody) if has_body(request.scope) and await request.body() else _NOTHING
    wish = Wish(given.lane, given.pass_text, is_assistant=given.lane is not None and await _is_assistant(request))
    visit = Carried(request.scope).cookie(visit_cookie_name(desk.plan.id)) if desk.plan.require_cookie else None
    theirs = None if wish.is_assistant else ticket  # who joins for others has no place by that
    result = await visits.join(edge, desk, theirs, Proof(given.challenge or None, visit), wish)
    response = Json(result.joined, 201 if result.new else 200)
    return _carrying(response, edge, desk, result.joined) if result.new and not wish.is_assistant else response


def _carrying(response: Response, edge: EdgeState, desk: Desk, joined: Joined) -> Response:
    cookie = ticket_cookie(desk.plan.id, joined.ticket, secure=edge.config.secure_cookies)
    response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
    return response


async def _is_assistant(request: Request) -> bool:
    """Whether staff asks; raises Problem for a bearer token that is none, or has not the role."""
    if not request.headers.get("authorization", "").lower().startswith("bearer "):
        return False
    edge: EdgeState = request.scope["state"]["edge"]
    await require_identity(request, edge.verifier, ASSISTANT)
    return True


async def read_challenge(request: Request) -> Response:
    """Hand out a challenge where the room asks newcomers for one."""
    edge, desk, _ = _edge(request.scope)
    guard = edge.guard.rooms[desk.plan.id]
    limit = await edge.guard.limit(request.scope, desk.plan.id, "acts")
    if guard.asked(desk.line.picture) == "off":
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    else:
        response = Json(guard.challenge())
    response.raw_headers.extend(limit)
    return response


async def read_standing(request: Request) -> Response:
    """Say where the visitor stands."""
    return Json(await visits.standing(*_edge(request.scope)))


async def claim(request: Request) -> Response:
    """Let the visitor through."""
    edge, desk, ticket = _edge(request.scope)
    await _expect_no_body(request)
    return Json(await visits.claim(edge, desk, ticket), 201)


async def write_code(request: Request) -> Response:
    """Make a code that carries the place to another device."""
    edge, desk, ticket = _edge(request.scope)
    await _expect_no_body(request)
    return Json(await devices.carry(edge, desk, ticket), 201)


async def resume(request: Request) -> Response:
    """Give the place that a code stands for."""
    edge, desk, _ = _edge(request.scope)
    joined = await devices.resume(edge, desk, (await read_body(request, ResumeBody)).code)
    return _carrying(Json(joined), edge, desk, joined)


async def leave(request: Request) -> Response:
    """Take the place back."""
    edge, desk, ticket = _edge(request.scope)
    await visits.leave(edge, desk, ticket)
    gone = ticket_cookie(desk.plan.id, "", secure=edge.config.secure_cookies, max_age_s=0)
    return Response(status_code=204, headers={"Set-Cookie": gone, "Cache-Control": "no-store"})


def endpoints() -> list[Endpoint]:
    """Return the table of the visitors' operations, the busiest first."""
    mine = "/v1/rooms/{room}/tickets/me"
    return [
        Endpoint(
            "GET",
            mine,
            read_standing,
            "Where the caller stands",
            {200: Standing},
            path_params=ROOM,
            headers=[TICKET_HEADER],
            problems=errors.TICKET_PROBLEMS,
        ),
        Endpoint(
            "GET", "/v1/rooms/{room}", read_status, "The room, the same for all", {200: RoomStatus}, path_params=ROOM
        ),
        Endpoint(
            "POST",
            "/v1/rooms/{room}/tickets",
            join,
            "Take a place in line; whoever has one keeps it",
            {201: Joined, 200: Joined},
            body=JoinBody,
            body_required=False,
            path_params=ROOM,
            headers=[TICKET_HEADER],
            problems=[
                errors.ROOM_CLOSED,
                errors.ROOM_DRAINING,
                errors.NOT_OPEN_YET,
                errors.SOLD_OUT,
                *errors.PASS_PROBLEMS,
                problem.FORBIDDEN,
                problem.UNAUTHENTICATED,
                *errors.GUARD_PROBLEMS,
            ],
        ),
        Endpoint(
            "GET",
            "/v1/rooms/{room}/challenge",
            read_challenge,
            "A challenge to solve before joining; nothing where the room asks for none",
            {200: Challenge, 204: None},
            path_params=ROOM,
            problems=[errors.TOO_MANY_REQUESTS],
        ),
        Endpoint(
            "POST",
            "/v1/rooms/{room}/admissions",
            claim,
            "Go through, once called",
            {201: Admission},
            path_params=ROOM,
            headers=[TICKET_HEADER],
            problems=[
                *errors.TICKET_PROBLEMS,
                errors.NOT_CALLED,
                errors.PACED,
                errors.REENTRY_SPENT,
                errors.TOO_MANY_REQUESTS,
                errors.TICKET_LEFT,
                errors.ROOM_CLOSED,
                *errors.BODY_PROBLEMS,
            ],
        ),
        Endpoint(
            "DELETE",
            mine,
            leave,
            "Give the place back, for good",
            {204: None},
            path_params=ROOM,
            headers=[TICKET_HEADER],
            problems=[*errors.TICKET_PROBLEMS, errors.TOO_MANY_REQUESTS],
        ),
        Endpoint(
            "POST",
            "/v1/rooms/{room}/resume-codes",
            write_code,
            "A code that carries the place to another device, once",
            {201: ResumeCode},
            path_params=ROOM,
            headers=[TICKET_HEADER],
            problems=[*errors.TICKET_PROBLEMS, errors.TICKET_LEFT, errors.TOO_MANY_REQUESTS, *errors.BODY_PROBLEMS],
        ),
        Endpoint(
            "POST",
            "/v1/rooms/{room}/tickets:resume",
            resume,
            "Go on with a place from another device, by its code",
            {200: Joined},
            body=ResumeBody,
            path_params=ROOM,
            problems=[
                errors.RESUME_CODE_UNKNOWN,
                *errors.TICKET_PROBLEMS,
                errors.TICKET_LEFT,
                errors.TOO_MANY_REQUESTS,
            ],
        ),
    ]
