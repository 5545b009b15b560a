"""Holds in the database: a place that is kept for one person for a moment, and the terms of later changes."""

from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec

from origin.db.sql import Connection, load

_QUERIES = Path(__file__).with_name("holds.sql")

HoldOutcome = Literal[
    "held",
    "slot_unknown",
    "slot_past",
    "slot_gone",
    "frozen",
    "decision_unknown",
    "decision_expired",
    "not_eligible",
    "product_not_granted",
    "unknown",
    "already_cancelled",
    "too_late",
    "too_often",
]


class Wanted(msgspec.Struct, frozen=True):
    """A place to hold, by a ``decision`` in a programme, or to move an ``appointment``. ``hold``: the id it gets."""

    hold: UUID
    person: bytes
    slot: int
    now: datetime
    programme: str | None = None
    decision: UUID | None = None
    appointment: UUID | None = None


class HoldResult(msgspec.Struct, frozen=True):
    """How it came out; of ``held`` the hold and its end, of ``slot_gone`` the products as JSON."""

    outcome: HoldOutcome
    hold: UUID | None
    until: datetime | None
    answer: str | None


class Hold(msgspec.Struct, frozen=True):
    """A place that is kept until ``expires_at``. ``slot``: its id."""

    id: UUID
    slot: int
    expires_at: datetime


class Held(Hold, frozen=True):
    """A hold as it is found again. ``opened``: by its person, who was not offered it by us."""

    opened: bool


class Terms(msgspec.Struct, frozen=True):
    """What people may change of an appointment: until when, and how often still (None: any number of times)."""

    programme: str
    until: datetime
    moves_left: int | None
    cancels_left: int | None


class HoldStore:
    """Each method is one statement and one commit."""

    async def hold(self, connection: Connection, wanted: Wanted) -> HoldResult:
        """Hold a place; another slot that the person had opened goes back in the same commit."""
        row = await load(_QUERIES)["hold_place"].row(connection, **msgspec.structs.asdict(wanted))
        assert row is not None
        return HoldResult(**dict(row))

    async def release(self, connection: Connection, hold: UUID, *, person: bytes) -> bool:
        """Give a place back; False where the person has no such hold, or is just booking it."""
        row = await load(_QUERIES)["release_hold"].row(connection, hold=hold, person=person)
        assert row is not None
        released: bool = row["released"]
        return released

    async def of(self, connection: Connection, slot: int, *, person: bytes, now: datetime) -> Held | None:
        """Return the person's hold on a slot."""
        row = await load(_QUERIES)["hold_of"].row(connection, slot=slot, person=person, now=now)
        return None if row is None else Held(**dict(row))

    async def sweep(self, connection: Connection, *, now: datetime, at_most: int) -> int:
        """Give back the places of holds that lapsed by ``now``, at ``at_most`` slots; return how many places."""
        row = await load(_QUERIES)["sweep_holds"].row(connection, now=now, at_most=at_most)
        assert row is not None
        swept: int = row["swept"]
        return swept

    async def terms(self, connection: Connection, appointment: UUID, *, person: bytes) -> Terms | None:
        """Return what may still be changed of an appointment that the person may see."""
        row = await load(_QUERIES)["terms"].row(connection, appointment=appointment, person=person)
        return None if row is None else Terms(**dict(row))
