"""Stores that hold and move without locks, for the negative controls of the races."""

from datetime import datetime
from uuid import UUID

from origin.booking.hold_store import HoldResult, HoldStore, Wanted
from origin.booking.store import BookingStore, CancelOutcome, Move, Moved
from origin.db.sql import Connection
from tests.race.meeting import Meeting

_ANSWER = (
    "SELECT to_json(t)::text FROM (SELECT a.id, a.status, a.version, a.dose, a.created_at, s.id AS slot, s.starts_at,"
    " s.ends_at, s.product, site.id AS site, site.name, site.address, site.town, site.lat, site.lng, site.time_zone,"
    " site.step_free FROM appointment a JOIN slot s ON s.id = a.slot JOIN site ON site.id = s.site WHERE a.id = $1) t"
)


class CheckThenHold(HoldStore):
    """Looks whether there is room, and then writes. The first two to have looked wait for each other."""

    def __init__(self) -> None:
        self._meeting = Meeting()

    async def hold(self, connection: Connection, wanted: Wanted) -> HoldResult:
        remaining = await connection.fetchval("SELECT remaining FROM slot WHERE id = $1", wanted.slot)
        if not remaining:
            return HoldResult("slot_gone", None, None, "[]")
        await self._meeting()
        until: datetime = await connection.fetchval(
            "INSERT INTO hold SELECT $1, 'demo', $2, $3, 'opened', $4::timestamptz, $4 + hold_lasts FROM programme"
            " RETURNING expires_at",
            wanted.hold,
            wanted.person,
            wanted.slot,
            wanted.now,
        )
        await connection.execute("UPDATE slot SET remaining = $2 WHERE id = $1", wanted.slot, remaining - 1)
        return HoldResult("held", wanted.hold, until, None)

    async def release(self, connection: Connection, hold: UUID, *, person: bytes) -> bool:
        """Looks whether the hold is there, and then gives its place back."""
        del person
        slot = await connection.fetchval("SELECT slot FROM hold WHERE id = $1", hold)
        await self._meeting()
        await connection.execute("DELETE FROM hold WHERE id = $1", hold)
        await connection.execute("UPDATE slot SET remaining = remaining + 1 WHERE id = $1", slot)
        return slot is not None


class ReadsWhileItLocks(BookingStore):
    """Cancels what it reads in the statement that locks, with the slot as it was before whoever had the lock."""

    async def cancel(self, connection: Connection, appointment: UUID, *, person: bytes, now: datetime) -> CancelOutcome:
        del now
        async with connection.transaction():
            slot = await connection.fetchval(
                "SELECT slot.id FROM appointment a JOIN slot ON slot.id = a.slot WHERE a.id = $1 AND a.person = $2"
                " FOR UPDATE OF a",
                appointment,
                person,
            )
            if slot is None:
                return "unknown"
            await connection.execute("UPDATE slot SET remaining = remaining + 1 WHERE id = $1", slot)
            await connection.execute(
                "UPDATE appointment SET status = 'cancelled', cancelled_by = 'visitor' WHERE id = $1", appointment
            )
        return "cancelled"


class CheckThenMove(BookingStore):
    """Looks whether there is room, and then moves, counting in its head."""

    def __init__(self) -> None:
        self.holds = CheckThenHold()
        self._meeting = Meeting()

    async def reschedule(self, connection: Connection, move: Move) -> Moved:
        old = await connection.fetchval("SELECT slot FROM appointment WHERE id = $1", move.appointment)
        room = await connection.fetchval("SELECT remaining FROM slot WHERE id = $1", move.slot)
        if not room:
            return Moved("slot_gone", "[]")
        await self._meeting()
        await connection.execute("UPDATE appointment SET slot = $2 WHERE id = $1", move.appointment, move.slot)
        await connection.execute("UPDATE slot SET remaining = $2 WHERE id = $1", move.slot, room - 1)
        await connection.execute("UPDATE slot SET remaining = remaining + 1 WHERE id = $1", old)
        return Moved("moved", await connection.fetchval(_ANSWER, move.appointment))
