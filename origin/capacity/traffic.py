"""What this process sees of its own traffic: requests under way, how long they took, how many failed."""

from collections import deque
from collections.abc import Callable
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.capacity import Errors, Latency

WINDOW_S = 10.0
_MOST_KEPT = 4096
_NOT_COUNTED = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/capacity"})
# The crowd at the self-check says nothing of how booking is, nor do files of the public feed, which take long to make.
_ASIDE = ("/static/", "/check/", "/v1/feeds")


class Traffic:
    """The last ten seconds, of the last 4,096 answers at most. ``tick`` returns seconds that never run backwards."""

    def __init__(self, tick: Callable[[], float] = perf_counter) -> None:
        self.tick = tick
        self.in_flight = 0
        self._answers: deque[tuple[float, float, bool]] = deque(maxlen=_MOST_KEPT)

    def answered(self, seconds: float, *, failed: bool) -> None:
        """Note an answer that took ``seconds``."""
        self._answers.append((self.tick(), seconds, failed))

    def latency(self, limit_ms: float) -> Latency | None:
        """Return how long answers took; None while there are none."""
        taken = sorted(seconds for _, seconds, _ in self._recent())
        if not taken:
            return None
        return Latency(_ms(taken, 0.5), _ms(taken, 0.99), limit_ms, len(taken))

    def errors(self, limit: float) -> Errors | None:
        """Return how many answers failed; None while there are none."""
        failed = [fault for _, _, fault in self._recent()]
        if not failed:
            return None
        return Errors(round(sum(failed) / len(failed), 4), limit, len(failed))

    def _recent(self) -> deque[tuple[float, float, bool]]:
        oldest = self.tick() - WINDOW_S
        while self._answers and self._answers[0][0] < oldest:
            self._answers.popleft()
        return self._answers


def _ms(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile, in milliseconds."""
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)


class Measured:
    """Middleware that notes every answer but those that machines ask for."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _NOT_COUNTED or scope["path"].startswith(_ASIDE):
            await self._app(scope, receive, send)
            return
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        traffic = self._traffic
        started = traffic.tick()
        traffic.in_flight += 1
        try:
            await self._app(scope, receive, note)
        finally:
            traffic.in_flight -= 1
            traffic.answered(traffic.tick() - started, failed=status >= 500)
