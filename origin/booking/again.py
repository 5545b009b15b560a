"""Who has lost a race in the database asks again: by then the other one is done, and the answer says so."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from origin.metrics import OriginMetrics

LOST_A_RACE = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)
_TRIES = 3

T = TypeVar("T")


async def ask_again(metrics: OriginMetrics, ask: Callable[[], Awaitable[T]]) -> T:
    """Return what ``ask`` does, at most the third time; what it does must be one transaction.

    Raises:
        asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError: it was lost each time; nothing was done.
    """
    for _ in range(_TRIES - 1):
        try:
            return await ask()
        except LOST_A_RACE:
            metrics.conflicts.inc()
    return await ask()
