"""Finds other times for people whose slots were cancelled: resumable, one person and one transaction after the other.

Whatever is killed in the middle has done a person's part wholly or not at all, and whoever comes next goes on. Any
number of workers may do it at once.
"""

from dataclasses import dataclass

from origin.db.pool import Database
from origin.metrics import OriginMetrics
from origin.offers.store import OfferStore
from shared.clock import Clock
from shared.ids import Ids

_BATCH = 500


@dataclass(frozen=True)
class Promising:
    """The chore."""

    database: Database
    clock: Clock
    ids: Ids
    metrics: OriginMetrics
    store: OfferStore

    async def run(self) -> int:
        """Do all that is due for at most 500 people, whose slots begin first before the others; return for how many.

        Raises:
            Problem: the database is away. What was done stays done.
        """
        done = 0
        async with self.database.connection() as connection:
            for displaced in await self.store.due(connection, now=self.clock.now(), at_most=_BATCH):
                state = await self.store.advance(connection, displaced, hold=self.ids.uuid(), now=self.clock.now())
                if state is not None:
                    self.metrics.displaced.labels(state).inc()
                    done += 1
        return done
