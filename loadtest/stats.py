"""The little statistics that drills and benchmarks need; the standard library's are built for other questions."""

from collections.abc import Iterable, Sequence
from math import ceil


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of all are not above (nearest rank); 0 for no values.

    Raises:
        ValueError: ``share`` is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError("share must be in (0, 1]")
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[ceil(share * len(ordered)) - 1]


def median(values: Sequence[float]) -> float:
    """Return the median, the mean of the middle two for an even number.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def spread(values: Sequence[float]) -> float:
    """Return (largest - smallest) / median."""
    return (max(values) - min(values)) / median(values)


def per_second(times: Iterable[float], start: float, seconds: int) -> list[int]:
    """Count times by whole seconds since ``start``; times outside of [start, start + seconds) are not counted."""
    counts = [0] * seconds
    for time in times:
        index = int((time - start) // 1)
        if 0 <= index < seconds:
            counts[index] += 1
    return counts


def level(rises: Iterable[float], falls: Iterable[float], start: float, seconds: int) -> list[int]:
    """Return how many rises minus falls there were by the end of each second since ``start``."""
    up, down = per_second(rises, start, seconds), per_second(falls, start, seconds)
    now, found = 0, []
    for risen, fallen in zip(up, down, strict=True):
        now += risen - fallen
        found.append(now)
    return found
