"""A crowd that claims: of those who are called, some come a little later, and the others never do."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import httpx

from loadtest.bench.machine import BenchError

_LOOK_EVERY_S = 0.2
_PATIENCE = httpx.Timeout(10, pool=None)  # a crowd waits for its own connections as long as it takes
_LIMITS = httpx.Limits(max_connections=100, keepalive_expiry=2)  # a server closes idle ones after five: never meet it


@dataclass
class Crowd:
    """People of one room, who are there when the crowd begins.

    Args:
        room_url: the room's API. ``ticket``: returns the ticket of a place.
        no_show: share of the called who never come. The others claim between ``soonest_s`` and ``latest_s`` after their
            call was seen, and come again as told while they are paced.
        random: makes their choices repeatable.
    """

    room_url: str
    ticket: Callable[[int], str]
    no_show: float
    random: Random
    soonest_s: float = 0.1
    latest_s: float = 5.0
    tokens_s: list[float] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def hold(self, seconds: float) -> list[float]:
        """Let them come for ``seconds``; return when each token came, in seconds since the beginning.

        Raises:
            BenchError: somebody was answered in a way that nobody should be, or not at all.
        """
        started, seen = time.monotonic(), 0
        coming: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(timeout=_PATIENCE, limits=_LIMITS) as http:
            try:
                while time.monotonic() - started < seconds and not self.refusals:
                    called = int((await http.get(self.room_url)).json()["called"])
                    for place in range(seen + 1, called + 1):
                        if self.random.random() >= self.no_show:
                            coming.add(task := asyncio.create_task(self._come(http, place, started)))
                            task.add_done_callback(coming.discard)
                    seen = max(seen, called)
                    await asyncio.sleep(_LOOK_EVERY_S)
            finally:  # nobody is on the way any more when the connections are closed
                for task in list(coming):
                    task.cancel()
                await asyncio.gather(*coming, return_exceptions=True)
        if self.refusals:
            raise BenchError(f"a called visitor was answered with {self.refusals[0]}")
        return self.tokens_s

    async def _come(self, http: httpx.AsyncClient, place: int, started: float) -> None:
        await asyncio.sleep(self.random.uniform(self.soonest_s, self.latest_s))
        headers = {"Authorization": f"Ticket {self.ticket(place)}"}
        try:
            while True:
                answer = await http.post(f"{self.room_url}/admissions", headers=headers)
                if answer.status_code != 429:
                    break
                await asyncio.sleep(float(answer.headers["Retry-After"]))
        except httpx.TransportError as error:
            self.refusals.append(f"nothing: {error!r}")
            return
        if answer.status_code == 201:
            self.tokens_s.append(time.monotonic() - started)
        else:
            self.refusals.append(f"{answer.status_code}: {answer.text[:200]}")
