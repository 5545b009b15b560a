"""A store without protection, for the negative controls of the races."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from origin.booking.store import QUERIES, Attempt, BookingStore, CancelOutcome, Result
from origin.db.sql import Connection, load
from tests.race.meeting import Meeting


class CheckThenWrite(BookingStore):
    """What one would write without thinking of anybody else. The first two to have checked wait for each other."""

    def __init__(self) -> None:
        self._bookers = Meeting()
        self._leavers = Meeting()

    async def book(self, connection: Connection, attempts: Sequence[Attempt]) -> list[Result]:
        return [await self._one(connection, attempt) for attempt in attempts]

    async def cancel(self, connection: Connection, appointment: UUID, *, person: bytes, now: datetime) -> CancelOutcome:
        del now
        slot = await connection.fetchval(
            "SELECT slot FROM appointment WHERE id = $1 AND person = $2", appointment, person
        )
        remaining = await connection.fetchval("SELECT remaining FROM slot WHERE id = $1", slot)
        await self._leavers()
        await connection.execute(
            "UPDATE appointment SET status = 'cancelled', cancelled_by = 'visitor' WHERE id = $1", appointment
        )
        await connection.execute("UPDATE slot SET remaining = $2 WHERE id = $1", slot, remaining + 1)
        return "cancelled"

    async def _one(self, connection: Connection, attempt: Attempt) -> Result:
        seen = await connection.fetchrow(
            "SELECT remaining, (SELECT body FROM idempotency WHERE person = $2 AND key = $3) AS body,"
            " EXISTS (SELECT FROM appointment WHERE person = $2 AND status = 'confirmed') AS active,"
            " EXISTS (SELECT FROM appointment WHERE admission = $4) AS used FROM slot WHERE id = $1",
            attempt.slot,
            attempt.person,
            attempt.key,
            attempt.admission,
        )
        assert seen is not None
        if seen["body"]:
            return Result("replayed", seen["body"])
        if seen["used"] or seen["active"]:
            return Result("admission_used" if seen["used"] else "already_booked")
        if seen["remaining"] == 0:
            return Result("slot_gone")
        await self._bookers()
        return await self._write(connection, attempt, seen["remaining"] - 1)

    async def _write(self, connection: Connection, attempt: Attempt, remaining: int) -> Result:
        await connection.execute(
            "INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at,"
            " changed_at) VALUES ($1, $2, $3, 1, $4, 'confirmed', $5, $6, $7, $7)",
            attempt.appointment,
            attempt.programme,
            attempt.person,
            attempt.slot,
            attempt.decision,
            attempt.admission,
            attempt.now,
        )
        await connection.execute("UPDATE slot SET remaining = $2 WHERE id = $1", attempt.slot, remaining)
        row = await load(QUERIES)["appointment"].row(connection, appointment=attempt.appointment, person=attempt.person)
        assert row is not None
        body = msgspec.json.encode(dict(row)).decode()
        await connection.execute(
            "INSERT INTO idempotency VALUES ($1, $2, $3, 201, $4, $5) ON CONFLICT DO NOTHING",
            attempt.person,
            attempt.key,
            attempt.fingerprint,
            body,
            attempt.now,
        )
        return Result("booked", body)
