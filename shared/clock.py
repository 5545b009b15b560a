"""Time comes in as an argument. This file is the only one that asks the machine."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time. The system's in production, a hand-moved one in tests."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    def unix(self) -> float:
        """Return seconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def unix(self) -> float:
        return time.time()


class ManualClock:
    """A clock that moves only when told; for tests and simulations."""

    def __init__(self, start: datetime) -> None:
        self._unix = start.timestamp()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._unix, UTC)

    def unix(self) -> float:
        return self._unix

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds`` (never back)."""
        if seconds < 0:
            raise ValueError("a clock does not run backwards")
        self._unix += seconds


def elapsed_s() -> float:
    """Return seconds that never go back, since no moment in particular: for how long something lasts.

    As the event loop's ``time``, without asking which loop runs, which is a system call (CPython 3.11).
    """
    return time.monotonic()


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait for so long, or until ``stop``."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
