"""What a visitor does: join, see where they stand, go through, leave. The JSON and the pages both call these.

A ticket is given as the text that the visitor carries, or None. Each raises Problem, TicketRefused or LineError, which
``edge.errors`` turns into answers.
"""

from typing import NoReturn

import msgspec

from edge import errors
from edge.guard.guard import Proof
from edge.line import estimate
from edge.line.desk import Desk, Numbered
from edge.line.line import ClaimOutcome, Closed, Draining, Moved, Refused, Scheduled, SoldOut
from edge.line.room import PlaceState, Spot
from edge.line.standing import Joined, Standing, joined_at, standing_at
from edge.line.ticket import Ticket, TicketRefused
from edge.line.view import View, iso
from edge.state import EdgeState
from edge.visitors.lineup import Lineup, Wish, by_pass, lane_for
from shared.problem import Problem


class Join(msgspec.Struct, frozen=True):
    """What joining brought: a new place, or the one the visitor had."""

    joined: Joined
    new: bool


class Admission(msgspec.Struct, frozen=True):
    """The way in: the token, when it expires (ISO 8601), and where to take it."""

    token: str
    expires_at: str
    enter_url: str


_NO_PROOF = Proof()
_ANY_LANE = Wish()
_REFUSED: dict[Refused, type[Closed]] = {"closed": Closed, "draining": Draining, "scheduled": Scheduled}


async def join(edge: EdgeState, desk: Desk, text: str | None, proof: Proof = _NO_PROOF, wish: Wish = _ANY_LANE) -> Join:
    """Take a place in line. Whoever brings a valid ticket that was not given back keeps its place.

    Raises:
        Problem: what room or lane ask for is missing or refused (``RoomGuard.admit``, ``lineup``). No place was taken.
        Closed, Healing, StoreUnavailable: no place was taken.
    """
    if text is not None:
        kept = await _kept(edge, desk, text)
        if kept is not None:
            return Join(joined_at(text, kept), new=False)
    lineup = None if wish.pass_text else Lineup(lane_for(desk, wish))
    guard = edge.guard.rooms[desk.plan.id]
    if not wish.is_assistant and guard.asks(desk.line.picture):
        await guard.admit(proof, desk.line.picture)
    if lineup is not None:
        joined = _numbered(await desk.join(lineup.lane))
    else:
        async with by_pass(desk, guard.passes, wish.pass_text or "") as lineup:
            joined = _numbered(await desk.join(lineup.lane))
    return Join(_ticketed(edge, desk, lineup, joined), new=True)


def _numbered(joined: Numbered) -> Numbered:
    """Raise Closed where there is no number."""
    if joined.refused:
        raise _closed(joined.refused, joined.view)
    return joined


def _ticketed(edge: EdgeState, desk: Desk, lineup: Lineup, joined: Numbered) -> Joined:
    spot = Spot(lineup.lane, joined.number, 0 if joined.entry else joined.number)
    state: PlaceState = "entered"
    if spot.place:
        state = "called" if spot.place <= joined.view.picture.lanes[spot.lane].called else "waiting"
    at = standing_at(spot, state, joined.view, edge.ids)
    ticket = edge.tickets.issue(
        room=desk.plan.id,
        epoch=joined.view.picture.epoch,
        number=joined.number,
        ticket_id=lineup.ticket_id or edge.ids.secret(16),
        iat=joined.view.picture.at_us // 1_000_000,
        lane=lineup.lane,
        entry=joined.entry,
        told=(at.wait.p50_s, at.wait.p90_s) if at.wait and state == "waiting" else None,
    )
    return joined_at(ticket, at)


async def standing(edge: EdgeState, desk: Desk, text: str | None) -> Standing:
    """Say where the ticket's holder stands.

    Raises:
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    ticket = open_ticket(edge, desk, text)
    spot = spot_of(desk, ticket)
    view = desk.glance(spot)
    if view is not None:
        return standing_at(spot, "waiting" if spot.place else "entered", view, edge.ids)
    state, view = await desk.look(spot)
    return standing_at(spot, state, view, edge.ids)


async def claim(edge: EdgeState, desk: Desk, text: str | None) -> Admission:
    """Let the ticket's holder through. Asked again, the token is new and its id is the same.

    Raises:
        Problem: ``not_called`` with the standing, ``paced`` (the turn is kept), ``reentry_spent``, ``ticket_left``,
            ``room_closed``.
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    ticket = open_ticket(edge, desk, text)
    spot = spot_of(desk, ticket)
    outcome, view = await desk.claim(spot)
    edge.metrics.claimed(outcome)
    if outcome not in {"admitted", "again"}:
        _refuse(edge, spot, outcome, view)
    if outcome == "admitted":
        _compare(edge, desk, ticket, spot)
    plan, issued_at = desk.plan, view.picture.at_us // 1_000_000
    token = edge.tokens.issue(room=plan.id, ticket_id=ticket.id, iat=issued_at, ttl_s=plan.token_ttl_s)
    return Admission(token, iso(issued_at + plan.token_ttl_s), str(plan.enter_url))


async def leave(edge: EdgeState, desk: Desk, text: str | None) -> None:
    """Give the ticket's place back, for good.

    Raises:
        TicketRefused, Moved, StoreUnavailable: see there.
    """
    await desk.leave(spot_of(desk, open_ticket(edge, desk, text)))


def open_ticket(edge: EdgeState, desk: Desk, text: str | None) -> Ticket:
    """Return the ticket when it holds a place in the room's line; raises TicketRefused, which is counted."""
    try:
        return edge.tickets.open(text, room=desk.plan.id, epoch=desk.line.epoch, lanes=len(desk.plan.lanes))
    except TicketRefused as refused:
        edge.metrics.ticket_refused(refused.reason)
        raise


def spot_of(desk: Desk, ticket: Ticket) -> Spot:
    """Return where a ticket belongs."""
    return Spot(ticket.lane, ticket.number, desk.line.place_of(ticket.lane, ticket.number, entry=ticket.entry))


async def _kept(edge: EdgeState, desk: Desk, text: str) -> Standing | None:
    try:
        spot = spot_of(desk, open_ticket(edge, desk, text))
        state, view = await desk.look(spot)
    except (TicketRefused, Moved):
        return None
    return None if state == "left" else standing_at(spot, state, view, edge.ids)


def _closed(refused: Refused, view: View) -> Closed:
    if view.picture.held == "sold_out":
        return SoldOut()
    return _REFUSED[refused]()


def _compare(edge: EdgeState, desk: Desk, ticket: Ticket, spot: Spot) -> None:
    """Hold the wait that was told with a ticket against the one that it was."""
    called_at = desk.history[spot.lane].called_at_us(spot.place)
    if ticket.told is not None and called_at is not None:
        edge.metrics.waited(max(0.0, called_at / 1_000_000 - ticket.iat), *ticket.told)


def _refuse(edge: EdgeState, spot: Spot, outcome: ClaimOutcome, view: View) -> NoReturn:
    seen = view.picture
    match outcome:
        case "left":
            raise Problem(errors.TICKET_LEFT)
        case "closed":
            raise Problem(errors.ROOM_CLOSED)
        case "spent":
            raise Problem(errors.REENTRY_SPENT)
        case "paced":
            backlog = seen.lanes[spot.lane].backlog
            part = seen.lanes[spot.lane].share or seen.rate
            spread = edge.ids.spread(0, 1)
            after = estimate.retry_after_s(backlog, rate_per_s=part, open_now=seen.flows, spread=spread)
            raise Problem(errors.PACED, retry_after_s=after)
    standing = standing_at(spot, "waiting" if spot.place else "entered", view, edge.ids)
    raise Problem(errors.NOT_CALLED, **msgspec.structs.asdict(standing))
