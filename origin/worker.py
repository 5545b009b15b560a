"""``python -m origin.worker``: what has to be done behind the requests; ``_chores`` is the list.

Any number of workers may run: doing a chore twice changes nothing.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from pydantic import Field, SecretStr

from origin.booking.reconcile import Reconciler
from origin.chores import Chore, do_all
from origin.config import KeyFile
from origin.db.pool import Database, create_pool
from origin.eligibility.facts import FactSealer
from origin.eligibility.shadow import Shadow
from origin.inventory.archive import Archiver
from origin.inventory.uploads.running import UploadRunner
from origin.metrics import OriginMetrics, WorkerMetrics
from origin.notify.backlog import Backlog
from origin.offers.promising import Promising
from origin.offers.store import OfferStore
from origin.sweeping import Sweeper
from origin.waitlist.offering import Offering
from origin.waitlist.store import WaitlistStore
from shared import logs
from shared.clock import SystemClock
from shared.ids import SystemIds
from shared.keys import KeyRing
from shared.keywatch import following
from shared.settings import Settings
from shared.settings import load as load_settings

log = structlog.get_logger(__name__)

_HOLDS_EVERY_S = 1
_UPLOADS_EVERY_S = 1
_RECONCILE_EVERY_S = 2  # a million slots in less than four minutes
_OFFERS_EVERY_S = 1
_WAITLIST_EVERY_S = 2
_ARCHIVE_EVERY_S = 3600


class WorkerConfig(Settings):
    """The worker's settings. ``worker_port``: where to show metrics; nowhere without it.

    Without both key rings it asks no candidates: it cannot open the facts. ``slot_archive_days``: how long a slot that
    nobody had booked stays after its end; 0, for ever.
    """

    database_url: SecretStr
    origin_keys_file: KeyFile | None = None
    person_keys_file: KeyFile | None = None
    worker_port: int | None = Field(default=None, ge=1, le=65535)
    sweep_every_s: float = Field(default=30, gt=0, le=3600)
    slot_archive_days: int = Field(default=30, ge=0, le=3650)


async def work(config: WorkerConfig) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = OriginMetrics(CollectorRegistry())
    database = Database(await create_pool(config.database_url.get_secret_value(), size=2), metrics, wait_s=5)
    if config.worker_port is not None:
        start_http_server(config.worker_port, "127.0.0.1", metrics.registry)
    async with _shadow(config, database) as shadow:
        log.info("worker_started", asks_candidates=shadow is not None)
        try:
            await do_all(_chores(config, database, metrics, shadow), stop)
        finally:
            await database.close()
            log.info("worker_stopped")


def _chores(config: WorkerConfig, database: Database, metrics: OriginMetrics, shadow: Shadow | None) -> list[Chore]:
    every_s, shown = config.sweep_every_s, WorkerMetrics(metrics.registry)
    sweeper = Sweeper(database, SystemClock(), shadow)
    uploads = UploadRunner(database, config.database_url.get_secret_value(), SystemClock(), SystemIds())
    promising = Promising(database, SystemClock(), SystemIds(), metrics, OfferStore())
    offering = Offering(database, SystemClock(), SystemIds(), metrics, WaitlistStore())
    archiver = Archiver(database, SystemClock(), shown, config.slot_archive_days)
    return [
        Chore("keys_forgotten", sweeper.forget_keys, every_s),
        Chore("facts_erased", sweeper.erase_facts, every_s),
        Chore("holds_lapsed", sweeper.free_lapsed_holds, _HOLDS_EVERY_S),
        Chore("supply_uploaded", uploads.work_off, _UPLOADS_EVERY_S),
        Chore("slots_faulty", Reconciler(database, shown).step, _RECONCILE_EVERY_S),
        Chore("outbox_watched", Backlog(database, SystemClock(), shown).watch, every_s),
        Chore("displaced_advanced", promising.run, _OFFERS_EVERY_S),
        Chore("waitlist_offered", offering.run, _WAITLIST_EVERY_S),
        Chore("slots_archived", archiver.run, _ARCHIVE_EVERY_S),
    ]


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
