"""Two things measured in turn, A B A B …, so that a machine that is busy with something else slows both alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loadtest.bench.machine import probe
from loadtest.stats import median


@dataclass(frozen=True)
class Paired:
    """Rates of ``ours`` and of ``base``, pair by pair; ``probes`` are the machine's own speed around each pair."""

    ours: tuple[float, ...]
    base: tuple[float, ...]
    probes: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median([ours / base for ours, base in zip(self.ours, self.base, strict=True)])

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest of the pairs' ratios."""
        ratios = [ours / base for ours, base in zip(self.ours, self.base, strict=True)]
        return min(ratios), max(ratios)


def paired(
    ours: Callable[[], float],
    base: Callable[[], float],
    pairs: int,
    *,
    probe: Callable[[], float] = probe,
) -> Paired:
    """Measure ``pairs`` times in turn, with the machine's speed probed before each pair and after the last.

    Args:
        ours, base: measure once and return a rate.
    """
    rates: list[tuple[float, float]] = []
    probes = [probe()]
    for _ in range(pairs):
        rates.append((ours(), base()))
        probes.append(probe())
    return Paired(_column(rates, 0), _column(rates, 1), tuple(probes))


def _column(rates: Iterable[tuple[float, float]], index: int) -> tuple[float, ...]:
    return tuple(rate[index] for rate in rates)
