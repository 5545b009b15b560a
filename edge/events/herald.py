"""The loop that tells the world what happens in a room: lease, look, put what has happened into the outbox, deliver.

Every edge runs one for each room, where a receiver is set; the lease lets one of them tell, and the others stand ready
and carry what is pending, for a store that loses it. What has happened is decided in ``edge.events.happenings``.
"""

import asyncio
from contextlib import suppress

import structlog
from msgspec.structs import replace

from edge.events.courier import Courier
from edge.events.happenings import observe
from edge.events.metrics import HeraldMetrics
from edge.events.outbox import Entry, Kept, Outbox
from edge.line.desk import Desk
from edge.line.lease import Lease
from edge.line.line import LineError
from shared.clock import rest

log = structlog.get_logger(__name__)

LEASE_TURNS = 5
_NOTHING = Kept(0, None, "", ())


class Herald:
    """One room's herald in this process. ``every_s``: seconds between two turns.

    Guarantee: each happening that a look finds is delivered at least once, in order, whichever edge or store is lost
    meanwhile, as long as one edge lives that has read the outbox since; told twice, it has the same id.
    """

    def __init__(self, desk: Desk, outbox: Outbox, courier: Courier, metrics: HeraldMetrics, *, every_s: float) -> None:
        self._desk = desk
        self._room = desk.plan.id
        self._outbox = outbox
        self._courier = courier
        self._metrics = metrics
        self._every_s = every_s
        self._kept = _NOTHING
        self._leads = False
        self._sending: asyncio.Task[None] | None = None
        metrics.begin(self._room)

    async def run(self, stop: asyncio.Event) -> None:
        """Tell until ``stop``, then give the lease up. A slow receiver keeps nothing waiting but its own events."""
        async with asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                with suppress(LineError):
                    await self.turn()
                if self._sending is None or self._sending.done():
                    self._sending = tasks.create_task(self.send(stop))
                await rest(stop, self._every_s)
        with suppress(LineError):
            await self._outbox.give_up()

    async def turn(self) -> None:
        """Read the outbox, put back what it has lost, and tell what has happened, where this process has the lease.

        Raises:
            StoreUnavailable: nothing is lost; the next turn finds it all again.
        """
        leads = False
        try:
            lease = await self._outbox.lease()
            self._kept = await self._healed(await self._outbox.read())
            leads = lease is not None and await self._tell(lease)
        finally:
            self._leads = leads
            self._metrics.leads(self._room, leads=leads)
        first = self._kept.pending[0].put_us if self._kept.pending else self._kept.now_us
        self._metrics.pending(self._room, max(0, self._kept.now_us - first) / 1_000_000)

    async def send(self, stop: asyncio.Event) -> None:
        """Deliver what is pending, one after the other, until one fails; only where this process has the lease."""
        while self._leads and self._kept.pending and self._courier.is_due and not stop.is_set():
            first = self._kept.pending[0]
            try:
                if not await self._courier.deliver(self._kept):
                    return
            except LineError:  # the next turn finds it in the store, and settles it without sending it again
                return
            self._kept = replace(self._kept, pending=tuple(each for each in self._kept.pending if each.id != first.id))

    async def _healed(self, kept: Kept) -> Kept:
        """Put back what this process knows and the store does not: it has lost everything, or the latest of it.

        What is missing may as well have been settled by another process: then the store knows its id, and keeps it so.
        """
        ours = self._kept
        there = {entry.id for entry in kept.pending}
        missing = [each for each in ours.pending if each.id not in there and not self._courier.has_settled(each.id)]
        if missing:
            await self._outbox.put_back(missing)
            kept = await self._outbox.read()
        if ours.seen is not None and (kept.seen is None or kept.seen.mark < ours.seen.mark):
            log.warning("outbox_was_lost", room=self._room, pending=len(kept.pending))
            kept = replace(kept, seen=ours.seen)
        return replace(kept, gone=kept.gone or ours.gone)

    async def _tell(self, lease: Lease) -> bool:
        """Look, and tell what has happened since the last look; False where another has the lease by now."""
        kept = self._kept
        seen, happened = observe(self._room, kept.seen, self._desk.view().picture)
        if seen is None:
            return True
        entries = [Entry.of(happening, kept.now_us) for happening in happened]
        dropped = await self._outbox.tell(lease, seen, entries)
        if dropped is None:
            return False
        for happening in happened:
            self._metrics.happened(self._room, happening.type)
            log.info("happened", room=self._room, event_id=happening.id, type=happening.type)
        self._note(dropped)
        self._kept = replace(self._kept, seen=seen, pending=(*self._kept.pending, *entries))
        return True

    def _note(self, dropped: int) -> None:
        if dropped:
            self._metrics.delivery(self._room, "dropped", dropped)
            log.error("events_dropped", room=self._room, events=dropped)
