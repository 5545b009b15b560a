"""What arrives together shares a round trip and a commit, as people on one bus share its departure.

While a trip is under way, requests gather; the next takes all of them, up to a limit. Nobody waits for company: a lone
request goes at once. One lane is enough as long as trips are quick, and makes the best use of them; where one takes
long (a lock, a slow disk), another lane opens beside it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from origin.db.pool import Database
from origin.db.sql import Connection
from shared import problem
from shared.metrics import Histogram
from shared.problem import Problem

LANES = 4
SLOW_TRIP_S = 0.004  # more than the disk needs for a commit when it is quick, less than when it is slow
MOST_TOGETHER = 32
MOST_WAITING = 2_000
LINGER_S = 0.002  # keeping its connection: a herd's next comes sooner
MOST_TRIPS = 8  # on one connection, before others who wait for one have their turn

A = TypeVar("A")
R = TypeVar("R")
Send: TypeAlias = Callable[[Connection, list[A]], Awaitable[Sequence[R | Exception]]]
_Batch: TypeAlias = list[tuple[A, asyncio.Future[R]]]


async def one_by_one(
    asked: Sequence[A], alone: Callable[[A], Awaitable[R]], waits_for: Callable[[A], Hashable]
) -> list[R | Exception]:
    """Ask each alone after all failed together; return what came of each, in order: one's bad luck is not another's.

    ``waits_for`` names what one needs from the database. Where that stays locked, or is away (a Problem), it is waited
    for once, not by everybody in turn: who needs the same gets the same answer.
    """
    results: list[R | Exception] = []
    away: dict[Hashable, Problem] = {}
    for each in asked:
        needed = waits_for(each)
        try:
            results.append(away[needed] if needed in away else await alone(each))
        except Problem as fault:
            away[needed] = fault
            results.append(fault)
        except Exception as fault:  # whoever asked gets it, whatever it is
            results.append(fault)
    return results


class Together(Generic[A, R]):
    """Sends what is asked, many at once, and gives each its own answer. It belongs to the running event loop.

    ``send`` returns an answer for each, in order, or what that one is to raise; what it raises itself, all of them get.
    A connection is kept for some trips while they are quick: to get one costs nearly as much as a trip.
    """

    def __init__(self, database: Database, send: Send[A, R], sizes: Histogram) -> None:
        self._database = database
        self._send = send
        self._sizes = sizes
        self._waiting: deque[tuple[A, asyncio.Future[R]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open_lanes = 0
        self._quick_lanes = 0  # those whose trip has not taken long yet
        self._idle: list[asyncio.Future[bool]] = []  # lanes that keep their connection for a moment
        self._lanes: set[asyncio.Task[None]] = set()  # keeps the tasks alive; a task leaves it some time after its end

    async def ask(self, asked: A) -> R:
        """Return the answer.

        Raises:
            Problem: 503 ``store_unavailable`` where too many wait, or the database is away; and whatever ``send`` says.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise Problem(problem.STORE_UNAVAILABLE, "too many ask for this at the moment", retry_after_s=2)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = self._loop.create_future()
        self._waiting.append((asked, answer))
        while self._idle:
            comes = self._idle.pop()
            if not comes.done():
                comes.set_result(True)
                break
        else:
            if not self._quick_lanes:
                self._open()
        return await answer

    def _open(self) -> None:
        if self._waiting and self._open_lanes < LANES:
            self._open_lanes += 1
            self._quick_lanes += 1
            lane = asyncio.create_task(self._drive())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    async def _drive(self) -> None:
        # Nothing may be awaited between seeing the queue empty and leaving: who comes then must find the lane free.
        try:
            while self._waiting:
                await self._travel()
        finally:
            self._open_lanes -= 1
            self._quick_lanes -= 1

    async def _travel(self) -> None:
        """Take those who wait, and whoever comes soon after, on one connection."""
        batch: _Batch[A, R] = []
        try:
            async with self._database.connection() as connection:
                for _ in range(MOST_TRIPS):
                    if not self._waiting and not await self._somebody_comes():
                        break
                    batch = self._board()
                    if not batch:  # another lane was quicker
                        continue
                    with self._relieved() as trip:
                        answers = await self._send(connection, [asked for asked, _ in batch])
                    _tell(batch, answers)
                    if trip.is_slow:
                        break
        except Exception as error:  # whoever asked gets it, whatever it is
            if not batch:  # no connection: nobody who waits for one fares better
                batch = list(self._waiting)
                self._waiting.clear()
            _tell(batch, [error] * len(batch))

    async def _somebody_comes(self) -> bool:
        """Return whether somebody comes within a moment."""
        loop = asyncio.get_running_loop()
        comes: asyncio.Future[bool] = loop.create_future()
        self._idle.append(comes)

        def nobody() -> None:
            if not comes.done():
                comes.set_result(False)

        moment = loop.call_later(LINGER_S, nobody)
        try:
            return await comes
        finally:
            moment.cancel()
            if comes in self._idle:
                self._idle.remove(comes)

    def _board(self) -> "_Batch[A, R]":
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        if batch:
            self._sizes.observe(len(batch))
        return batch

    @contextmanager
    def _relieved(self) -> Iterator["_Trip"]:
        """Open another lane should this trip take long."""
        trip = _Trip()

        def relieve() -> None:
            trip.is_slow = True
            self._quick_lanes -= 1
            self._open()

        relief = asyncio.get_running_loop().call_later(SLOW_TRIP_S, relieve)
        try:
            yield trip
        finally:
            relief.cancel()
            self._quick_lanes += trip.is_slow


@dataclass
class _Trip:
    is_slow: bool = False


def _tell(batch: "_Batch[A, R]", answers: Sequence[R | Exception]) -> None:
    for (_, waiting), answer in zip(batch, answers, strict=True):
        if waiting.done():
            continue
        if isinstance(answer, Exception):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)
