"""The archive: slots that were over long ago and that nobody had booked, out of the way of those to come.

A partition of the live table could never be taken out, for people's appointments refer to it. Nobody refers to the
archive: it is partitioned by region and month, and old partitions leave it without a row being touched.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from origin.db.pool import Database
from origin.db.sql import Connection, load
from origin.metrics import WorkerMetrics
from shared.clock import Clock

QUERIES = Path(__file__).with_name("archive.sql")
AT_ONCE = 5_000
"""Slots that are looked at in one transaction: a fraction of a second where all of them are moved."""

Tell = Callable[[int, int, int], None]
"""Is told how many slots were archived, up to which slot, and which is the last."""


class ArchiveBusy(Exception):
    """Somebody else archives at this moment, or reads what is to be taken out."""


class Step(msgspec.Struct, frozen=True):
    """What one transaction did. ``last``: the last slot that it looked at; None, all have been looked at."""

    archived: int
    last: int | None


class Partition(msgspec.Struct, frozen=True):
    """A part of the archive, or one that was taken out and is still here. ``month``: its first day, by UTC."""

    name: str
    region: str
    month: date
    is_attached: bool
    slots: int
    bytes: int


class ArchiveStore:
    """Each method is one statement and, outside a transaction, one commit."""

    async def archive(self, connection: Connection, *, before: datetime, after: int, now: datetime) -> Step:
        """Archive, of the next ``AT_ONCE`` slots behind ``after``, those untouched that ended ``before``.

        Raises:
            ArchiveBusy: somebody else archives.
        """
        row = await load(QUERIES)["archive"].row(connection, before=before, after=after, at_most=AT_ONCE, now=now)
        assert row is not None
        if row["is_busy"]:
            raise ArchiveBusy
        return Step(row["archived"], row["last"])

    async def to_archive(self, connection: Connection, *, before: datetime) -> int:
        """Return how many slots would be archived."""
        row = await load(QUERIES)["to_archive"].row(connection, before=before)
        assert row is not None
        number: int = row["slots"]
        return number

    async def last_slot(self, connection: Connection) -> int:
        """Return the last slot there is; 0, there is none."""
        row = await load(QUERIES)["last_slot"].row(connection)
        assert row is not None
        last: int = row["id"]
        return last

    async def partitions(self, connection: Connection) -> list[Partition]:
        """Return the partitions, oldest first. Every row of them is counted."""
        return [Partition(**dict(row)) for row in await load(QUERIES)["partitions"].rows(connection)]

    async def detach(self, connection: Connection, partition: str) -> str | None:
        """Take a partition out of the archive; return the name of the table that it is now, None where it is none.

        Raises:
            ArchiveBusy: somebody has been reading the region's archive for more than two seconds; nothing is done.
        """
        try:
            row = await load(QUERIES)["detach"].row(connection, partition=partition)
        except asyncpg.LockNotAvailableError:
            raise ArchiveBusy from None
        assert row is not None
        became: str | None = row["became"]
        return became


class Archiver:
    """Archives what has been over for ``days`` days; nothing for 0.

    Broken off, whole batches are there, and the next run goes on.
    """

    def __init__(self, database: Database, clock: Clock, metrics: WorkerMetrics, days: int) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._days = days
        self._store = ArchiveStore()

    async def run(self) -> int:
        """Look at every slot once; return how many were archived. While somebody else does, leave it to them.

        Raises:
            Problem: the database is away; what was archived stays so.
        """
        if not self._days:
            return 0
        now, after, total = self._clock.now(), 0, 0
        while True:
            async with self._database.connection() as connection:
                try:
                    step = await self._store.archive(
                        connection, before=ended_before(now, self._days), after=after, now=now
                    )
                except ArchiveBusy:
                    return total
            total += step.archived
            self._metrics.slots_archived.inc(step.archived)
            if step.last is None:
                return total
            after = step.last


async def archive_all(connection: Connection, days: int, now: datetime, tell: Tell) -> int:
    """Archive what has been over for ``days`` days; return how many slots. Each batch is a commit.

    Raises:
        ArchiveBusy: somebody else does, a worker perhaps.
    """
    store, after, total = ArchiveStore(), 0, 0
    last = await store.last_slot(connection)
    while True:
        tell(total, after, last)
        step = await store.archive(connection, before=ended_before(now, days), after=after, now=now)
        total += step.archived
        if step.last is None:
            return total
        after = step.last


def ended_before(now: datetime, days: int) -> datetime:
    """Return the moment before which a slot must have ended."""
    return now - timedelta(days=days)
