"""Carries a room's events to their receiver: in order, again and again until they arrive, and never silently not."""

import asyncio
from dataclasses import dataclass

import structlog

from edge.events.metrics import HeraldMetrics
from edge.events.outbox import MOST_KEPT, Entry, Fate, Kept, Outbox
from edge.events.webhook import Webhook
from shared.clock import Clock
from shared.ids import Ids

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Patience:
    """How often an event is tried: pauses double from ``first_s`` to ``most_s``, until it is ``give_up_s`` old."""

    first_s: float = 1.0
    most_s: float = 300.0
    give_up_s: float = 86_400.0

    def pause_s(self, failures: int, ids: Ids) -> float:
        """Return how long to wait after that many failures in a row: somewhere in the longer half of the pause."""
        longest = min(self.most_s, self.first_s * 2.0 ** min(failures, 64))
        return ids.spread(max(self.first_s, longest / 2), longest)


class Courier:
    """One room's deliveries by this process. One at a time: what is first in the outbox goes first.

    Guarantee: an event is settled when it was delivered, when it is ``give_up_s`` old and was tried once more, or when
    the receiver wants nothing more; the last two are logged and counted. What this process has delivered it does not
    send again, even where the store did not take note.
    """

    def __init__(
        self,
        room: str,
        outbox: Outbox,
        webhook: Webhook,
        metrics: HeraldMetrics,
        *,
        clock: Clock,
        ids: Ids,
        patience: Patience,
    ) -> None:
        self._room = room
        self._outbox = outbox
        self._webhook = webhook
        self._metrics = metrics
        self._clock = clock
        self._ids = ids
        self._patience = patience
        self._fates: dict[str, Fate] = {}
        self._is_gone = False
        self._failures = 0
        self._due_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether the pause after the last failure is over."""
        return asyncio.get_running_loop().time() >= self._due_at

    def has_settled(self, event_id: str) -> bool:
        """Whether this process has settled the event, whatever the store says."""
        return event_id in self._fates

    async def deliver(self, kept: Kept) -> bool:
        """Try to settle the first pending event; False where it has to be tried again.

        Raises:
            StoreUnavailable: it is settled, and the store may not know it.
        """
        entry = kept.pending[0]
        fate = self._fates.get(entry.id) or await self._try(entry, kept)
        if fate is None:
            return False
        self._fates[entry.id] = fate
        if len(self._fates) > MOST_KEPT:
            del self._fates[next(iter(self._fates))]
        await self._outbox.settle(entry.id, fate, gone=self._webhook.mark if fate == "gone" else "")
        return True

    async def _try(self, entry: Entry, kept: Kept) -> Fate | None:
        if self._is_gone or kept.gone == self._webhook.mark:
            return self._not_delivered(entry, "gone")
        outcome = await self._webhook.send(entry.id, bytes(entry.event), int(self._clock.unix()))
        if outcome == "gone":
            self._is_gone = True
            return self._not_delivered(entry, "gone")
        self._metrics.delivery(self._room, outcome)
        if outcome == "delivered":
            self._failures, self._due_at = 0, 0.0
            return "delivered"
        self._failures += 1
        pause_s = self._patience.pause_s(self._failures, self._ids)
        self._due_at = asyncio.get_running_loop().time() + pause_s
        log.warning(
            "event_not_taken",
            room=self._room,
            event_id=entry.id,
            outcome=outcome,
            failures=self._failures,
            pause_s=round(pause_s, 1),
        )
        if kept.now_us - entry.put_us >= self._patience.give_up_s * 1_000_000:
            return self._not_delivered(entry, "given_up")
        return None

    def _not_delivered(self, entry: Entry, fate: Fate) -> Fate:
        self._metrics.delivery(self._room, fate)
        log.error("event_not_delivered", room=self._room, event_id=entry.id, why=fate)
        return fate
