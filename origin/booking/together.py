"""Bookings that arrive together share a round trip and a commit, as people on one bus share its departure.

While the lanes are busy, requests gather; a lane that gets free takes all of them, up to a limit. Nobody waits for
company: a lone request goes at once.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import asyncpg
import structlog

from origin.booking.store import Attempt, BookingStore, Outcome, Result
from origin.db.pool import Database
from origin.db.sql import Connection
from origin.metrics import OriginMetrics
from shared import problem
from shared.problem import Problem

log = structlog.get_logger(__name__)

LANES = 2
MOST_TOGETHER = 32
MOST_WAITING = 2_000
_TRIES = 3

_LOST_A_RACE = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
_BY_CONSTRAINT: dict[str, Outcome] = {
    "appointment_one_active": "already_booked",
    "appointment_one_per_admission": "admission_used",
    "idempotency_pkey": "key_in_flight",
}

_Waiting = tuple[Attempt, "asyncio.Future[Result]"]


class Bookings:
    """Takes booking attempts to the store. One per process; it belongs to the running event loop."""

    def __init__(self, database: Database, store: BookingStore, metrics: OriginMetrics) -> None:
        self.store = store
        self._database = database
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._busy = 0
        self._lanes: set[asyncio.Task[None]] = set()  # keeps the tasks alive; a task leaves it some time after its end

    async def book(self, attempt: Attempt) -> Result:
        """Return how the attempt came out; a booked one is on disk.

        Raises:
            Problem: 503 ``store_unavailable``; whether it was booked, the same key tells.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise Problem(problem.STORE_UNAVAILABLE, "too many are booking at this moment", retry_after_s=2)
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((attempt, outcome))
        if self._busy < LANES:
            self._busy += 1
            lane = asyncio.create_task(self._drive())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await outcome

    async def _drive(self) -> None:
        # Nothing may be awaited between seeing the queue empty and leaving: who comes then must find the lane free.
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
                self._metrics.batch_size.observe(len(batch))
                await self._serve(batch)
        finally:
            self._busy -= 1

    async def _serve(self, batch: list[_Waiting]) -> None:
        results: Sequence[Result | Exception]
        try:
            results = await self._send([attempt for attempt, _ in batch])
        except Exception as error:  # whoever asked gets it, whatever it is
            results = [error] * len(batch)
        for (_, outcome), result in zip(batch, results, strict=True):
            if outcome.done():
                continue
            if isinstance(result, Exception):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)

    async def _send(self, attempts: list[Attempt]) -> list[Result | Problem]:
        async with self._database.connection() as connection:
            try:
                return list(await self.store.book(connection, attempts))
            except _LOST_A_RACE:
                self._metrics.conflicts.inc()
        return [await self._alone(attempt) for attempt in attempts]

    async def _alone(self, attempt: Attempt) -> Result | Problem:
        try:
            async with self._database.connection() as connection:
                return await self._again(connection, attempt)
        except Problem as away:
            return away

    async def _again(self, connection: Connection, attempt: Attempt) -> Result:
        for left in reversed(range(_TRIES)):
            try:
                return (await self.store.book(connection, [attempt]))[0]
            except asyncpg.UniqueViolationError as lost:
                self._metrics.conflicts.inc()
                if not left:
                    outcome = _BY_CONSTRAINT.get(lost.constraint_name or "")
                    if outcome is None:
                        raise
                    return Result(outcome)
        raise AssertionError("unreachable")
