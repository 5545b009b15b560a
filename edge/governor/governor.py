"""The loop that lets a room follow its booking system: lease, look, read the feed, decide, act. Once a second.

Every edge runs one for each room that has a feed; the lease lets one of them act, and the others stand ready. The
thinking is in ``edge.governor.pacing``.
"""

import asyncio
from contextlib import suppress

import structlog

from edge.governor import pacing
from edge.governor.feed import CapacityFeed, Unread
from edge.governor.metrics import GovernorMetrics
from edge.governor.pacing import Course, Decision, Reading, Road
from edge.governor.steering import Steering, bounds_of
from edge.line.desk import Desk
from edge.line.lease import Lease
from edge.line.line import LineError
from edge.line.room import Held, Picture
from shared.clock import rest

log = structlog.get_logger(__name__)

LEASE_TURNS = 5  # a lease outlasts a reading that takes its whole time, twice
TIMEOUT_TURNS = 2
_LONGEST_STEP_TURNS = 3.0


class Governor:
    """One room's governor in this process. ``every_s``: seconds between two turns."""

    def __init__(
        self, desk: Desk, steering: Steering, feed: CapacityFeed, metrics: GovernorMetrics, *, every_s: float
    ) -> None:
        self._desk = desk
        self._room = desk.plan.id
        self._steering = steering
        self._feed = feed
        self._metrics = metrics
        self._every_s = every_s
        self._course = Course()
        self._acted_at: float | None = None
        self._said: Held = ""
        metrics.begin(self._room)

    async def run(self, stop: asyncio.Event) -> None:
        """Govern until ``stop``, then give the lease up. A store that is away is asked again and again."""
        while not stop.is_set():
            with suppress(LineError):
                await self.turn()
            await rest(stop, self._every_s)
        with suppress(LineError):
            await self._steering.give_up()

    async def turn(self) -> None:
        """Act once, where this process has the lease.

        Raises:
            StoreUnavailable: whatever was decided may or may not be in force.
        """
        lease = await self._steering.lease()
        self._metrics.leads(self._room, leads=lease is not None)
        self._note(self._desk.view().picture.held)
        if lease is None:
            self._course, self._acted_at = Course(), None
            return
        await self._act(lease)

    async def _act(self, lease: Lease) -> None:
        off = bounds_of(self._desk.plan, self._desk.view().picture).mode == "off"
        reading = pacing.DOWN if off else await self._read()
        seen = (await self._desk.refresh()).picture
        course, decision = self._decide(seen, reading)
        if not await self._steering.govern(lease, seen, decision):
            self._metrics.late(self._room)
            return
        self._course = course
        self._metrics.decided(self._room, decision.action, decision.remaining)
        if decision.action != "none":
            log.info("governed", room=self._room, action=decision.action, held=decision.held, rate_per_s=decision.rate)

    async def _read(self) -> Reading:
        try:
            told = await self._feed.read()
        except Unread as unread:
            self._metrics.read(self._room, unread.outcome)
            return pacing.DOWN
        self._metrics.read(self._room, "ok")
        self._metrics.inside(self._room, told.inside)
        return pacing.reading_of(told, self._room)

    def _decide(self, seen: Picture, reading: Reading) -> tuple[Course, Decision]:
        now = asyncio.get_running_loop().time()
        passed = self._every_s if self._acted_at is None else now - self._acted_at
        self._acted_at = now
        road = Road(rate=seen.rate, held=seen.held, remaining=seen.remaining, waiting=seen.waiting)
        elapsed = min(passed, _LONGEST_STEP_TURNS * self._every_s)
        return pacing.decide(bounds_of(self._desk.plan, seen), self._course, road, reading, elapsed_s=elapsed)

    def _note(self, held: Held) -> None:
        if held != self._said:
            log.info("held" if held else "calling_again", room=self._room, why=held or self._said)
        self._said = held
        self._metrics.held(self._room, held)
