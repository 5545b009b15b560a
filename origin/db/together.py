"""What arrives together shares a round trip and a commit, as people on one bus share its departure.

While a trip is under way, requests gather; the next takes all of them, up to a limit. Nobody waits for company: a lone
request goes at once. One lane is enough as long as trips are quick, and makes the best use of them; where one takes
long (a lock, a slow disk), another lane opens beside it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from prometheus_client import Histogram

from shared import problem
from shared.problem import Problem

LANES = 4
SLOW_TRIP_S = 0.004  # more than the disk needs for a commit when it is quick, less than when it is slow
MOST_TOGETHER = 32
MOST_WAITING = 2_000

A = TypeVar("A")
R = TypeVar("R")


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
    """

    def __init__(self, send: Callable[[list[A]], Awaitable[Sequence[R | Exception]]], sizes: Histogram) -> None:
        self._send = send
        self._sizes = sizes
        self._waiting: deque[tuple[A, asyncio.Future[R]]] = deque()
        self._open_lanes = 0
        self._quick_lanes = 0  # those whose trip has not taken long yet
        self._lanes: set[asyncio.Task[None]] = set()  # keeps the tasks alive; a task leaves it some time after its end

    async def ask(self, asked: A) -> R:
        """Return the answer.

        Raises:
            Problem: 503 ``store_unavailable`` where too many wait; and whatever ``send`` says.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise Problem(problem.STORE_UNAVAILABLE, "too many ask for this at the moment", retry_after_s=2)
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
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
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
                self._sizes.observe(len(batch))
                await self._travel(batch)
        finally:
            self._open_lanes -= 1
            self._quick_lanes -= 1

    async def _travel(self, batch: "list[tuple[A, asyncio.Future[R]]]") -> None:
        slow = False

        def relieve() -> None:
            nonlocal slow
            slow = True
            self._quick_lanes -= 1
            self._open()

        relief = asyncio.get_running_loop().call_later(SLOW_TRIP_S, relieve)
        try:
            await self._serve(batch)
        finally:
            relief.cancel()
            self._quick_lanes += slow

    async def _serve(self, batch: "list[tuple[A, asyncio.Future[R]]]") -> None:
        results: Sequence[R | Exception]
        try:
            results = await self._send([asked for asked, _ in batch])
        except Exception as error:  # whoever asked gets it, whatever it is
            results = [error] * len(batch)
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.done():
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
