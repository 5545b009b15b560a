"""Offers in the database. The guarantees live in the SQL functions."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from origin.db.sql import Connection, load
from origin.offers.models import Offer, State, from_row

QUERIES = Path(__file__).with_name("queries.sql")

Outcome = Literal[
    "unknown", "accepted", "offer_over", "offer_changed", "slot_gone", "frozen", "offered", "no_other_time", "declined"
]


@dataclass(frozen=True)
class WayBack:
    """The admission with which somebody may book again without the queue, and the room it is for."""

    admission: str
    room: str


class OfferStore:
    """Each method is one statement and, outside a transaction, one commit."""

    async def due(self, connection: Connection, *, now: datetime, at_most: int) -> list[UUID]:
        """Return what something is to be done about, the soonest first."""
        rows = await load(QUERIES)["due"].rows(connection, now=now, at_most=at_most)
        return [row["id"] for row in rows]

    async def advance(self, connection: Connection, displaced: UUID, *, hold: UUID, now: datetime) -> State | None:
        """Do what is due; return what it is now, or None where nothing was. ``hold``: the id of a hold it may need."""
        row = await load(QUERIES)["advance"].row(connection, displaced=displaced, hold=hold, now=now)
        assert row is not None
        state: State | None = row["state"]
        return state

    async def offers(
        self,
        connection: Connection,
        person: bytes,
        *,
        now: datetime,
        displaced: UUID | None = None,
        appointment: UUID | None = None,
    ) -> list[Offer]:
        """Return a person's offers, open ones first; only those of an id or an appointment, where one is given."""
        rows = await load(QUERIES)["offers"].rows(
            connection, person=person, now=now, displaced=displaced, appointment=appointment
        )
        return [from_row(row) for row in rows]

    async def accept(
        self, connection: Connection, person: bytes, displaced: UUID, *, slot: int, now: datetime
    ) -> Outcome:
        """Move the appointment to the slot that was offered, once."""
        return await self._answer(connection, "accept", person=person, displaced=displaced, slot=slot, now=now)

    async def another(
        self, connection: Connection, person: bytes, displaced: UUID, *, slot: int, hold: UUID, now: datetime
    ) -> Outcome:
        """Offer another slot; this one stays where there is none."""
        values = {"person": person, "displaced": displaced, "slot": slot, "hold": hold, "now": now}
        return await self._answer(connection, "another", **values)

    async def decline(
        self, connection: Connection, person: bytes, displaced: UUID, *, slot: int, now: datetime
    ) -> Outcome:
        """Cancel the appointment."""
        return await self._answer(connection, "decline", person=person, displaced=displaced, slot=slot, now=now)

    async def way_back(
        self, connection: Connection, person: bytes, appointment: UUID, *, now: datetime
    ) -> WayBack | None:
        """Return with what a person books again after a site has cancelled, or None."""
        row = await load(QUERIES)["way_back"].row(connection, person=person, appointment=appointment, now=now)
        return None if row is None or row["admission"] is None else WayBack(row["admission"], row["room"])

    async def _answer(self, connection: Connection, statement: str, **values: object) -> Outcome:
        row = await load(QUERIES)[statement].row(connection, **values)
        assert row is not None
        outcome: Outcome = row["outcome"]
        return outcome
