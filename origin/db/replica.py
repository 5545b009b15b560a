"""Reads that may be a moment old: from a replica while it keeps up, else from the primary.

How old a replica's data is is measured, not asked for: every quarter of a second the primary says how far its log is
written; once the replica has replayed it up to there, its data is at least as young as that question. A replica of a
primary at which nothing happens is therefore fresh, and one that is cut off is not, whatever it believes itself. Only
one clock takes part, ours.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import asyncpg
import structlog

from origin.db.pool import Database, create_pool
from origin.db.sql import Connection, load
from origin.metrics import OriginMetrics
from shared.clock import Clock
from shared.problem import Problem

log = structlog.get_logger(__name__)

T = TypeVar("T")
Ask = Callable[[Connection], Awaitable[T]]

_QUERIES = Path(__file__).with_name("replica.sql")
_MEASURED_EVERY_S = 0.25
_PATIENCE_S = 1.0
_MARKS = 1_000
_FAULTS = (Problem, asyncpg.PostgresError, TimeoutError)


@dataclass(frozen=True)
class _Mark:
    """The primary's log was written up to ``written`` when asked at ``at`` (seconds of ``tick``)."""

    at: float
    written: int


class Replica:
    """A streaming replica, and how old its data is at most."""

    def __init__(
        self,
        database: Database,
        primary: Database,
        metrics: OriginMetrics,
        *,
        bound_s: float,
        tick: Callable[[], float] = perf_counter,
    ) -> None:
        """Take the replica's pool, and a pool to measure by: of the primary, and shared with nobody."""
        self.database = database
        self._primary = primary
        self._bound_s = bound_s
        self._tick = tick
        self._marks: deque[_Mark] = deque(maxlen=_MARKS)
        self._fresh_at = -inf
        self._answers = False
        metrics.replica_staleness.set_function(self.staleness_s)

    def staleness_s(self) -> float:
        """Return how old its data is at most, in seconds; infinite before it was ever measured."""
        return self._tick() - self._fresh_at

    @property
    def keeps_up(self) -> bool:
        """Whether it answers, with data within the bound."""
        return self._answers and self.staleness_s() <= self._bound_s

    def doubt(self, fault: BaseException) -> None:
        """Ask it nothing until it was measured again."""
        if self._answers:
            log.warning("replica_unavailable", fault=type(fault).__name__)
        self._answers = False

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Measure it for the time of the block."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def _follow(self) -> None:
        while True:
            await self.measure()
            await asyncio.sleep(_MEASURED_EVERY_S)

    async def measure(self) -> None:
        """Ask both servers how far they are; whichever does not answer is asked again the next time."""
        asked_at = self._tick()
        with suppress(*_FAULTS):
            written = await within(_PATIENCE_S, self._position(self._primary, "written"))
            if written is not None:
                self._marks.append(_Mark(asked_at, written))
        try:
            replayed = await within(_PATIENCE_S, self._position(self.database, "replayed"))
        except _FAULTS as fault:
            self.doubt(fault)
            return
        self._answers = replayed is not None
        while self._marks and replayed is not None and self._marks[0].written <= replayed:
            self._fresh_at = self._marks.popleft().at

    async def _position(self, database: Database, of: str) -> int | None:
        async with database.connection() as connection:
            row = await load(_QUERIES)[of].row(connection)
        return None if row is None else row["at"]


class Reader:
    """Where reads go that may be a moment old."""

    def __init__(self, primary: Database, replica: Replica | None, clock: Clock, metrics: OriginMetrics) -> None:
        self._primary = primary
        self._replica = replica
        self._clock = clock
        self._metrics = metrics

    async def read(self, ask: Ask[T]) -> tuple[T, datetime]:
        """Return what ``ask`` reads, and a moment: all that was committed until then is in it.

        A replica that fails, or does not answer within a second, costs the reader only that time: the primary is
        asked instead. What ``ask`` itself raises passes through.

        Raises:
            Problem: 503 ``store_unavailable`` when the primary would be needed and is away.
        """
        replica = self._replica
        if replica is not None and replica.keeps_up:
            as_of = self._clock.now() - timedelta(seconds=replica.staleness_s())
            try:
                found = await within(_PATIENCE_S, _asked(replica.database, ask))
            except _FAULTS as fault:
                if isinstance(fault, Problem) and fault.kind.status != 503:
                    raise
                replica.doubt(fault)
            else:
                self._metrics.reads.labels("replica").inc()
                return found, as_of
        as_of = self._clock.now()
        found = await _asked(self._primary, ask)
        self._metrics.reads.labels("primary").inc()
        return found, as_of


@asynccontextmanager
async def reading(
    primary: Database, clock: Clock, metrics: OriginMetrics, urls: tuple[str, str | None], *, bound_s: float, size: int
) -> AsyncIterator[Reader]:
    """Return a reader for the time of the block.

    Args:
        urls: of the primary and the replica, None where there is none. bound_s: how old its data may be, in seconds.
        size: of the replica's pool.
    """
    primary_url, replica_url = urls
    if replica_url is None:
        yield Reader(primary, None, clock, metrics)
        return
    async with AsyncExitStack() as stack:
        database = Database(await create_pool(replica_url, size=size), metrics, wait_s=_PATIENCE_S)
        meter = Database(await create_pool(primary_url, size=1), metrics, wait_s=_PATIENCE_S)
        for opened in (database, meter):
            stack.push_async_callback(opened.close)
        replica = Replica(database, meter, metrics, bound_s=bound_s)
        await stack.enter_async_context(replica.followed())
        yield Reader(primary, replica, clock, metrics)


async def _asked(database: Database, ask: Ask[T]) -> T:
    async with database.connection() as connection:
        return await ask(connection)


async def within(seconds: float, asked: Awaitable[T]) -> T:
    """Return what is awaited, or raise TimeoutError after that time: at once, whatever its end still waits for.

    (A connection to a server that is stopped does not even close in time.)
    """
    task = asyncio.ensure_future(asked)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        task.add_done_callback(_forget)
        raise TimeoutError
    return task.result()


def _forget(task: "asyncio.Future[T]") -> None:
    """Let it end as it likes."""
    if not task.cancelled():
        task.exception()
