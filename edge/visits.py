"""What a visitor does: join, see where they stand, go through, leave. The JSON and the pages both call these.

A ticket is given as the text that the visitor carries, or None. Each raises Problem, TicketRefused or LineError, which
``edge.errors`` turns into answers.
"""

from dataclasses import dataclass
from typing import Literal, NoReturn

import msgspec

from edge import errors, estimate
from edge.desk import Desk, View, iso
from edge.estimate import Wait
from edge.guard import Proof
from edge.line import ClaimOutcome, Moved
from edge.room import Held, PlaceState, RoomState, is_unlikely, people_ahead
from edge.state import EdgeState
from edge.ticket import Ticket, TicketRefused
from shared.problem import Problem

Outlook = Literal["unlikely"]


class Standing(msgspec.Struct, frozen=True):
    """Where a visitor stands. ``wait`` is null while nobody is called: the room is paused or closed.

    ``outlook`` is ``unlikely`` when more people are ahead than doses are left, else null. ``why``: as in the status.
    """

    place: int
    ahead: int
    state: PlaceState
    wait: Wait | None
    poll_after_s: float
    room_state: RoomState
    outlook: Outlook | None
    why: Held | None
    as_of: str


class Joined(msgspec.Struct, frozen=True):
    """A visitor's ticket and where they stand."""

    ticket: str
    place: int
    ahead: int
    state: PlaceState
    wait: Wait | None
    poll_after_s: float
    room_state: RoomState
    outlook: Outlook | None
    why: Held | None
    as_of: str


@dataclass(frozen=True)
class Join:
    """What joining brought: a new place, or the one the visitor had."""

    joined: Joined
    new: bool


class Admission(msgspec.Struct, frozen=True):
    """The way in: the token, when it expires (ISO 8601), and where to take it."""

    token: str
    expires_at: str
    enter_url: str


_NOBODY = Wait(0, 0)
_NO_PROOF = Proof()


async def join(edge: EdgeState, desk: Desk, text: str | None, proof: Proof = _NO_PROOF) -> Join:
    """Take a place in line. Whoever brings a valid ticket that was not given back keeps its place.

    Raises:
        Problem: what the room asks for is missing or refused; see ``RoomGuard.admit``. No place was taken.
        Closed, Healing, StoreUnavailable: no place was taken.
    """
    if text is not None:
        kept = await _kept(edge, desk, text)
        if kept is not None:
            return Join(_joined(text, kept), new=False)
    await edge.guard.rooms[desk.plan.id].admit(proof, desk.line.picture)
    place, view = await desk.join()
    ticket = edge.tickets.issue(
        room=desk.plan.id,
        epoch=view.picture.epoch,
        place=place,
        ticket_id=edge.ids.secret(16),
        iat=view.picture.at_us // 1_000_000,
    )
    state: PlaceState = "called" if place <= view.picture.called else "waiting"
    return Join(_joined(ticket, _standing(edge, place, state, view)), new=True)


async def standing(edge: EdgeState, desk: Desk, text: str | None) -> Standing:
    """Say where the ticket's holder stands.

    Raises:
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    ticket = _open(edge, desk, text)
    view = desk.glance(ticket.place)
    if view is not None:
        return _standing(edge, ticket.place, "waiting", view)
    state, view = await desk.look(ticket.place)
    return _standing(edge, ticket.place, state, view)


async def claim(edge: EdgeState, desk: Desk, text: str | None) -> Admission:
    """Let the ticket's holder through. Asked again, the token is new and its id is the same.

    Raises:
        Problem: ``not_called`` with the standing, ``paced`` (the turn is kept), ``ticket_left``, ``room_closed``.
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    ticket = _open(edge, desk, text)
    outcome, view = await desk.claim(ticket.place)
    edge.metrics.claimed(outcome)
    if outcome not in {"admitted", "again"}:
        _refuse(edge, ticket, outcome, view)
    plan, issued_at = desk.plan, view.picture.at_us // 1_000_000
    token = edge.tokens.issue(room=plan.id, ticket_id=ticket.id, iat=issued_at, ttl_s=plan.token_ttl_s)
    return Admission(token, iso(issued_at + plan.token_ttl_s), str(plan.enter_url))


async def leave(edge: EdgeState, desk: Desk, text: str | None) -> None:
    """Give the ticket's place back, for good.

    Raises:
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    await desk.leave(_open(edge, desk, text).place)


async def _kept(edge: EdgeState, desk: Desk, text: str) -> Standing | None:
    try:
        ticket = _open(edge, desk, text)
        state, view = await desk.look(ticket.place)
    except (TicketRefused, Moved):
        return None
    return None if state == "left" else _standing(edge, ticket.place, state, view)


def _open(edge: EdgeState, desk: Desk, text: str | None) -> Ticket:
    try:
        return edge.tickets.open(text, room=desk.plan.id, epoch=desk.line.epoch)
    except TicketRefused as refused:
        edge.metrics.ticket_refused(refused.reason)
        raise


def _refuse(edge: EdgeState, ticket: Ticket, outcome: ClaimOutcome, view: View) -> NoReturn:
    seen = view.picture
    match outcome:
        case "left":
            raise Problem(errors.TICKET_LEFT)
        case "closed":
            raise Problem(errors.ROOM_CLOSED)
        case "paced":
            after = estimate.retry_after_s(seen.backlog, rate_per_s=seen.rate, open_now=seen.shown == "open")
            raise Problem(errors.PACED, retry_after_s=after)
    standing = _standing(edge, ticket.place, "waiting", view)
    raise Problem(errors.NOT_CALLED, **msgspec.structs.asdict(standing))


def _standing(edge: EdgeState, place: int, state: PlaceState, view: View) -> Standing:
    seen = view.picture
    ahead = people_ahead(place, state, seen)
    expected: Wait | None = _NOBODY
    if state == "waiting":
        expected = estimate.wait(ahead, calls_per_s=seen.calls_per_s, rate_per_s=seen.rate)
    poll = estimate.poll_after_s(expected, waiting=seen.waiting, spread=edge.ids.spread(0.9, 1.1))
    outlook: Outlook | None = "unlikely" if is_unlikely(ahead, state, seen) else None
    return Standing(place, ahead, state, expected, poll, seen.shown, outlook, seen.held or None, view.as_of)


def _joined(ticket: str, at: Standing) -> Joined:
    return Joined(
        ticket, at.place, at.ahead, at.state, at.wait, at.poll_after_s, at.room_state, at.outlook, at.why, at.as_of
    )
