"""Bookings that arrive together share a round trip and a commit; one's bad luck is not another's."""

from functools import partial

import asyncpg

from origin.booking.again import LOST_A_RACE, ask_again
from origin.booking.answer_store import AnswerStore, Refused
from origin.booking.store import Attempt, BookingStore, GroupAttempt, Outcome, Result
from origin.db.pool import Database
from origin.db.sql import Connection
from origin.db.together import Together, one_by_one
from origin.metrics import OriginMetrics

_AGAIN = Result("again")
_BY_CONSTRAINT: dict[str, Outcome] = {
    "appointment_one_active": "already_booked",
    "appointment_one_per_admission": "admission_used",
    "idempotency_pkey": "key_in_flight",
}


class Bookings:
    """Takes booking attempts to the store. One per process; it belongs to the running event loop."""

    def __init__(self, database: Database, store: BookingStore, metrics: OriginMetrics) -> None:
        self.store = store
        self._database = database
        self._metrics = metrics
        self._together: Together[Attempt, Result] = Together(database, self._send, metrics.batch_size)
        self._refused: Together[Refused, str | None] = Together(
            database, AnswerStore().remember_refusals, metrics.refusal_batch_size
        )

    async def book(self, attempt: Attempt) -> Result:
        """Return how the attempt came out; a booked one is on disk.

        Raises:
            Problem: 503 ``store_unavailable``; whether it was booked, the same key tells.
        """
        return await self._together.ask(attempt)

    async def book_group(self, attempt: GroupAttempt) -> Result:
        """Return how a group came out: all of it is on disk, or nothing of it was done.

        Raises:
            Problem: 503 ``store_unavailable``; whether it was booked, the same key tells.
        """
        async with self._database.connection() as connection:
            try:
                return await ask_again(self._metrics, lambda: self.store.book_group(connection, attempt))
            except asyncpg.UniqueViolationError:
                return Result("key_in_flight")  # somebody was faster each time: the same request can be sent again

    async def remember(self, refused: Refused) -> str | None:
        """Keep a refusal as the answer to its key; return the answer that counts, None where the key is another's.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        return await self._refused.ask(refused)

    async def _send(self, connection: Connection, attempts: list[Attempt]) -> list[Result | Exception]:
        try:
            results = await self.store.book(connection, attempts)
        except asyncpg.LockNotAvailableError:
            if len(attempts) == 1:
                raise
            results = [_AGAIN] * len(attempts)
        except LOST_A_RACE:
            self._metrics.conflicts.inc()
            results = [_AGAIN] * len(attempts)
        again = [attempt for attempt, result in zip(attempts, results, strict=True) if result == _AGAIN]
        alone = iter(await one_by_one(again, partial(self._alone, connection), lambda attempt: attempt.slot))
        return [next(alone) if result == _AGAIN else result for result in results]

    async def _alone(self, connection: Connection, attempt: Attempt) -> Result:
        with self._database.watched():
            try:
                return (await ask_again(self._metrics, lambda: self.store.book(connection, [attempt])))[0]
            except asyncpg.UniqueViolationError as lost:
                outcome = _BY_CONSTRAINT.get(lost.constraint_name or "")
                if outcome is None:
                    raise
                return Result(outcome)
