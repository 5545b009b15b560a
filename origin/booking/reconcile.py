"""Prove again and again that every slot adds up: what remains is the capacity less appointments less holds.

The database's constraints and functions keep it so; this is for what nobody thought of: a restored backup, a statement
typed by hand. It only looks; a slot that does not add up is for people to judge.
"""

from pathlib import Path

import msgspec
import structlog

from origin.db.pool import Database
from origin.db.sql import Connection, load
from origin.metrics import WorkerMetrics

QUERIES = Path(__file__).with_name("reconcile.sql")
AT_ONCE = 10_000
"""Slots that are looked at in one statement, about 50 ms of the database's time."""

log = structlog.get_logger(__name__)


class Faulty(msgspec.Struct, frozen=True):
    """A slot that does not add up."""

    slot: int
    capacity: int
    remaining: int
    appointments: int
    holds: int


class Reconciler:
    """Walks over all slots, some at a time, and begins anew at the end."""

    def __init__(self, database: Database, metrics: WorkerMetrics) -> None:
        self._database = database
        self._metrics = metrics
        self._after = 0
        self._found = 0  # in this round, and in the one before
        self._found_before = 0

    async def step(self) -> int:
        """Look at the next slots; return how many of them do not add up. Each is logged by its number, and counted.

        Raises:
            Problem: the database is away; the same slots are looked at next time.
        """
        async with self._database.connection() as connection:
            last, faulty = await _look(connection, self._after)
        for each in faulty:
            log.error("slot_does_not_add_up", **msgspec.structs.asdict(each))
        self._found += len(faulty)
        self._metrics.slots_faulty.set(max(self._found, self._found_before))
        if last is None:
            self._metrics.reconciled.inc()
            self._found_before, self._found = self._found, 0
        self._after = last or 0
        return len(faulty)


async def faulty_slots(connection: Connection) -> list[Faulty]:
    """Look at every slot once; return those that do not add up."""
    after: int | None = 0
    found: list[Faulty] = []
    while after is not None:
        after, faulty = await _look(connection, after)
        found += faulty
    return found


async def _look(connection: Connection, after: int) -> tuple[int | None, list[Faulty]]:
    rows = await load(QUERIES)["reconcile"].rows(connection, after=after, at_most=AT_ONCE)
    if not rows:
        return None, []
    *faulty, last = rows
    return last["id"], [Faulty(*row) for row in faulty]
