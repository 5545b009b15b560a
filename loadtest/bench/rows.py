"""What is measured and what is wanted. A further row is one more function with ``@row``."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from loadtest.bench.measure import Paired
from loadtest.stats import median

S = TypeVar("S")


@dataclass(frozen=True)
class Figure:
    """One figure. ``note`` says what it was made of, for the table; ``probes``: the machine's speed meanwhile."""

    value: float
    note: str = ""
    probes: tuple[float, ...] = ()


def ratio(pair: Paired) -> Figure:
    """Return the figure of a paired measurement."""
    best = max(rate.per_s for rate in pair.ours), max(rate.per_s for rate in pair.base)
    note = (
        f"{min(pair.ratios):.2f} to {max(pair.ratios):.2f}, by CPU time {pair.cpu_ratio:.2f}; "
        f"at best {best[0]:,.0f}/s against {best[1]:,.0f}/s"
    )
    return Figure(pair.ratio, note, pair.probes)


def ratio_to_database(pair: Paired) -> Figure:
    """Return the figure of a paired measurement whose base is pgbench, which has no CPU time to compare with."""
    best = max(rate.per_s for rate in pair.ours), max(rate.per_s for rate in pair.base)
    note = (
        f"{min(pair.ratios):.2f} to {max(pair.ratios):.2f}; at best {best[0]:,.0f}/s against {best[1]:,.0f}/s; "
        f"{1e6 / median([rate.per_cpu_s for rate in pair.ours]):.0f} µs of CPU time each"
    )
    return Figure(pair.ratio, note, pair.probes)


@dataclass(frozen=True)
class Row(Generic[S]):
    """A named figure and its goal: at least, or at most; None where it only helps to read the others."""

    name: str
    goal: float | None
    wanted: Literal[">=", "<="]
    measure: Callable[[S], Figure | None]

    def meets(self, value: float) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return value >= self.goal if self.wanted == ">=" else value <= self.goal


@dataclass
class Table(Generic[S]):
    """The rows of one side, in order; ``S`` is what its measurements need."""

    rows: list[Row[S]] = field(default_factory=list)

    def row(
        self, name: str, wanted: Literal[">=", "<="] = ">=", goal: float | None = None
    ) -> Callable[[Callable[[S], Figure | None]], Callable[[S], Figure | None]]:
        """Add the decorated function as a row; it returns None where there is nothing to measure yet."""

        def add(measure: Callable[[S], Figure | None]) -> Callable[[S], Figure | None]:
            self.rows.append(Row(name, goal, wanted, measure))
            return measure

        return add
