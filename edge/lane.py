"""Group commit: what arrives while a round trip is under way shares the next one, in its order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")

_ENOUGH = 32


class Lane(Generic[A, R]):
    """One round trip at a time, each for everybody who waits, at most ``limit``.

    A trip costs the process as much as answering several visitors does, so it pays to let them gather: the next begins
    ``linger_s`` after the last one began, or as soon as 32 wait. Whoever comes when nobody has travelled for that long
    does not wait.

    ``run`` gets the arguments in the order of arrival and returns as many results in that order. When it fails,
    everybody who shared the trip gets its error, and the next trip begins.
    """

    def __init__(self, run: Callable[[Sequence[A]], Awaitable[Sequence[R]]], *, limit: int, linger_s: float) -> None:
        self._run = run
        self._limit = limit
        self._linger_s = linger_s
        self._not_before = float("-inf")
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._enough = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None

    def submit(self, argument: A) -> asyncio.Future[R]:
        """Queue one argument; the future brings its result, or the trip's error."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((argument, future))
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
                await self._travel(trip)
        finally:
            self._driver = None

    async def _linger(self) -> None:
        loop = asyncio.get_running_loop()
        wait = self._not_before - loop.time()
        if wait > 0 and len(self._waiting) < _ENOUGH:
            alarm = loop.call_later(wait, self._enough.set)
            await self._enough.wait()
            alarm.cancel()
        self._enough.clear()
        self._not_before = loop.time() + self._linger_s

    async def _travel(self, trip: Sequence[tuple[A, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._run([argument for argument, _ in trip])
        except Exception as error:  # it goes to everybody who waits for it
            for _, future in trip:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(trip, results, strict=True):
            if not future.done():
                future.set_result(result)
