"""What a browser goes through before it gets a place: it brings back a cookie, and solves a challenge or waits instead.

Waiting is for those whose browser does not compute: a page says how long, and a button is pressed after that time.
"""

from starlette.responses import Response

from edge import errors
from edge.browser import Visitor
from edge.carried import cookie_of
from edge.guard import Proof, RoomGuard, visit_cookie_name
from shared.problem import Problem

FIELD = "challenge"


def _guard(visitor: Visitor) -> RoomGuard:
    return visitor.edge.guard.rooms[visitor.desk.plan.id]


async def proof(visitor: Visitor) -> Proof:
    """Return what the form and the cookies bring."""
    form = await visitor.request.form(max_files=0, max_fields=4)
    given = form.get(FIELD)
    visit = cookie_of(visitor.request.scope, visit_cookie_name(visitor.desk.plan.id))
    return Proof(given if isinstance(given, str) and given else None, visit)


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
        return {"note": note or "", "seconds": refused.members["wait_s"]}
    await visitor.edge.guard.limit(visitor.request.scope, visitor.desk.plan.id, "waits")
    return {"note": _guard(visitor).wait_note(), "seconds": visitor.desk.plan.challenge_wait_s}
