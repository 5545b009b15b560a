"""What the edge counts: the funnel from joining to being let through, refusals by reason, and the store's moods.

Labels are bounded: rooms come from the rooms file and from operators (1,000 at most), outcomes and reasons from this
code.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.events.metrics import HeraldMetrics
from edge.governor.metrics import GovernorMetrics
from edge.guard.metrics import GuardMetrics
from edge.line.line import CLAIM_OUTCOMES, ClaimOutcome
from edge.line.room import Picture
from edge.line.ticket import TICKET_REASONS, TicketReason
from shared.metrics import Counter, Histogram
from shared.middleware import HttpMetrics

PREFIX = "vestibule_edge"
_ACTS = (
    "install",
    "join",
    "look",
    "claim",
    "leave",
    "carry",
    "resume",
    "change",
    "lease",
    "govern",
    "spend",
    "unspend",
    "outbox",
    "tell",
    "settle",
    "register",
    "log",
)


class EdgeMetrics:
    """The instruments of one process; hot ones are bound to their labels beforehand."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.http = HttpMetrics(registry, PREFIX)
        self.governor = GovernorMetrics(registry, PREFIX)
        self.guard = GuardMetrics(registry, PREFIX)
        self.herald = HeraldMetrics(registry, PREFIX)
        refused = Counter(
            f"{PREFIX}_tickets_refused", "Tickets that were not accepted, by reason.", ["reason"], registry=registry
        )
        claims = Counter(
            f"{PREFIX}_claims", "Claims of an admission token, by outcome.", ["outcome"], registry=registry
        )
        failures = Counter(
            f"{PREFIX}_store_errors", "Calls that the store did not answer, by act.", ["act"], registry=registry
        )
        self.trip_size = Histogram(
            f"{PREFIX}_trip_size",
            "Visitors who shared one round trip to the store, by act.",
            ["act"],
            registry=registry,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
        )
        waits = Counter(
            f"{PREFIX}_waits_told",
            "People let through, by whether the wait that was told them on joining held.",
            ["within"],
            registry=registry,
        )
        self._wait_ratio = Histogram(
            f"{PREFIX}_wait_ratio",
            "How long people really waited for their call, against the likely wait that was told them.",
            registry=registry,
            buckets=(0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 4),
        )
        self._refused: dict[TicketReason, Callable[[], None]] = {r: refused.labels(r).inc for r in TICKET_REASONS}
        self._claims: dict[ClaimOutcome, Callable[[], None]] = {o: claims.labels(o).inc for o in CLAIM_OUTCOMES}
        self._waits = {within: waits.labels(within).inc for within in ("p50", "p90", "neither")}
        self._failures = {act: failures.labels(act).inc for act in _ACTS}
        self._trips = {act: self.trip_size.labels(act).observe for act in _ACTS}

    def ticket_refused(self, reason: TicketReason) -> None:
        """Count a ticket that was not accepted."""
        self._refused[reason]()

    def claimed(self, outcome: ClaimOutcome) -> None:
        """Count a claim."""
        self._claims[outcome]()

    def waited(self, seconds: float, p50_s: int, p90_s: int) -> None:
        """Compare how long somebody waited for the call with what was told on joining."""
        within = "p50" if seconds <= p50_s else "p90" if seconds <= p90_s else "neither"
        self._waits[within]()
        self._wait_ratio.observe(seconds / max(1, p50_s))

    def store_failed(self, act: str) -> None:
        """Count a call that the store did not answer."""
        self._failures[act]()

    def travelled(self, act: str, visitors: int) -> None:
        """Note how many shared a round trip."""
        self._trips[act](visitors)


_COUNTERS = {
    "joined": "Places given out.",
    "called": "Places whose turn has come.",
    "answered": "Called places that have been heard from.",
    "admitted": "Places that were let through.",
    "left": "Places that were given back.",
}
_GAUGES = {
    "waiting": "People who have not been called.",
    "backlog": "People called lately who wait for a token.",
    "rate": "Tokens per second, as set.",
    "burst": "Tokens that may be issued at once, as set.",
    "tokens": "Level of the token bucket.",
    "show": "Share of called people who turn up, as the call meter sees it.",
    "calls_per_s": "Calls per second, as the call meter goes.",
}


class RoomCollector(Collector):
    """The rooms as the store counts them, over all edges, read from this process' last picture of each."""

    def __init__(self, pictures: Callable[[], Mapping[str, Picture | None]]) -> None:
        self._pictures = pictures

    def describe(self) -> Iterable[Metric]:
        return _families()

    def collect(self) -> Iterator[Metric]:
        pictures = {room: picture for room, picture in self._pictures().items() if picture is not None}
        for family in _families():
            name = family.name.removeprefix(f"{PREFIX}_")
            for room, picture in pictures.items():
                family.add_metric([room], _value(picture, name))
            yield family


def _value(picture: Picture, name: str) -> float:
    return float(picture.shown == "open") if name == "open" else float(getattr(picture, name))


def _families() -> list[CounterMetricFamily | GaugeMetricFamily]:
    counters = [CounterMetricFamily(f"{PREFIX}_{name}", text, labels=["room"]) for name, text in _COUNTERS.items()]
    gauges = [GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=["room"]) for name, text in _GAUGES.items()]
    return [*counters, *gauges, GaugeMetricFamily(f"{PREFIX}_open", "Whether people are called.", labels=["room"])]
