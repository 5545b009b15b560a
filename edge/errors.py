"""Every refusal of the edge, and what it is told as: the one place where errors become problems."""

from starlette.requests import Request
from starlette.responses import Response

from edge.line.line import Closed, Draining, Healing, LineError, Moved, Scheduled, SoldOut
from edge.line.ticket import TICKET_REASONS, TicketReason, TicketRefused
from shared import problem
from shared.problem import Problem, ProblemType

ROOM_CLOSED = ProblemType("room_closed", 409, "This room takes nobody in")
ROOM_DRAINING = ProblemType("room_draining", 409, "This line takes nobody new in")
NOT_OPEN_YET = ProblemType("not_open_yet", 409, "Nobody can join yet")
SOLD_OUT = ProblemType("sold_out", 409, "All appointments are taken for now")
NO_CAPACITY_FEED = ProblemType("no_capacity_feed", 409, "This room has no booking system to follow")
REENTRY_SPENT = ProblemType("reentry_spent", 409, "This place was let through as often as it may be")
ROOM_EXISTS = ProblemType("room_exists", 409, "There is a room of this id")
TOO_MANY_ROOMS = ProblemType("too_many_rooms", 409, "There are as many rooms as there can be")
LOTTERY_DRAWN = ProblemType("lottery_drawn", 409, "The room has opened; how its line is formed stays as it is")
LINE_BEGUN = ProblemType("line_begun", 409, "People stand in line already; how it is formed stays as it is")
NO_BYPASS_LANE = ProblemType("no_bypass_lane", 409, "This room has no lane for holders of passes")
NOT_CONFIRMED = ProblemType("not_confirmed", 422, "Confirm with the id of the room whose line is to end")
NOT_CALLED = ProblemType("not_called", 409, "It is not your turn yet")
CHALLENGE_MISSING = ProblemType("challenge_missing", 422, "This room asks for a solved challenge")
CHALLENGE_REFUSED = ProblemType("challenge_refused", 403, "This solution is not accepted; fetch a new challenge")
COOKIE_REQUIRED = ProblemType(
    "cookie_required", 428, "Send the request again with the cookie that came with this answer"
)
PASS_MISSING = ProblemType("pass_missing", 422, "This lane asks for the pass from your letter")
PASS_REFUSED = ProblemType("pass_refused", 403, "This pass is not accepted here; compare it with your letter")
PASS_REVOKED = ProblemType("pass_revoked", 403, "This pass was taken back by the programme")
PASS_USED = ProblemType("pass_used", 409, "This pass has already been used for a place")
TOO_MANY_REQUESTS = ProblemType("too_many_requests", 429, "Too many requests from this address")
PACED = ProblemType("paced", 429, "It is your turn; the door lets people through one by one")
RESUME_CODE_UNKNOWN = ProblemType("resume_code_unknown", 404, "This code is not known here, or no longer")
TICKET_LEFT = ProblemType("ticket_left", 410, "This place was given back")
TICKET_REFUSED: dict[TicketReason, ProblemType] = {
    "missing": ProblemType("ticket_missing", 401, "Join the line first"),
    "malformed": ProblemType("ticket_malformed", 401, "This is not a ticket"),
    "unknown_key": ProblemType("ticket_unknown_key", 401, "This ticket was signed with a key that is no longer known"),
    "bad_signature": ProblemType("ticket_bad_signature", 401, "This ticket was altered"),
    "wrong_room": ProblemType("ticket_wrong_room", 401, "This ticket belongs to another room"),
    "stale": ProblemType("ticket_stale", 401, "This ticket belongs to an earlier line"),
}
TICKET_PROBLEMS = tuple(TICKET_REFUSED[reason] for reason in TICKET_REASONS)
GUARD_PROBLEMS = (CHALLENGE_MISSING, CHALLENGE_REFUSED, COOKIE_REQUIRED, TOO_MANY_REQUESTS)
PASS_PROBLEMS = (PASS_MISSING, PASS_REFUSED, PASS_REVOKED, PASS_USED)
BODY_PROBLEMS = (
    problem.MALFORMED_JSON,
    problem.INVALID_BODY,
    problem.UNSUPPORTED_MEDIA_TYPE,
    problem.BODY_TOO_LARGE,
)

_SOLD_OUT = "Joining opens again by itself as soon as appointments are added or given back."
_CLOSED: dict[type[Closed], tuple[ProblemType, str]] = {
    Closed: (ROOM_CLOSED, ""),
    SoldOut: (SOLD_OUT, _SOLD_OUT),
    Draining: (ROOM_DRAINING, ""),
    Scheduled: (NOT_OPEN_YET, ""),
}
_UNAVAILABLE_S = 2
_HEALING_S = 1


HANDLED = (Problem, TicketRefused, LineError)
Handled = Problem | TicketRefused | LineError


def as_problem(error: Handled) -> Problem:
    """Return how ``error`` is told."""
    match error:
        case Problem():
            told = error
        case TicketRefused(reason=reason):
            told = Problem(TICKET_REFUSED[reason], headers={"WWW-Authenticate": "Ticket"})
        case Moved():
            told = as_problem(TicketRefused("stale"))
        case Closed():
            told = Problem(*_CLOSED[type(error)])
        case Healing():
            told = Problem(problem.STORE_UNAVAILABLE, "the line is being restored", retry_after_s=_HEALING_S)
        case _:
            told = Problem(problem.STORE_UNAVAILABLE, retry_after_s=_UNAVAILABLE_S)
    return told


async def answer(_request: Request, error: Exception) -> Response:
    """Starlette's exception handler for TicketRefused and LineError."""
    if not isinstance(error, HANDLED):
        raise error
    return as_problem(error).response()
