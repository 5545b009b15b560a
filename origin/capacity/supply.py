"""How much is left of each programme, and whether it is frozen, out of the database, at a bounded cost."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from time import perf_counter

from origin.db.pool import Database
from origin.db.sql import load
from shared.capacity import ProgrammeSupply
from shared.problem import Problem

_QUERIES = Path(__file__).with_name("queries.sql")
_PATIENCE_S = 1.5
_SHARE = 0.02  # of one connection's time that counting may take
_SOONEST_S = 1.0


class Supply:
    """Freezes are read afresh each time; free places are counted so seldom that it takes 2 % of one connection at most.

    145,000 slots take some 25 ms to count, a million 0.2 s: the figures are one to ten seconds old.
    """

    def __init__(self, database: Database, tick: Callable[[], float] = perf_counter) -> None:
        self._database = database
        self._tick = tick
        self._remaining: Mapping[str, int] | None = None
        self._count_at = float("-inf")
        self._last: list[ProgrammeSupply] = []

    async def read(self, now: datetime) -> tuple[list[ProgrammeSupply], bool]:
        """Return the programmes, and whether the database has answered; if not, they are as they were last."""
        try:
            async with asyncio.timeout(_PATIENCE_S), self._database.connection() as connection:
                if self._tick() >= self._count_at:
                    started = self._tick()
                    counted = await load(_QUERIES)["remaining"].rows(connection, now=now)
                    self._remaining = {row["programme"]: row["remaining"] for row in counted}
                    took = self._tick() - started
                    self._count_at = self._tick() + max(_SOONEST_S, took / _SHARE)
                rows = await load(_QUERIES)["programmes"].rows(connection)
        except (Problem, TimeoutError):
            return self._last, False
        self._last = [
            ProgrammeSupply(row["id"], row["room"], self._left(row["id"]), row["frozen"], row["frozen_reason"])
            for row in rows
        ]
        return self._last, True

    def _left(self, programme: str) -> int | None:
        return None if self._remaining is None else self._remaining.get(programme, 0)
