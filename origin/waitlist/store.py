"""The waitlist in the database. The guarantees live in the SQL functions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec

from origin.db.sql import Connection, load
from origin.waitlist.models import Entry, State, from_row

QUERIES = Path(__file__).with_name("queries.sql")

JoinOutcome = Literal[
    "joined",
    "no_waitlist",
    "decision_unknown",
    "decision_expired",
    "not_eligible",
    "site_unknown",
    "admission_used",
    "already_booked",
    "already_waiting",
]


class Joining(msgspec.Struct, frozen=True):
    """Somebody who joins, and what they wish for. ``entry`` is the id that they will have."""

    entry: UUID
    programme: str
    person: bytes
    admission: str
    decision: UUID
    site: int | None
    lat: float | None
    lng: float | None
    radius_km: float | None
    starts_from: datetime
    starts_before: datetime
    now: datetime


class Kept(msgspec.Struct, frozen=True):
    """An entry, and the admission that it keeps for the room."""

    entry: Entry
    admission: str
    room: str


class Wanted(msgspec.Struct, frozen=True):
    """A slot with a free place, and an entry that wishes for it."""

    entry: UUID
    slot: int


class WaitlistStore:
    """Each method is one statement and, outside a transaction, one commit."""

    async def join(self, connection: Connection, joining: Joining) -> JoinOutcome:
        """Join, once."""
        row = await load(QUERIES)["join"].row(connection, **msgspec.structs.asdict(joining))
        assert row is not None
        outcome: JoinOutcome = row["outcome"]
        return outcome

    async def entries(
        self, connection: Connection, person: bytes, *, now: datetime, entry: UUID | None = None
    ) -> list[Kept]:
        """Return a person's entries, open ones first; one of them, where it is asked for."""
        rows = await load(QUERIES)["entries"].rows(connection, person=person, entry=entry, now=now)
        return [Kept(from_row(row), row["admission"], row["room"]) for row in rows]

    async def leave(self, connection: Connection, person: bytes, entry: UUID, *, now: datetime) -> bool:
        """End a person's entry and give back what is held for it; False where they have no such entry."""
        if await load(QUERIES)["is_own"].row(connection, entry=entry, person=person) is None:
            return False
        await load(QUERIES)["settle"].row(connection, entry=entry, leave=True, now=now)
        return True

    async def due(self, connection: Connection, *, now: datetime, at_most: int) -> list[UUID]:
        """Return the entries that are to be settled."""
        rows = await load(QUERIES)["due"].rows(connection, now=now, at_most=at_most)
        return [row["id"] for row in rows]

    async def settle(self, connection: Connection, entry: UUID, *, now: datetime) -> State | None:
        """End an entry or its offer where that is due; return what it is now."""
        row = await load(QUERIES)["settle"].row(connection, entry=entry, leave=False, now=now)
        assert row is not None
        state: State | None = row["state"]
        return state

    @asynccontextmanager
    async def leading(self, connection: Connection) -> AsyncIterator[bool]:
        """Say whether this connection may offer places: one does at a time, and one that dies makes way."""
        queries = load(QUERIES)
        row = await queries["lead"].row(connection)
        assert row is not None
        try:
            yield row["leads"]
        finally:
            if row["leads"]:
                await queries["follow"].row(connection)

    async def programmes(self, connection: Connection) -> list[str]:
        """Return the programmes in which somebody waits, and places can be offered."""
        return [row["programme"] for row in await load(QUERIES)["programmes"].rows(connection)]

    async def wanted(self, connection: Connection, programme: str, *, now: datetime, at_most: int) -> list[Wanted]:
        """Return who wants what is free: who has waited longest first, with the soonest slot first."""
        rows = await load(QUERIES)["wanted"].rows(connection, programme=programme, now=now, at_most=at_most)
        return [Wanted(row["entry"], row["slot"]) for row in rows]

    async def offer(self, connection: Connection, wanted: Wanted, *, hold: UUID, now: datetime) -> bool:
        """Hold a place for somebody; False where it is gone by now, or they wait no longer."""
        row = await load(QUERIES)["offer"].row(connection, entry=wanted.entry, slot=wanted.slot, hold=hold, now=now)
        assert row is not None
        offered: bool = row["offered"]
        return offered
