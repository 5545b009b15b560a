"""Who is inside: admissions heard from lately whose booking is not made, and how long people stay."""

from collections import OrderedDict
from collections.abc import Callable
from time import perf_counter

IDLE_S = 120.0
_MOST_KEPT = 100_000
_WEIGHT = 0.05  # of one stay in the mean: it forgets over some twenty


class Crowd:
    """Memory is bounded: beyond 100,000 people the one not heard from longest is taken for gone."""

    def __init__(self, tick: Callable[[], float] = perf_counter) -> None:
        self._tick = tick
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()  # admission: first and last heard from
        self._booked: OrderedDict[str, None] = OrderedDict()
        self.mean_stay_s: float | None = None

    def heard(self, admission: str) -> None:
        """Note somebody who was let in; whoever has booked is no longer inside, whatever they look at."""
        if admission in self._booked:
            return
        now = self._tick()
        first = self._seen.pop(admission, (now, now))[0]
        self._seen[admission] = (first, now)
        if len(self._seen) > _MOST_KEPT:
            self._gone(*self._seen.popitem(last=False)[1])

    def booked(self, admission: str) -> None:
        """Note that somebody has what they came for."""
        stay = self._seen.pop(admission, None)
        if stay is not None:
            self._gone(stay[0], self._tick())
        self._booked[admission] = None
        if len(self._booked) > _MOST_KEPT:
            self._booked.popitem(last=False)

    @property
    def inside(self) -> int:
        """How many are inside now."""
        oldest = self._tick() - IDLE_S
        while self._seen:
            admission, (first, last) = next(iter(self._seen.items()))
            if last >= oldest:
                break
            del self._seen[admission]
            self._gone(first, last)
        return len(self._seen)

    def _gone(self, first: float, last: float) -> None:
        stay = last - first
        mean = self.mean_stay_s
        self.mean_stay_s = stay if mean is None else mean + _WEIGHT * (stay - mean)
