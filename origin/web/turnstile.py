"""A bound on work that nobody needs for booking: so many at once, so many a second, and whoever is too many is told."""

import math

from shared.clock import Clock

_AT_LEAST_S = 2
_CLOSED_S = 300


class Turnstile:
    """Lets people in: ``per_s`` on the long run, a second's worth at once; 0 lets nobody in. One for each process."""

    def __init__(self, clock: Clock, *, per_s: float, at_once: int) -> None:
        self._clock = clock
        self._per_s = per_s
        self._at_once = at_once
        self._inside = 0
        self._level = max(1.0, per_s)
        self._at = clock.unix()

    def enter(self) -> int:
        """Let somebody in, who must ``leave``, and return 0; or return after how many seconds there may be room."""
        now = self._clock.unix()
        self._level = min(max(1.0, self._per_s), self._level + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if self._per_s == 0:
            return _CLOSED_S
        if self._level < 1:
            return max(_AT_LEAST_S, math.ceil((1 - self._level) / self._per_s))
        if self._inside >= self._at_once:
            return _AT_LEAST_S
        self._level -= 1
        self._inside += 1
        return 0

    def leave(self) -> None:
        """Make room."""
        self._inside -= 1
