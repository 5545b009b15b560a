"""Decisions that are made at the same time are stored together; one's bad luck is not another's."""

from functools import partial

import asyncpg

from origin.db.pool import AWAY, Database
from origin.db.sql import Connection
from origin.db.together import Together, one_by_one
from origin.eligibility.store import DecisionStore, NewDecision
from origin.metrics import OriginMetrics

_REFUSED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


class Keeper:
    """Takes decisions to the store. One per process; it belongs to the running event loop."""

    def __init__(self, database: Database, store: DecisionStore, metrics: OriginMetrics) -> None:
        self._database = database
        self._store = store
        self._together: Together[NewDecision, bool] = Together(database, self._send, metrics.decision_batch)

    async def keep(self, decision: NewDecision) -> bool:
        """Store a decision with its audit row; False, and nothing stored, when its rules are no longer in force.

        Raises:
            Problem: 503 ``store_unavailable``; nobody has been told of the decision, should it be stored.
        """
        return await self._together.ask(decision)

    async def _send(self, connection: Connection, decisions: list[NewDecision]) -> list[bool | Exception]:
        try:
            kept = await self._store.add(connection, decisions)
            return [each.ref in kept for each in decisions]
        except asyncpg.PostgresError as fault:
            if len(decisions) == 1 or not _nothing_stored(fault):
                raise
        return await one_by_one(decisions, partial(self._alone, connection), lambda decision: decision.programme)

    async def _alone(self, connection: Connection, decision: NewDecision) -> bool:
        with self._database.watched():
            return decision.ref in await self._store.add(connection, [decision])


def _nothing_stored(fault: asyncpg.PostgresError) -> bool:
    """Whether the server has surely refused: it answered, and is there."""
    return isinstance(fault, _REFUSED) or not isinstance(fault, AWAY)
