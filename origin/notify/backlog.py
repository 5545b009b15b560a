"""How many outbox rows wait, for whoever watches."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from origin.db.pool import Database
from origin.db.sql import load
from origin.metrics import PREFIX
from shared.clock import Clock

QUERIES = Path(__file__).with_name("queries.sql")


class Backlog:
    """The outbox gauges."""

    def __init__(self, database: Database, clock: Clock, registry: CollectorRegistry) -> None:
        self._database = database
        self._clock = clock
        self._rows = Gauge(f"{PREFIX}_outbox_rows", "Outbox rows that wait.", registry=registry)
        self._oldest = Gauge(
            f"{PREFIX}_outbox_oldest_seconds", "Age of the oldest outbox row that waits.", registry=registry
        )

    async def watch(self) -> int:
        """Read the gauges; nothing is done.

        Raises:
            Problem: the database is away.
        """
        async with self._database.connection() as connection:
            row = await load(QUERIES)["backlog"].row(connection, now=self._clock.now())
        assert row is not None
        self._rows.set(row["rows"])
        self._oldest.set(row["oldest_s"])
        return 0
