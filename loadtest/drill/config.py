"""What a drill is told: plain values, so that it can be pointed at any stack."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.drill.plan import Step

Mint = Callable[[str], str]
"""Makes the bearer token of the person called so; each name is another person to the booking system."""


@dataclass(frozen=True)
class DrillConfig:
    """An opening day.

    Args:
        edge_url, origin_url: addresses of the two services, without a trailing slash.
        room: the waiting room everybody joins. Its rate and burst are set for the drill and restored afterwards.
        programme: the programme that room admits to.
        psql: the ``psql`` program that the books are checked with; ``database_url`` is given to it.
        mint: makes a visitor's bearer token; called ``visitors`` times before the doors open.
        operator_token: a bearer token with the role ``operator``.
        out_dir: where ``report.json``, ``report.html`` and the visitors' trails are written.
        visitors: how many arrive. ``spike_s``: within how many seconds.
        rate_per_s: the room's rate during the drill, in tokens per second; its burst is half a second's worth.
        no_show: share of visitors who leave while they wait: half in silence, half saying so.
        no_show_step: another share for a while, to see how the room's meter follows.
        seed: makes the visitors' choices repeatable.
        fault: breaks something in the middle of the arrivals (after 0.6 · ``spike_s``), in the main thread;
            returns what was broken. The invariants hold all the same.
        patience_s: how long the whole drill may take at most; 0 means three times what the rate needs, plus 90 s.
    """

    edge_url: str
    origin_url: str
    database_url: str = field(repr=False)
    mint: Mint = field(repr=False)
    operator_token: str = field(repr=False)
    psql: Path = Path("psql")
    room: str = "demo"
    programme: str = "demo"
    out_dir: Path = Path("build/drill")
    visitors: int = 2000
    spike_s: float = 10
    rate_per_s: float = 50
    no_show: float = 0.2
    no_show_step: Step | None = None
    seed: int = 1
    patience_s: float = 0
    fault: Callable[[], str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        faults = [
            text
            for wrong, text in (
                (self.visitors < 1, "visitors must be at least 1"),
                (self.spike_s <= 0, "spike must be longer than 0 s"),
                (self.rate_per_s <= 0, "rate must be above 0"),
                (not 0 <= self.no_show < 1, "no-show must be from 0 to below 1"),
                (self.no_show_step and not 0 <= self.no_show_step.no_show < 1, "so must the no-show of a step"),
            )
            if wrong
        ]
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def burst(self) -> int:
        """Tokens at once: what a busy edge may be late by without wasting capacity."""
        return max(1, round(self.rate_per_s / 2))

    @property
    def fault_after_s(self) -> float:
        """Seconds from the opening to the fault: when many have joined, many are called, and many are still to come."""
        return 0.6 * self.spike_s

    @property
    def deadline_s(self) -> float:
        """Seconds after which the drill gives up on whoever is still on the way."""
        return self.patience_s or 3 * self.visitors / self.rate_per_s + self.spike_s + 90
