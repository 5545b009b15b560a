"""The feed as this process gives it: made at most once a second, encoded once, the same bytes for everybody."""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from time import perf_counter

import msgspec

from origin.capacity.crowd import Crowd
from origin.capacity.supply import Supply
from origin.capacity.traffic import Traffic
from origin.metrics import OriginMetrics
from shared.capacity import Capacity, Errors, Funnel, Health, Latency
from shared.clock import Clock

FRESH_S = 1.0
ERROR_LIMIT = 0.05
FEWEST_SAMPLES = 20  # a slow answer among three says nothing


class Feed:
    """What this process knows of itself and of the database.

    Args:
        per_s: bookings a second that the whole origin can take, as configured.
        p99_limit_ms: slower than this in the 99th percentile, it calls itself degraded.
    """

    def __init__(
        self,
        supply: Supply,
        traffic: Traffic,
        crowd: Crowd,
        metrics: OriginMetrics,
        clock: Clock,
        *,
        per_s: float | None,
        p99_limit_ms: float,
        tick: Callable[[], float] = perf_counter,
    ) -> None:
        self._supply = supply
        self._traffic = traffic
        self._crowd = crowd
        self._metrics = metrics
        self._clock = clock
        self._per_s = per_s
        self._p99_limit_ms = p99_limit_ms
        self._tick = tick
        self._making = asyncio.Lock()
        self._made_at = float("-inf")
        self._made = (b"", "")

    async def encoded(self) -> tuple[bytes, str]:
        """Return the feed as JSON, at most a second old, and its entity tag."""
        async with self._making:
            if self._tick() - self._made_at >= FRESH_S:
                body = msgspec.json.encode(await self.make())
                self._made = (body, f'"{blake2b(body, digest_size=12).hexdigest()}"')
                self._made_at = self._tick()
            return self._made

    async def make(self) -> Capacity:
        """Make it now. A database that is away makes it say ``unhealthy``, never fail."""
        now = self._clock.now()
        programmes, answered = await self._supply.read(now)
        latency = self._traffic.latency(self._p99_limit_ms)
        errors = self._traffic.errors(ERROR_LIMIT)
        inside = self._crowd.inside
        stay = self._crowd.mean_stay_s
        return Capacity(
            bookings_per_s=self._per_s,
            in_flight=self._traffic.in_flight,
            inside=inside,
            time_inside_s=None if stay is None else round(stay, 3),
            latency=latency,
            errors=errors,
            health=health(latency, errors, answered=answered),
            programmes=programmes,
            funnel=self._funnel(),
            as_of=now,
        )

    def _funnel(self) -> Funnel:
        counted = self._metrics
        return Funnel(
            exchanged=int(counted.exchanged.total),
            evaluated=int(counted.evaluated.total),
            searched=int(counted.searched.total),
            book_attempted=int(counted.book_attempted.total),
            booked=int(counted.booked.total),
        )


def health(latency: Latency | None, errors: Errors | None, *, answered: bool) -> Health:
    """Return how it is: ``unhealthy`` without its database, ``degraded`` when too slow or too often at fault."""
    if not answered:
        return "unhealthy"
    slow = latency is not None and latency.samples >= FEWEST_SAMPLES and latency.p99_ms > latency.limit_ms
    faulty = errors is not None and errors.samples >= FEWEST_SAMPLES and errors.share > errors.limit
    return "degraded" if slow or faulty else "ok"
