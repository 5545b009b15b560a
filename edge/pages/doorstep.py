"""What a browser goes through before it gets a place: it brings back a cookie, and solves a challenge or waits instead.

Waiting is for those whose browser does not compute: a page says how long, and a button is pressed after that time.
"""

from collections.abc import Mapping
from typing import Literal

from starlette.responses import Response

from edge import errors
from edge.guard.guard import Proof, RoomGuard, visit_cookie_name
from edge.pages.browser import Visitor
from shared.problem import Problem, ProblemType

Note = Literal[
    "", "left", "stale", "lost", "cookie", "code", "pass_missing", "pass_refused", "pass_used", "pass_revoked"
]
NOTES: Mapping[ProblemType, Note] = {
    errors.PASS_MISSING: "pass_missing",
    errors.PASS_REFUSED: "pass_refused",
    errors.PASS_USED: "pass_used",
    errors.PASS_REVOKED: "pass_revoked",
}
"""What the door says of a letter that opens nothing."""

_IN_ADDRESS: tuple[Note, ...] = ("left", "cookie")
_LONGEST_LETTER = 200


def _guard(visitor: Visitor) -> RoomGuard:
    return visitor.edge.guard.rooms[visitor.desk.plan.id]


def told(visitor: Visitor) -> Note:
    """Return what the address says to tell."""
    given = visitor.request.query_params.get("note")
    return next((note for note in _IN_ADDRESS if note == given), "")


async def typed(visitor: Visitor, field: str) -> str:
    """Return a field of the form that was sent; empty where it has none."""
    given = (await visitor.request.form(max_files=0, max_fields=4)).get(field)
    return given if isinstance(given, str) else ""


async def letter(visitor: Visitor) -> str:
    """Return the pass that was typed, as it was typed, but for what is longer than any pass."""
    return (await typed(visitor, "pass")).strip()[:_LONGEST_LETTER]


async def proof(visitor: Visitor) -> Proof:
    """Return what the form and the cookies bring."""
    given = await typed(visitor, "challenge")
    visit = visitor.carried.cookie(visit_cookie_name(visitor.desk.plan.id))
    return Proof(given or None, visit)


def come_back(visitor: Visitor, response: Response) -> None:
    """Make the browser carry the cookie that it has to bring back."""
    response.headers.append("set-cookie", _guard(visitor).visit_cookie())


async def asked_to_wait(visitor: Visitor, refused: Problem) -> dict[str, object]:
    """Return what the waiting page's form holds: who came too early keeps the note, everybody else gets a fresh one.

    Raises:
        Problem: ``refused`` itself where it is of another kind, ``too_many_requests`` where too many wait already.
    """
    if refused.kind not in {errors.CHALLENGE_MISSING, errors.CHALLENGE_REFUSED}:
        raise refused
    if refused.members.get("reason") == "too_early":
        note = (await proof(visitor)).solution
        return {"note": note or "", "seconds": refused.members["wait_s"], "letter": await letter(visitor)}
    await visitor.edge.guard.limit(visitor.scope, visitor.desk.plan.id, "waits")
    return {
        "note": _guard(visitor).wait_note(),
        "seconds": visitor.desk.plan.challenge_wait_s,
        "letter": await letter(visitor),
    }
