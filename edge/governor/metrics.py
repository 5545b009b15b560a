"""What governors count; rooms come from the rooms file and from operators, every other label from this code."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from edge.governor.feed import READ_OUTCOMES, ReadOutcome
from edge.governor.pacing import ACTIONS, Action
from edge.line.room import HELD, Held


class GovernorMetrics:
    """The instruments of one process. A room's figures stand at their zeros until it is governed here."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        self._decisions = Counter(
            f"{prefix}_governor_decisions",
            "Decisions of the governor in this process, by action.",
            ["room", "action"],
            registry=registry,
        )
        self._late = Counter(
            f"{prefix}_governor_late",
            "Decisions that came too late and were not followed.",
            ["room"],
            registry=registry,
        )
        self._reads = Counter(
            f"{prefix}_capacity_reads",
            "Readings of the capacity feed, by outcome.",
            ["room", "outcome"],
            registry=registry,
        )
        self._leads = Gauge(
            f"{prefix}_governor_leads", "Whether this process governs the room.", ["room"], registry=registry
        )
        self._held = Gauge(
            f"{prefix}_held", "Whether nobody is called, by reason.", ["room", "reason"], registry=registry
        )
        self._inside = Gauge(
            f"{prefix}_inside", "People inside the booking system, as it says.", ["room"], registry=registry
        )
        self._remaining = Gauge(
            f"{prefix}_remaining", "Doses left, as the booking system says.", ["room"], registry=registry
        )

    def begin(self, room: str) -> None:
        """Show a room's figures from the start, so that their first increase is seen."""
        for action in ACTIONS:
            self._decisions.labels(room, action)
        for outcome in READ_OUTCOMES:
            self._reads.labels(room, outcome)
        self._late.labels(room)
        self.leads(room, leads=False)
        self.held(room, "")

    def read(self, room: str, outcome: ReadOutcome) -> None:
        """Count a reading."""
        self._reads.labels(room, outcome).inc()

    def inside(self, room: str, people: int) -> None:
        """Note how many are inside."""
        self._inside.labels(room).set(people)

    def decided(self, room: str, action: Action, remaining: int | None) -> None:
        """Count a decision."""
        self._decisions.labels(room, action).inc()
        if remaining is not None:
            self._remaining.labels(room).set(remaining)

    def late(self, room: str) -> None:
        """Count a decision that was not followed."""
        self._late.labels(room).inc()

    def leads(self, room: str, *, leads: bool) -> None:
        """Note whether this process governs the room."""
        self._leads.labels(room).set(leads)

    def held(self, room: str, why: Held) -> None:
        """Note why nobody is called."""
        for reason in HELD:
            self._held.labels(room, reason).set(reason == why)
