"""A place in line, signed: the ticket that the visitor carries *is* the record, the store keeps none of it. Pure."""

from typing import Annotated, Literal

import msgspec

from edge.line.room import MAX_LANES, MAX_PLACE
from shared.keys import KeyRing
from shared.signing import Sealer, SignatureRefused

TicketReason = Literal["missing", "malformed", "unknown_key", "bad_signature", "wrong_room", "stale"]
TICKET_REASONS: tuple[TicketReason, ...] = (
    "missing",
    "malformed",
    "unknown_key",
    "bad_signature",
    "wrong_room",
    "stale",
)


class TicketRefused(Exception):
    """A ticket that holds no place here; ``reason`` is one of ``TICKET_REASONS``."""

    def __init__(self, reason: TicketReason) -> None:
        super().__init__(reason)
        self.reason: TicketReason = reason


class Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A number in one lane of one line. ``id`` is unguessable; ``iat`` is in Unix seconds on the store's clock.

    The number is the place, but for an ``entry`` of a lottery, whose place is drawn at the opening. ``lane`` is the
    lane's index. ``told``: the wait that was shown with the ticket, p50 and p90 in seconds.
    """

    v: Literal[1]
    kid: str
    room: Annotated[str, msgspec.Meta(max_length=32)]
    epoch: Annotated[int, msgspec.Meta(ge=1)]
    number: Annotated[int, msgspec.Meta(ge=1, le=MAX_PLACE)]
    id: Annotated[str, msgspec.Meta(min_length=16, max_length=64)]
    iat: int
    lane: Annotated[int, msgspec.Meta(ge=0, lt=MAX_LANES)] = 0
    entry: bool = False
    told: tuple[int, int] | None = None


class Tickets:
    """Issues and opens the tickets of all rooms."""

    def __init__(self, ring: KeyRing) -> None:
        self._sealer = Sealer(Ticket, ring, "ticket")

    def issue(
        self,
        *,
        room: str,
        epoch: int,
        number: int,
        ticket_id: str,
        iat: int,
        lane: int = 0,
        entry: bool = False,
        told: tuple[int, int] | None = None,
    ) -> str:
        """Return the signed text of a new ticket."""
        return self._sealer.seal(Ticket(1, self._sealer.kid, room, epoch, number, ticket_id, iat, lane, entry, told))

    def open(self, text: str | None, *, room: str, epoch: int, lanes: int = 1) -> Ticket:
        """Return the ticket when it holds a place in this line of this room.

        Raises:
            TicketRefused: with the first reason that applies, in the order of ``TICKET_REASONS``.
        """
        if not text:
            raise TicketRefused("missing")
        try:
            ticket = self._sealer.open(text)
        except SignatureRefused as refused:
            raise TicketRefused(refused.reason) from None
        if ticket.room != room:
            raise TicketRefused("wrong_room")
        if ticket.epoch != epoch or ticket.lane >= lanes:
            raise TicketRefused("stale")
        return ticket
