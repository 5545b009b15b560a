"""Pure ASGI middleware for both services."""

from collections.abc import Callable
from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import problem
from shared.problem import Problem

log = structlog.get_logger(__name__)


class HttpMetrics:
    """Requests by method, status class and duration; labels are bounded."""

    def __init__(self, registry: CollectorRegistry, prefix: str) -> None:
        self.requests = Counter(
            f"{prefix}_http_requests", "HTTP requests answered.", ["method", "status"], registry=registry
        )
        self.seconds = Histogram(
            f"{prefix}_http_seconds",
            "Time to answer a request, in seconds.",
            ["method"],
            registry=registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self._counted: dict[tuple[str, int], Callable[[], None]] = {}
        self._timed = {method: self.seconds.labels(method).observe for method in (*_METHODS, "OTHER")}

    def observe(self, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        if method not in _METHODS:
            method = "OTHER"
        count = self._counted.get((method, status))
        if count is None:
            count = self._counted[method, status] = self.requests.labels(method, str(status)).inc
        count()
        self._timed[method](seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Boundary:
    """The outermost layer: times and counts every answer, and turns what nobody caught into a plain 500.

    Logs a fault with its type and place, never with the request: requests hold personal data. ``fault_page`` may answer
    in another form, for those who came with a browser.
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
            where = error.__traceback__
            while where and where.tb_next:
                where = where.tb_next
            log.error(  # noqa: TRY400 - a traceback may show values of the request
                "unexpected_fault",
                fault=type(error).__name__,
                at=f"{where.tb_frame.f_code.co_qualname}:{where.tb_lineno}" if where else "",
            )
            if status:
                raise
            status = 500
            page = self.fault_page(scope) if self.fault_page else None
            await (page or Problem(problem.INTERNAL).response())(scope, receive, send)
        finally:
            self.metrics.observe(scope["method"], status, perf_counter() - started)


class BodyLimit:
    """Refuses request bodies over ``limit`` bytes with a 413 problem, by announced length or while they arrive."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self.limit:
                await self._refuse().response()(scope, receive, send)
                return
        taken = 0

        async def receive_within_limit() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise self._refuse()
            return message

        await self.app(scope, receive_within_limit, send)

    def _refuse(self) -> Problem:
        return Problem(problem.BODY_TOO_LARGE, f"at most {self.limit} bytes", headers={"Connection": "close"})


class SecurityHeaders:
    """Adds to HTML answers what keeps a page our own: CSP, no sniffing, no framing, no referrer."""

    def __init__(self, app: ASGIApp, form_targets: tuple[str, ...] = ()) -> None:
        self.app = app
        forms = " ".join(("'self'", *form_targets))
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            f"font-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {forms}"
        )
        self._added = [
            (b"content-security-policy", policy.encode("latin-1")),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=(self)"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_html(message["headers"]):
                message["headers"] = [*message["headers"], *self._added]
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)


def _is_html(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
