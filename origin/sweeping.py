"""What is past its time goes, some at a time, so that nobody waits for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from origin.booking.answer_store import AnswerStore
from origin.booking.hold_store import HoldStore
from origin.booking.key import LIFE_HOURS
from origin.db.pool import Database
from origin.db.sql import Connection
from origin.eligibility.shadow import Shadow
from origin.eligibility.store import DecisionStore
from shared.clock import Clock

_BATCH = 1_000


@dataclass(frozen=True)
class Sweeper:
    """Sweeps in small transactions. Each method returns how many it swept; what was swept stays swept.

    Raises:
        Problem: the database is away.
    """

    database: Database
    clock: Clock
    shadow: Shadow | None = None  # asked about facts before they go

    async def forget_keys(self) -> int:
        """Forget answers kept under an Idempotency-Key after their published life of 24 hours."""
        before = self.clock.now() - timedelta(hours=LIFE_HOURS)
        store = AnswerStore()
        swept = await self._all(lambda connection: store.sweep_keys(connection, before=before, at_most=_BATCH))
        await self._all(lambda connection: store.sweep_shared_answers(connection, before=before, at_most=_BATCH))
        return swept

    async def erase_facts(self) -> int:
        """Erase declared facts whose decision can no longer be booked with, once candidates were asked about them."""
        now = self.clock.now()
        if self.shadow is not None:
            await self.shadow.run()
        return await self._all(lambda connection: DecisionStore().erase_facts(connection, now=now, at_most=_BATCH))

    async def free_lapsed_holds(self) -> int:
        """Give the places of lapsed holds back; what is being taken over at this moment is left alone."""
        async with self.database.connection() as connection:
            return await HoldStore().sweep(connection, now=self.clock.now(), at_most=_BATCH)

    async def _all(self, sweep: Callable[[Connection], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self.database.connection() as connection:
                swept = await sweep(connection)
            total += swept
            if swept < _BATCH:
                return total
