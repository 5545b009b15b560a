"""Bookings in the database. The guarantees live in the SQL functions and the constraints below them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from origin.booking.appointments import Appointment, from_row
from origin.booking.hold_store import HoldStore
from origin.db.sql import Connection, load

QUERIES = Path(__file__).with_name("queries.sql")

Outcome = Literal[
    "booked",
    "replayed",
    "key_in_flight",
    "key_reused",
    "frozen",
    "slot_unknown",
    "slot_past",
    "decision_unknown",
    "decision_expired",
    "override_ended",
    "not_eligible",
    "rules_changed",
    "product_not_granted",
    "admission_used",
    "already_booked",
    "slot_gone",
    "interval_not_kept",
    "next_dose_missing",
    "member_unknown",
    "again",
]
MoveOutcome = Literal[
    "moved",
    "replayed",
    "key_in_flight",
    "key_reused",
    "frozen",
    "unknown",
    "already_cancelled",
    "too_late",
    "too_often",
    "slot_unknown",
    "slot_past",
    "product_not_granted",
    "interval_not_kept",
    "slot_gone",
]
CancelOutcome = Literal["cancelled", "already_cancelled", "unknown", "too_late", "too_often"]


class Keyed(msgspec.Struct, frozen=True):
    """A person's request under an Idempotency-Key, for a slot."""

    person: bytes
    key: str
    fingerprint: bytes
    slot: int
    now: datetime


class Wish(Keyed, frozen=True):
    """One request to book."""

    programme: str
    decision: UUID
    admission: str


class Attempt(Wish, frozen=True):
    """One that is to be booked. ``appointment`` is the id it will have if it is."""

    appointment: UUID

    @classmethod
    def of(cls, wish: Wish, appointment: UUID) -> "Attempt":
        """Return the attempt to get what is wished."""
        return cls(**msgspec.structs.asdict(wish), appointment=appointment)


class Move(Keyed, frozen=True):
    """One request to move an appointment to the slot."""

    appointment: UUID


class Result(msgspec.Struct, frozen=True):
    """How an attempt came out; ``answer`` as the SQL function ``book`` says, JSON.

    ``part``: of a refused group, the part that was refused, counted from 1.
    """

    outcome: Outcome
    answer: str | None = None
    part: int | None = None


class Part(msgspec.Struct, frozen=True):
    """One of the appointments that are booked together.

    ``person``: None, where the booker no longer has them in the household. ``follows``: the part, counted from 1, whose
    dose this one follows.
    """

    person: bytes | None
    slot: int
    decision: UUID
    follows: int | None
    appointment: UUID


class GroupAttempt(msgspec.Struct, frozen=True):
    """A request for several appointments at once. ``person``: who books."""

    person: bytes
    key: str
    fingerprint: bytes
    programme: str
    admission: str
    parts: tuple[Part, ...]
    now: datetime


class Moved(msgspec.Struct, frozen=True):
    """How a move came out; ``answer`` as the SQL function ``reschedule`` says, JSON."""

    outcome: MoveOutcome
    answer: str | None = None


class BookingStore:
    """Each method is one statement and, outside a transaction, one commit.

    When a method returns, what it did is on disk; when it raises, nothing was done, or, if the connection broke, the
    same call with the same key tells.
    """

    holds: HoldStore = HoldStore()

    async def book(self, connection: Connection, attempts: Sequence[Attempt]) -> list[Result]:
        """Book every attempt as if alone, in one round trip; results in the order of ``attempts``.

        Of several, one may come out as ``again``: it must be asked alone.

        Raises:
            asyncpg.UniqueViolationError: one of them lost a race; nothing was done. Ask again, one by one.
        """
        if len(attempts) == 1:
            row = await load(QUERIES)["book"].row(connection, **msgspec.structs.asdict(attempts[0]))
            assert row is not None
            return [Result(row["outcome"], row["answer"])]
        results: list[Result] = [Result("again")] * len(attempts)
        for place, outcome, answer in await load(QUERIES)["book_together"].rows(connection, **columns(attempts)):
            results[place - 1] = Result(outcome, answer)
        return results

    async def book_group(self, connection: Connection, attempt: GroupAttempt) -> Result:
        """Book every part, or none.

        Raises:
            asyncpg.UniqueViolationError: it lost a race; nothing was done. Ask again.
        """
        row = await load(QUERIES)["book_group"].row(
            connection,
            booker=attempt.person,
            key=attempt.key,
            fingerprint=attempt.fingerprint,
            programme=attempt.programme,
            admission=attempt.admission,
            persons=[each.person for each in attempt.parts],
            slots=[each.slot for each in attempt.parts],
            decisions=[each.decision for each in attempt.parts],
            follows=[each.follows for each in attempt.parts],
            appointments=[each.appointment for each in attempt.parts],
            now=attempt.now,
        )
        assert row is not None
        return Result(row["outcome"], row["answer"], row["part"])

    async def reschedule(self, connection: Connection, move: Move) -> Moved:
        """Move an appointment: to the new place, or not at all.

        Raises:
            asyncpg.UniqueViolationError: it lost a race for its key; nothing was done. Ask again.
        """
        row = await load(QUERIES)["reschedule"].row(connection, **msgspec.structs.asdict(move))
        assert row is not None
        return Moved(row["outcome"], row["answer"])

    async def cancel(self, connection: Connection, appointment: UUID, *, person: bytes, now: datetime) -> CancelOutcome:
        """Cancel a person's appointment; its place can be booked at once."""
        row = await load(QUERIES)["cancel"].row(connection, appointment=appointment, person=person, now=now)
        assert row is not None
        outcome: CancelOutcome = row["outcome"]
        return outcome

    async def appointment(self, connection: Connection, appointment: UUID, *, person: bytes) -> Appointment | None:
        """Return an appointment of a person, or one that they booked for another."""
        row = await load(QUERIES)["appointment"].row(connection, appointment=appointment, person=person)
        return None if row is None else from_row(row)

    async def is_used(self, connection: Connection, admission: str) -> bool:
        """Return whether an admission was consumed by a booking."""
        row = await load(QUERIES)["admission_used"].row(connection, admission=admission)
        assert row is not None
        used: bool = row["used"]
        return used

    async def active(self, connection: Connection, person: bytes, *, now: datetime) -> list[Appointment]:
        """Return a person's appointments that are still to come, soonest first."""
        rows: list[asyncpg.Record] = await load(QUERIES)["active_appointments"].rows(connection, person=person, now=now)
        return [from_row(row) for row in rows]

    async def together(self, connection: Connection, appointment: UUID, *, person: bytes) -> list[Appointment]:
        """Return what was booked in one booking with a person's appointment, itself included, in its order."""
        rows: list[asyncpg.Record] = await load(QUERIES)["booked_together"].rows(
            connection, appointment=appointment, person=person
        )
        return [from_row(row) for row in rows]


def columns(wishes: Sequence[Wish]) -> dict[str, Sequence[object]]:
    """Return the wishes as an array for each of their facts, as the statements for many take them."""
    return dict(zip(_plurals(type(wishes[0])), zip(*map(msgspec.structs.astuple, wishes), strict=True), strict=True))


@cache
def _plurals(form: type[Wish]) -> list[str]:
    return [f"{name}s" for name in form.__struct_fields__]
