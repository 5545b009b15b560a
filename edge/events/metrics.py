"""What heralds count; rooms come from the rooms file and from operators, every other label from this code."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge

from edge.events.happenings import KINDS
from edge.events.webhook import Outcome

Delivery = Outcome | Literal["given_up", "dropped"]
_DELIVERIES: tuple[Delivery, ...] = (
    "delivered",
    "refused",
    "unreachable",
    "timeout",
    "gone",
    "given_up",
    "dropped",
)


class HeraldMetrics:
    """The instruments of one process. A room's figures stand at their zeros until something happens."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        self._events = Counter(
            f"{prefix}_events", "Events told by this process, by type.", ["room", "type"], registry=registry
        )
        self._deliveries = Counter(
            f"{prefix}_event_deliveries",
            "Attempts to deliver an event from this process, by outcome, and events that were not delivered.",
            ["room", "outcome"],
            registry=registry,
        )
        self._pending = Gauge(
            f"{prefix}_event_pending_seconds",
            "Age of the oldest event that is to be delivered.",
            ["room"],
            registry=registry,
        )
        self._leads = Gauge(
            f"{prefix}_herald_leads", "Whether this process tells of the room.", ["room"], registry=registry
        )

    def begin(self, room: str) -> None:
        """Show a room's figures from the start, so that their first increase is seen."""
        for kind in KINDS:
            self._events.labels(room, f"room.{kind}")
        for outcome in _DELIVERIES:
            self._deliveries.labels(room, outcome)
        self.leads(room, leads=False)
        self.pending(room, 0)

    def happened(self, room: str, event_type: str) -> None:
        """Count an event."""
        self._events.labels(room, event_type).inc()

    def delivery(self, room: str, outcome: Delivery, count: int = 1) -> None:
        """Count an attempt, or events that will not be delivered."""
        self._deliveries.labels(room, outcome).inc(count)

    def pending(self, room: str, age_s: float) -> None:
        """Note how long the oldest event has been waiting; 0 where none is."""
        self._pending.labels(room).set(age_s)

    def leads(self, room: str, *, leads: bool) -> None:
        """Note whether this process tells of the room."""
        self._leads.labels(room).set(leads)
