"""``python -m origin.worker``: what has to be done behind the requests. Sweeps, and watches the outbox.

- Answers kept under an Idempotency-Key are forgotten after their published life of 24 hours.
- Declared facts are erased when their decision can no longer be booked with.
- Candidates in the shadow are asked about new decisions, before their facts go.
- Uploads of supply are imported.

Any number of workers may run: sweeping twice changes nothing.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from pydantic import Field, SecretStr

from origin.booking.key import LIFE_HOURS
from origin.booking.store import BookingStore
from origin.config import KeyFile
from origin.db.pool import Database, create_pool
from origin.db.sql import Connection, load
from origin.eligibility.facts import FactSealer
from origin.eligibility.shadow import Shadow
from origin.eligibility.store import DecisionStore
from origin.inventory.uploads.running import UploadRunner
from origin.metrics import PREFIX, OriginMetrics
from shared import logs
from shared.clock import Clock, SystemClock
from shared.ids import SystemIds
from shared.keys import KeyRing
from shared.keywatch import following
from shared.problem import Problem
from shared.settings import Settings
from shared.settings import load as load_settings

log = structlog.get_logger(__name__)

_BATCH = 1_000
_UPLOADS_EVERY_S = 1.0
_NOTIFY = Path(__file__).parent / "notify" / "queries.sql"


class WorkerConfig(Settings):
    """The worker's settings. ``worker_port``: where to show metrics; nowhere without it.

    Without both key rings it asks no candidates: it cannot open the facts.
    """

    database_url: SecretStr
    origin_keys_file: KeyFile | None = None
    person_keys_file: KeyFile | None = None
    worker_port: int | None = Field(default=None, ge=1, le=65535)
    sweep_every_s: float = Field(default=30, gt=0, le=3600)


class Worker:
    """The sweeps and the outbox gauges."""

    def __init__(
        self, database: Database, clock: Clock, registry: CollectorRegistry, shadow: Shadow | None = None
    ) -> None:
        self._database = database
        self._shadow = shadow
        self._clock = clock
        self._bookings = BookingStore()
        self._decisions = DecisionStore()
        self._backlog = Gauge(f"{PREFIX}_outbox_rows", "Outbox rows that wait.", registry=registry)
        self._oldest = Gauge(
            f"{PREFIX}_outbox_oldest_seconds", "Age of the oldest outbox row that waits.", registry=registry
        )

    async def sweep(self) -> tuple[int, int]:
        """Forget what is past its time, in small transactions; return how many keys and how many facts.

        Raises:
            Problem: the database is away; what was swept stays swept.
        """
        now = self._clock.now()
        before = now - timedelta(hours=LIFE_HOURS)
        keys = await self._all(lambda connection: self._bookings.sweep_keys(connection, before=before, at_most=_BATCH))
        facts = await self._all(lambda connection: self._decisions.erase_facts(connection, now=now, at_most=_BATCH))
        return keys, facts

    async def watch(self) -> None:
        """Read how many outbox rows wait.

        Raises:
            Problem: the database is away.
        """
        async with self._database.connection() as connection:
            row = await load(_NOTIFY)["backlog"].row(connection, now=self._clock.now())
        assert row is not None
        self._backlog.set(row["rows"])
        self._oldest.set(row["oldest_s"])

    async def run(self, stop: asyncio.Event, every_s: float) -> None:
        """Work until ``stop``; a database that is away is waited for."""
        while not stop.is_set():
            try:
                asked = 0 if self._shadow is None else await self._shadow.run()
                keys, facts = await self.sweep()
                await self.watch()
                if keys or facts or asked:
                    log.info("swept", keys=keys, facts=facts, candidates_asked=asked)
            except Problem as away:
                log.warning("sweep_put_off", code=away.kind.code)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def _all(self, sweep: Callable[[Connection], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self._database.connection() as connection:
                swept = await sweep(connection)
            total += swept
            if swept < _BATCH:
                return total


async def work(config: WorkerConfig) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = OriginMetrics(CollectorRegistry())
    url = config.database_url.get_secret_value()
    database = Database(await create_pool(url, size=2), metrics, wait_s=5)
    if config.worker_port is not None:
        start_http_server(config.worker_port, "127.0.0.1", metrics.registry)
    async with _shadow(config, database) as shadow:
        worker = Worker(database, SystemClock(), metrics.registry, shadow)
        log.info("worker_started", asks_candidates=shadow is not None)
        uploads = UploadRunner(database, url, SystemClock(), SystemIds())
        try:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(uploads.run(stop, _UPLOADS_EVERY_S))
                await worker.run(stop, config.sweep_every_s)
                running.cancel()  # what it is at is run again by the next worker
        finally:
            await database.close()
            log.info("worker_stopped")


@asynccontextmanager
async def _shadow(config: WorkerConfig, database: Database) -> AsyncIterator[Shadow | None]:
    if config.origin_keys_file is None or config.person_keys_file is None:
        yield None
        return
    ring = KeyRing.load(config.origin_keys_file)
    async with following(ring):
        yield Shadow(database, FactSealer(ring, KeyRing.load(config.person_keys_file), SystemIds()))


def main() -> None:
    """Read the settings and work."""
    config = load_settings(WorkerConfig)
    logs.configure("worker")
    asyncio.run(work(config))


if __name__ == "__main__":
    main()
