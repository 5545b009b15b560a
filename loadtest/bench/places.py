"""Tickets of any place, made with the edge's own key: lines as long as a benchmark needs, without joining so often."""

from pathlib import Path

import msgspec

from loadtest.bench.wrk import request
from shared.keys import KeyRing
from shared.signing import Sealer


class _Ticket(msgspec.Struct):
    """A ticket's payload, in the edge's order."""

    v: int
    kid: str
    room: str
    epoch: int
    number: int
    id: str
    iat: int


def authorized(ticket: str) -> dict[str, str]:
    """Return what a visitor's requests carry."""
    return {"Authorization": f"Ticket {ticket}"}


class Places:
    """The genuine tickets of one room's first line."""

    def __init__(self, keys: Path, room: str) -> None:
        ring = KeyRing.load(keys)
        self._kid = ring.current
        self._room = room
        self._sealer = Sealer(_Ticket, ring, "ticket")

    def ticket(self, place: int) -> str:
        """Return the ticket of a place."""
        return self._sealer.seal(_Ticket(1, self._kid, self._room, 1, place, f"bench-place-{place:012d}", 0))

    def asking(self, room_url: str, place: int) -> bytes:
        """Return the request with which a place's holder asks where they stand."""
        return request("GET", f"{room_url}/tickets/me", authorized(self.ticket(place)))

    def claiming(self, room_url: str, place: int) -> bytes:
        """Return the request with which a place's holder claims."""
        return request("POST", f"{room_url}/admissions", authorized(self.ticket(place)))
