"""Group commit: what arrives while a round trip is under way shares the next one, in its order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

A = TypeVar("A")
R = TypeVar("R")

_ENOUGH = 32


@dataclass(frozen=True)
class Hold:
    """What to do with those whose trip failed: keep them, and try again.

    Only for acts that may be done twice. Each is kept for ``seconds`` at most, then gets the trip's error; while trips
    fail ``most`` may wait for the next, and whoever comes beyond that gets the error at once. ``errors`` are worth it.
    """

    errors: tuple[type[Exception], ...]
    seconds: float
    most: int
    every_s: float = 0.05


class _Rider(msgspec.Struct, Generic[A, R], frozen=True):
    argument: A
    future: "asyncio.Future[R]"
    until: float


class Shuttle(Generic[A, R]):
    """One round trip at a time, each for everybody who waits, at most ``limit``.

    A trip costs the process as much as answering several visitors does, so it pays to let them gather: the next begins
    ``linger_s`` after the last one began, or as soon as 32 wait. Whoever comes when nobody has travelled for that long
    does not wait.

    ``run`` gets the arguments in the order of arrival and returns as many results in that order. When it fails,
    everybody who shared the trip gets its error, and the next trip begins; with ``hold`` they are kept in their order
    until it succeeds, for a while.
    """

    def __init__(
        self,
        run: Callable[[Sequence[A]], Awaitable[Sequence[R]]],
        *,
        limit: int,
        linger_s: float,
        hold: Hold | None = None,
    ) -> None:
        self._run = run
        self._limit = limit
        self._linger_s = linger_s
        self._hold = hold
        self._not_before = float("-inf")
        self._waiting: list[_Rider[A, R]] = []
        self._enough = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fault: Exception | None = None  # why the last trip failed, while riders are kept for the next

    def submit(self, argument: A) -> asyncio.Future[R]:
        """Queue one argument; the future brings its result, or the trip's error."""
        loop = self._loop
        if loop is None or self._driver is None:
            loop = self._loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        if self._fault is not None and self._hold is not None and len(self._waiting) >= self._hold.most:
            future.set_exception(self._fault)
            return future
        until = loop.time() + self._hold.seconds if self._hold is not None else 0.0
        self._waiting.append(_Rider(argument, future, until))
        if self._driver is None:
            self._driver = loop.create_task(self._drive())
        elif len(self._waiting) == _ENOUGH:
            self._enough.set()
        return future

    async def _drive(self) -> None:
        try:
            while self._waiting:
                await self._linger()
                trip, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                self._fault = await self._travel(trip)
                if self._fault is not None and self._hold is not None:
                    self._waiting = _still_patient(trip + self._waiting, self._fault)
                    await asyncio.sleep(self._hold.every_s)
        finally:
            self._driver = None
            self._fault = None

    async def _linger(self) -> None:
        loop = asyncio.get_running_loop()
        wait = self._not_before - loop.time()
        if wait > 0 and len(self._waiting) < _ENOUGH:
            alarm = loop.call_later(wait, self._enough.set)
            await self._enough.wait()
            alarm.cancel()
        self._enough.clear()
        self._not_before = loop.time() + self._linger_s

    async def _travel(self, trip: Sequence[_Rider[A, R]]) -> Exception | None:
        """Make one trip; return the fault that its riders are to be kept for."""
        try:
            results = await self._run([rider.argument for rider in trip])
        except Exception as error:  # it goes to everybody who waits for it
            if self._hold is not None and isinstance(error, self._hold.errors):
                return error
            for rider in trip:
                if not rider.future.done():
                    rider.future.set_exception(error)
            return None
        for rider, result in zip(trip, results, strict=True):
            if not rider.future.done():
                rider.future.set_result(result)
        return None


def _still_patient(riders: Sequence[_Rider[A, R]], fault: Exception) -> list[_Rider[A, R]]:
    """Return who goes on waiting, in their order; the others learn of the fault."""
    now = asyncio.get_running_loop().time()
    patient = []
    for rider in riders:
        if rider.future.done():  # gave up
            continue
        if rider.until > now:
            patient.append(rider)
        else:
            rider.future.set_exception(fault)
    return patient
