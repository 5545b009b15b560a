"""How many outbox rows wait, for whoever watches."""

from pathlib import Path

from origin.db.pool import Database
from origin.db.sql import load
from origin.metrics import WorkerMetrics
from shared.clock import Clock

QUERIES = Path(__file__).with_name("queries.sql")


class Backlog:
    """The outbox gauges."""

    def __init__(self, database: Database, clock: Clock, metrics: WorkerMetrics) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics

    async def watch(self) -> int:
        """Read the gauges; nothing is done.

        Raises:
            Problem: the database is away.
        """
        async with self._database.connection() as connection:
            row = await load(QUERIES)["backlog"].row(connection, now=self._clock.now())
        assert row is not None
        self._metrics.outbox_rows.set(row["rows"])
        self._metrics.outbox_oldest_seconds.set(row["oldest_s"])
        return 0
