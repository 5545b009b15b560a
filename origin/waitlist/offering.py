"""Offers places that became free to those who wait, oldest first; resumable, one person and one transaction each."""

from dataclasses import dataclass
from uuid import UUID

from origin.db.pool import Database
from origin.db.sql import Connection
from origin.metrics import OriginMetrics
from origin.waitlist.store import WaitlistStore
from shared.clock import Clock
from shared.ids import Ids

_BATCH = 200
_MOST_WANTED = 100  # slots at a time, and people for each


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
            async with self.store.leading(connection) as leads:
                for programme in await self.store.programmes(connection) if leads else []:
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
        served: set[UUID] = set()
        gone: set[int] = set()
        for wanted in await self.store.wanted(connection, programme, now=self.clock.now(), at_most=_MOST_WANTED):
            if wanted.entry in served or wanted.slot in gone:
                continue
            if await self.store.offer(connection, wanted, hold=self.ids.uuid(), now=self.clock.now()):
                self.metrics.waitlist.labels("offered").inc()
                served.add(wanted.entry)
            else:
                gone.add(wanted.slot)
        return len(served)
