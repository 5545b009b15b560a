"""Offers places that became free to those who wait, oldest first; resumable, one person and one transaction each."""

from dataclasses import dataclass

from origin.db.pool import Database
from origin.db.sql import Connection
from origin.metrics import OriginMetrics
from origin.waitlist.store import WaitlistStore
from shared.clock import Clock
from shared.ids import Ids

_BATCH = 200


@dataclass(frozen=True)
class Offering:
    """The chore."""

    database: Database
    clock: Clock
    ids: Ids
    metrics: OriginMetrics
    store: WaitlistStore

    async def run(self) -> int:
        """Settle what was booked, missed or is over, then offer what is free; return how many people it concerned.

        Raises:
            Problem: the database is away. What was done stays done.
        """
        async with self.database.connection() as connection:
            done = await self._settle(connection)
            for programme in await self.store.programmes(connection):
                done += await self._offer(connection, programme)
        return done

    async def _settle(self, connection: Connection) -> int:
        done = 0
        for entry in await self.store.due(connection, now=self.clock.now(), at_most=_BATCH):
            state = await self.store.settle(connection, entry, now=self.clock.now())
            if state is not None:
                self.metrics.waitlist.labels("missed" if state == "waiting" else state).inc()
                done += 1
        return done

    async def _offer(self, connection: Connection, programme: str) -> int:
        for done in range(_BATCH):
            now = self.clock.now()
            if await self.store.offer_next(connection, programme, hold=self.ids.uuid(), now=now) is None:
                return done
            self.metrics.waitlist.labels("offered").inc()
        return _BATCH
