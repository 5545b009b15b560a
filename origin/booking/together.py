"""Bookings that arrive together share a round trip and a commit, as people on one bus share its departure.

While a trip is under way, requests gather; the next takes all of them, up to a limit. Nobody waits for company: a lone
request goes at once. One lane is enough as long as trips are quick, and makes the best use of them; where one takes
long (a lock, a slow disk), another lane opens beside it.
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

LANES = 4
SLOW_TRIP_S = 0.01
MOST_TOGETHER = 32
MOST_WAITING = 2_000
_TRIES = 3

_LOST_A_RACE = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)
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
        self._open_lanes = 0
        self._quick_lanes = 0  # those whose trip has not taken long yet
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
        if not self._quick_lanes:
            self._open()
        return await outcome

    def _open(self) -> None:
        if self._waiting and self._open_lanes < LANES:
            self._open_lanes += 1
            self._quick_lanes += 1
            lane = asyncio.create_task(self._drive())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    async def _drive(self) -> None:
        # Nothing may be awaited between seeing the queue empty and leaving: who comes then must find the lane free.
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
                self._metrics.batch_size.observe(len(batch))
                await self._travel(batch)
        finally:
            self._open_lanes -= 1
            self._quick_lanes -= 1

    async def _travel(self, batch: list[_Waiting]) -> None:
        slow = False

        def relieve() -> None:
            nonlocal slow
            slow = True
            self._quick_lanes -= 1
            self._open()

        relief = asyncio.get_running_loop().call_later(SLOW_TRIP_S, relieve)
        try:
            await self._serve(batch)
        finally:
            relief.cancel()
            self._quick_lanes += slow

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
            except asyncpg.LockNotAvailableError:
                if len(attempts) == 1:
                    raise
            except _LOST_A_RACE:
                self._metrics.conflicts.inc()
        return await self._one_by_one(attempts)

    async def _one_by_one(self, attempts: list[Attempt]) -> list[Result | Problem]:
        results: list[Result | Problem] = []
        away: dict[int, Problem] = {}  # a slot that stays locked is waited for once, not by everybody in turn
        for attempt in attempts:
            known = away.get(attempt.slot)
            results.append(known or await self._alone(attempt))
            if isinstance(results[-1], Problem):
                away[attempt.slot] = results[-1]
        return results

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
