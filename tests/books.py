"""What the books must show after a rush in which nobody cancels, whatever else happened in it."""

from dataclasses import astuple, dataclass

from origin.booking.reconcile import faulty_slots
from origin.db.sql import Connection

_COUNT = """
    SELECT count(*) AS appointments, count(DISTINCT person) AS people, count(DISTINCT admission) AS admissions,
           (SELECT count(*) FROM audit_event WHERE kind = 'booked') AS audited,
           (SELECT count(DISTINCT about) FROM audit_event WHERE kind = 'booked') AS audited_once,
           (SELECT count(*) FROM outbox WHERE kind = 'booked') AS announced,
           (SELECT count(DISTINCT appointment) FROM outbox WHERE kind = 'booked') AS announced_once,
           (SELECT count(*) FROM idempotency WHERE status = 201) AS kept,
           (SELECT count(DISTINCT body::jsonb ->> 'id') FROM idempotency WHERE status = 201) AS kept_once
      FROM appointment"""


@dataclass(frozen=True)
class Books:
    """How many places are sold, as each of the books has it."""

    appointments: int
    people: int
    admissions: int
    audited: int
    audited_once: int
    announced: int
    announced_once: int
    kept: int
    kept_once: int


async def read_books(connection: Connection) -> Books:
    """Count."""
    row = await connection.fetchrow(_COUNT)
    assert row is not None
    return Books(**dict(row))


async def assert_sold_exactly(connection: Connection, places: int) -> None:
    """Check that so many places are sold, to one person and for one admission each, and that every book says so."""
    books = await read_books(connection)
    assert set(astuple(books)) == {places}, books
    assert await faulty_slots(connection) == []
