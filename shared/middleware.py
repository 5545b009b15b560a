"""Pure ASGI middleware for both services."""

import re
from collections.abc import Callable, Mapping
from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import problem
from shared.metrics import Count, Counter, Histogram, Spread
from shared.problem import Problem

log = structlog.get_logger(__name__)


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """Requests by method, status and duration; labels are bounded."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        self._requests = Counter(
            f"{prefix}_http_requests", "HTTP requests answered.", ["method", "status"], registry=registry
        )
        self._seconds = Histogram(
            f"{prefix}_http_seconds",
            "Time to answer a request, in seconds.",
            ["method"],
            buckets=_SECONDS,
            registry=registry,
        )
        for method in (*_METHODS, "OTHER"):
            self._seconds.labels(method)
        self._answered: dict[tuple[str, int], tuple[Count, Spread]] = {}

    def observe(self, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        count, spread = self._answered.get((method, status)) or self._answers(method, status)
        count.value += 1
        spread.observe(seconds)

    def _answers(self, method: str, status: int) -> tuple[Count, Spread]:
        known = method if method in _METHODS else "OTHER"
        answers = self._requests.labels(known, str(status)), self._seconds.labels(known)
        if known == method:  # others are as many as anybody invents
            self._answered[method, status] = answers
        return answers


def log_fault(error: Exception) -> None:
    """Log a fault of our own with its type and place, never with the request: requests hold personal data."""
    where = error.__traceback__
    while where and where.tb_next:
        where = where.tb_next
    log.error(
        "unexpected_fault",
        fault=type(error).__name__,
        at=f"{where.tb_frame.f_code.co_qualname}:{where.tb_lineno}" if where else "",
    )


class Boundary:
    """The outermost layer: times and counts every answer, and turns what nobody caught, logged, into a plain 500.

    ``fault_page`` may answer in another form, for those who came with a browser.
    """

    def __init__(
        self, app: ASGIApp, metrics: HttpMetrics, fault_page: Callable[[Scope], Response | None] | None = None
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.fault_page = fault_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except Exception as error:
            log_fault(error)
            if status:
                raise
            status = 500
            page = self.fault_page(scope) if self.fault_page else None
            await (page or Problem(problem.INTERNAL).response())(scope, receive, send)
        finally:
            self.metrics.observe(scope["method"], status, perf_counter() - started)


class BodyLimit:
    """Refuses request bodies over ``limit`` bytes with a 413 problem, by announced length or while they arrive.

    ``larger``: other limits for paths that begin as these patterns say; the first that fits counts.
    """

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.limit = limit
        self.larger = [(re.compile(begins), most) for begins, most in (larger or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        try:
            within = await bounded(scope, receive, self._limit_of(scope["path"]))
        except Problem as refused:
            await refused.response()(scope, receive, send)
            return
        await self.app(scope, within, send)

    def _limit_of(self, path: str) -> int:
        return next((most for begins, most in self.larger if begins.match(path)), self.limit)


async def bounded(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Return what receives the request's body, up to ``limit`` bytes.

    Raises:
        Problem: ``body_too_large``, at once where that was announced, or else while it arrives.
    """
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    announced = headers.get(b"content-length", b"")
    if announced.isdigit():
        if int(announced) > limit:
            await _let_finish(scope, receive, limit)
            raise _too_large(limit)
        if b"transfer-encoding" not in headers:
            return receive  # no more can come than was announced
    taken = 0

    async def receive_within_limit() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            if message.get("more_body", False):
                await _let_finish(scope, receive, limit)
            raise _too_large(limit)
        return message

    return receive_within_limit


async def _let_finish(scope: Scope, receive: Receive, at_most: int) -> None:
    """Drop what still comes, up to ``at_most`` bytes: who is cut off while sending does not read the answer.

    Not of a client that asks first (``Expect``): it has sent nothing yet, and need not.
    """
    if any(name == b"expect" for name, _ in scope["headers"]):
        return
    dropped, more = 0, True
    while more and dropped <= at_most:
        message = await receive()
        dropped += len(message.get("body", b""))
        more = message.get("more_body", False)


def _too_large(limit: int) -> Problem:
    return Problem(problem.BODY_TOO_LARGE, f"at most {limit} bytes", headers={"Connection": "close"})


def page_headers(form_targets: tuple[str, ...] = ()) -> list[tuple[bytes, bytes]]:
    """Return what keeps a page our own: CSP, no sniffing, no framing, no referrer."""
    forms = " ".join(("'self'", *form_targets))
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"font-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {forms}"
    )
    return [
        (b"content-security-policy", policy.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(self)"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]


class SecurityHeaders:
    """Adds to HTML answers what keeps a page our own; see ``page_headers``."""

    def __init__(self, app: ASGIApp, form_targets: tuple[str, ...] = ()) -> None:
        self.app = app
        self._added = page_headers(form_targets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_html(message["headers"]):
                message["headers"] = [*message["headers"], *self._added]
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)


def _is_html(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
