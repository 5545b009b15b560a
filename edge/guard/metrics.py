"""What the guard counts; labels are bounded by this code."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

from edge.guard.challenge import REFUSALS
from edge.guard.pass_guard import PASS_OUTCOMES, PassOutcome
from edge.line.room import KINDS, Kind

CHALLENGE_OUTCOMES = ("issued", "wait_issued", "accepted", "missing", *REFUSALS)
VISIT_REASONS = ("missing", "malformed", "unknown_key", "bad_signature", "wrong_room", "expired", "too_early", "spent")


class GuardMetrics:
    """The instruments, bound to their labels beforehand."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        limited = Counter(
            f"{prefix}_limited", "Requests refused for their address' sake, by kind.", ["kind"], registry=registry
        )
        opened = Counter(
            f"{prefix}_limits_open",
            "Times that a limit gave way because the store did not answer, by kind.",
            ["kind"],
            registry=registry,
        )
        challenges = Counter(
            f"{prefix}_challenges", "Challenges and what became of them.", ["outcome"], registry=registry
        )
        cookies = Counter(
            f"{prefix}_cookies_required", "Joins sent back for a cookie, by reason.", ["reason"], registry=registry
        )
        passes = Counter(f"{prefix}_passes", "Passes brought, and what became of them.", ["outcome"], registry=registry)
        self.limited: dict[Kind, Callable[[], None]] = {kind: limited.labels(kind).inc for kind in KINDS}
        self.opened: dict[Kind, Callable[[], None]] = {kind: opened.labels(kind).inc for kind in KINDS}
        self._challenges = {outcome: challenges.labels(outcome).inc for outcome in CHALLENGE_OUTCOMES}
        self._cookies = {reason: cookies.labels(reason).inc for reason in VISIT_REASONS}
        self._passes = {outcome: passes.labels(outcome).inc for outcome in PASS_OUTCOMES}

    def challenged(self, outcome: str) -> None:
        """Count a step of a challenge."""
        self._challenges[outcome]()

    def cookie_required(self, reason: str) -> None:
        """Count a join that was sent back for a cookie."""
        self._cookies[reason]()

    def passed(self, outcome: PassOutcome) -> None:
        """Count what became of a pass."""
        self._passes[outcome]()
