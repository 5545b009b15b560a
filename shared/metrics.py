"""Counters and histograms in plain numbers, for what is counted with every request.

The library's take a lock for each number that changes, and look through a histogram's bounds one by one. These are
counted on one thread, the event loop's, and made into metrics when they are read. They have no ``_created`` series.
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Count:
    """One number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1) -> None:
        """Count."""
        self.value += amount


class Spread:
    """How many values fell between which bounds (inclusive above), and their sum."""

    __slots__ = ("_bounds", "slots", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.slots = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.slots[bisect_left(self._bounds, value)] += 1
        self.total += value


C = TypeVar("C")


class _Labelled(Collector, Generic[C]):
    """A metric by labels; without any, ``own`` is its only child."""

    def __init__(self, name: str, text: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        self._name = name
        self._text = text
        self._labels = tuple(labels)
        self._children: dict[tuple[str, ...], C] = {}
        if not labels:
            self.labels()
        registry.register(self)

    def labels(self, *values: str) -> C:
        """Return what counts for these labels, which is read from now on."""
        child = self._children.get(values)
        if child is None:
            if len(values) != len(self._labels):
                raise ValueError(f"{self._name} has the labels {self._labels}")
            child = self._children[values] = self._child()
        return child

    def describe(self) -> Iterable[Metric]:
        """Return the metric without its samples."""
        return [self._family()]

    @abstractmethod
    def _child(self) -> C: ...

    @abstractmethod
    def _family(self) -> Metric: ...


class Counter(_Labelled[Count]):
    """A counter; names and labels as the library has them."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), *, registry: CollectorRegistry) -> None:
        super().__init__(name, text, labels, registry)
        if not labels:
            self.inc = self.labels().inc

    @property
    def total(self) -> float:
        """All that was counted, whatever its labels."""
        return sum(child.value for child in self._children.values())

    def collect(self) -> Iterator[Metric]:
        family = self._family()
        for values, child in self._children.items():
            family.add_metric(values, child.value)
        yield family

    def _child(self) -> Count:
        return Count()

    def _family(self) -> CounterMetricFamily:
        return CounterMetricFamily(self._name, self._text, labels=self._labels)


class Histogram(_Labelled[Spread]):
    """A histogram; ``buckets`` are the upper bounds, ascending, without infinity."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str] = (), *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._bounds = tuple(map(float, buckets))
        super().__init__(name, text, labels, registry)
        if not labels:
            self.observe = self.labels().observe

    def collect(self) -> Iterator[Metric]:
        names = [*map(str, self._bounds), "+Inf"]
        family = self._family()
        for values, child in self._children.items():
            family.add_metric(values, list(zip(names, map(float, accumulate(child.slots)), strict=True)), child.total)
        yield family

    def _child(self) -> Spread:
        return Spread(self._bounds)

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._text, labels=self._labels)
