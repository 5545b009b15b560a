"""What the origin counts: the funnel from exchange to booking, refusals by reason, and the database's moods.

Labels are bounded: codes, outcomes and rule versions; never people, slots or keys.
"""

from prometheus_client import CollectorRegistry, Gauge

from shared.metrics import Counter, Histogram
from shared.middleware import HttpMetrics
from shared.token import REFUSAL_REASONS

PREFIX = "vestibule_origin"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_AGES = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800)
_SKEWS = (0, 0.5, 1, 2, 5, 10, 30, 60)


class OriginMetrics:
    """The instruments of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.http = HttpMetrics(registry, PREFIX)
        self._funnel(registry)
        self._database(registry)
        self._feeds(registry)

    def _funnel(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", text, labels, registry=registry)

        self.exchanged = counter("exchanged", "Admission tokens exchanged for a session.")
        self.admission_refused = counter("admission_refused", "Admissions refused, by reason.", "reason")
        self.admission_extended = counter(
            "admission_extended", "Extensions of booking time asked for, by outcome.", "outcome"
        )
        self.evaluated = counter(
            "evaluated", "Eligibility decisions, by outcome and rule version.", "outcome", "rule_version"
        )
        self.rules_faults = counter("rules_faults", "Failures to load rules, by fault.", "fault")
        self.checks = counter("checks", "Pages of the anonymous self-check, by what they said.", "outcome")
        self.searched = counter("searched", "Slot searches answered.")
        self.book_attempted = counter("book_attempted", "Well-formed booking requests.")
        self.booked = counter("booked", "Appointments confirmed.")
        self.book_refused = counter("book_refused", "Booking requests refused, by code.", "code")
        self.conflicts = counter("conflicts", "Round trips that lost a race in the database and were asked again.")
        self.held = counter("held", "Places held for a moment, those asked for again included.")
        self.hold_refused = counter("hold_refused", "Holds refused, by code.", "code")
        self.moved = counter("moved", "Appointments moved by their owner.")
        self.move_refused = counter("move_refused", "Moves of appointments refused, by code.", "code")
        self.cancelled = counter("cancelled", "Appointments cancelled by their owner.")
        self.slots_cancelled = counter("slots_cancelled", "Slots cancelled by their site.")
        self.slots_reopened = counter("slots_reopened", "Cancelled slots opened again by their site.")
        self.walked_in = counter("walked_in", "Places booked for people who came without an appointment.")
        self.displaced = counter(
            "displaced", "Steps for people whose slot was cancelled, by what they came to.", "state"
        )
        self.waitlist = counter("waitlist", "Steps of people on the waitlist.", "step")
        self.booking_seconds = Histogram(
            f"{PREFIX}_booking_seconds",
            "Time from a well-formed booking request to its answer, in seconds.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.token_age_seconds = Histogram(
            f"{PREFIX}_token_age_seconds",
            "Age of admission tokens when they arrive, in seconds.",
            registry=registry,
            buckets=_AGES,
        )
        self.clock_skew_seconds = Histogram(
            f"{PREFIX}_clock_skew_seconds",
            "How far the issuing clock was seen ahead of ours, in seconds; 0 when it was not.",
            registry=registry,
            buckets=_SKEWS,
        )
        for reason in REFUSAL_REASONS:
            self.admission_refused.labels(reason)
        for outcome in ("opened", "asked", "eligible", "not_eligible", "incomplete", "busy"):
            self.checks.labels(outcome)
        for state in ("offered", "accepted", "left", "declined", "lapsed", "none_found"):
            self.displaced.labels(state)
        for step in ("joined", "offered", "missed", "booked", "left", "over"):
            self.waitlist.labels(step)
        for outcome in ("extended", "enough", "used"):
            self.admission_extended.labels(outcome)

    def _database(self, registry: CollectorRegistry) -> None:
        self.batch_size = Histogram(
            f"{PREFIX}_booking_batch",
            "Booking requests that shared one round trip to the database.",
            registry=registry,
            buckets=(1, 2, 4, 8, 16, 32),
        )
        self.refusal_batch_size = Histogram(
            f"{PREFIX}_refusal_batch",
            "Refused bookings whose answers were kept in one round trip to the database.",
            registry=registry,
            buckets=(1, 2, 4, 8, 16, 32),
        )
        self.decision_batch = Histogram(
            f"{PREFIX}_decision_batch",
            "Eligibility decisions that shared one round trip to the database.",
            registry=registry,
            buckets=(1, 2, 4, 8, 16, 32),
        )
        self.pool_waiting = Gauge(
            f"{PREFIX}_pool_waiting", "Callers waiting for a database connection.", registry=registry
        )
        self.pool_wait_seconds = Histogram(
            f"{PREFIX}_pool_wait_seconds",
            "Time spent waiting for a database connection, in seconds.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.reads = Counter(
            f"{PREFIX}_reads",
            "Reads that may be a moment old, by where they went.",
            ["source"],
            registry=registry,
        )
        for source in ("primary", "replica"):
            self.reads.labels(source)
        self.replica_staleness = Gauge(
            f"{PREFIX}_replica_staleness_seconds",
            "How old the replica's data is at most, as measured, in seconds; 0 where there is no replica.",
            registry=registry,
        )
        self.store_errors = Counter(
            f"{PREFIX}_store_errors",
            "Database calls that failed for want of it, by fault.",
            ["fault"],
            registry=registry,
        )

    def _feeds(self, registry: CollectorRegistry) -> None:
        self.feed_seconds = Histogram(
            f"{PREFIX}_feed_seconds",
            "Time to make a file of the public feed, in seconds.",
            ["kind"],
            registry=registry,
            buckets=_SECONDS,
        )
        self.feed_left_out = Gauge(
            f"{PREFIX}_feed_left_out",
            "Sites that the public feed must leave out, for want of a postal code or another part of the address.",
            ["programme", "region"],
            registry=registry,
        )


class WorkerMetrics:
    """What a worker shows, beside its database's moods."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.outbox_rows = Gauge(f"{PREFIX}_outbox_rows", "Outbox rows that wait.", registry=registry)
        self.outbox_oldest_seconds = Gauge(
            f"{PREFIX}_outbox_oldest_seconds", "Age of the oldest outbox row that waits.", registry=registry
        )
        self.slots_faulty = Gauge(
            f"{PREFIX}_slots_faulty", "Slots that did not add up when they were last looked at.", registry=registry
        )
        self.reconciled = Counter(f"{PREFIX}_reconciled", "Times that every slot was looked at.", registry=registry)
        self.slots_archived = Counter(
            f"{PREFIX}_slots_archived", "Slots that were moved into the archive.", registry=registry
        )
