"""The moves of a programme's pointers, out of the database."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from origin.db.sql import Connection, load
from origin.eligibility.history import Move

QUERIES = Path(__file__).with_name("versions.sql")


async def moves_of(connection: Connection, programme: str, pointer: Literal["active", "shadow"]) -> list[Move]:
    """Return all moves of the pointers of one kind, of the programme and its regions, as they were made."""
    rows = await load(QUERIES)["moves"].rows(connection, programme=programme, pointer=pointer)
    return [Move(**dict(row)) for row in rows]


async def clock_of(connection: Connection) -> datetime:
    """Return the time by which activations go: the database's."""
    row = await load(QUERIES)["now"].row(connection)
    assert row is not None
    now: datetime = row["now"]
    return now
