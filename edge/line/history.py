"""When places were called, as one process has seen it: to compare with the waits that people were told. Pure."""

from bisect import bisect_left
from collections import deque

_MOST = 4_096  # looks; some ten minutes of them


class CallHistory:
    """How far one lane was called, look by look. A place called before this process looked is not known."""

    def __init__(self) -> None:
        self._called: deque[int] = deque(maxlen=_MOST)
        self._at_us: deque[int] = deque(maxlen=_MOST)

    def note(self, called: int, at_us: int) -> None:
        """Note a look: ``called`` places at ``at_us`` (µs since the Unix epoch, the store's clock).

        Fewer than before are those of a new line, of whose calls nothing is known yet.
        """
        if self._called and called < self._called[-1]:
            self._called.clear()
            self._at_us.clear()
        if not self._called or (called > self._called[-1] and at_us >= self._at_us[-1]):
            self._called.append(called)
            self._at_us.append(at_us)

    def called_at_us(self, place: int) -> int | None:
        """Return when a place was seen to be called, late by one look at most; None where that is not known."""
        found = bisect_left(self._called, place)
        return self._at_us[found] if 0 < found < len(self._called) else None
