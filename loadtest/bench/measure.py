"""Two things measured in turn, A B A B …, so that a machine that is busy with something else slows both alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadtest.bench.machine import probe
from loadtest.stats import median


@dataclass(frozen=True)
class Rate:
    """Answers per second, per second of CPU time that the server's process used, and per second in the store's scripts.

    The last is 0 where nobody looked at the store.
    """

    per_s: float
    per_cpu_s: float
    per_store_s: float = 0.0


@dataclass(frozen=True)
class Paired:
    """Rates of ``ours`` and of ``base``, pair by pair; ``probes`` are the machine's own speed around each pair."""

    ours: Sequence[Rate]
    base: Sequence[Rate]
    probes: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """The pairs' ratios of answers per second."""
        return [ours.per_s / base.per_s for ours, base in zip(self.ours, self.base, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(self.ratios)

    @property
    def cpu_ratio(self) -> float:
        """The same by CPU time, which hardly depends on what else the machine does: for judging a noisy run."""
        return median([ours.per_cpu_s / base.per_cpu_s for ours, base in zip(self.ours, self.base, strict=True)])

    @property
    def store_ratio(self) -> float:
        """The same by time in the store's scripts, for rates that were measured with it."""
        return median([ours.per_store_s / base.per_store_s for ours, base in zip(self.ours, self.base, strict=True)])


def paired(
    ours: Callable[[], Rate], base: Callable[[], Rate], pairs: int, *, probe: Callable[[], float] = probe
) -> Paired:
    """Measure ``pairs`` times in turn, with the machine's speed probed before each pair and after the last."""
    measured: list[tuple[Rate, Rate]] = []
    probes = [probe()]
    for _ in range(pairs):
        measured.append((ours(), base()))
        probes.append(probe())
    return Paired([pair[0] for pair in measured], [pair[1] for pair in measured], tuple(probes))
