"""Errors that people and programs can act on (RFC 9457, ``application/problem+json``).

    Exception
    └── Problem                 an answer to a request, with a stable code
        code, status, title     from its ProblemType, declared once per code in an ``errors.py``
        detail                  this occurrence, in a sentence, without personal data
        retry_after_s           seconds; always there for 429 and 503
        members                 further members of the JSON object (alternatives, reasons, …)

The domain raises its own exceptions; each service has one file that turns them into problems.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.responses import Response

TYPE_PREFIX = "urn:vestibule:problem:"
MEDIA_TYPE = "application/problem+json"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class ProblemType:
    """One stable error code. ``code`` never changes once published."""

    code: str
    status: int
    title: str


class Problem(Exception):
    """Raise it anywhere below a route; the app answers with it."""

    def __init__(
        self,
        kind: ProblemType,
        detail: str = "",
        *,
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
        ready: bytes | None = None,
        **members: object,
    ) -> None:
        super().__init__(kind.code)
        if kind.status in {429, 503} and retry_after_s is None:
            retry_after_s = 5
        self.kind = kind
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})
        self.members = members
        self._ready = ready

    def body(self) -> dict[str, object]:
        """Return the JSON object of this problem."""
        base: dict[str, object] = {
            "type": TYPE_PREFIX + self.kind.code,
            "title": self.kind.title,
            "status": self.kind.status,
            "code": self.kind.code,
        }
        if self.detail:
            base["detail"] = self.detail
        if self.retry_after_s is not None:
            base["retry_after_s"] = self.retry_after_s
        return base | self.members

    def encoded(self) -> bytes:
        """Return the JSON object's text: what it was given ``ready``, for many get the same, or else its body's."""
        return self._ready or _encode(self.body())

    def response(self) -> Response:
        """Return the HTTP answer, never cached."""
        return _Answer(self)


class _Answer(Response):
    media_type = MEDIA_TYPE

    def __init__(self, told: Problem) -> None:
        self.status_code = told.kind.status
        self.background = None
        self.body = told.encoded()
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/problem+json"),
            (b"cache-control", b"no-store"),
        ]
        for name, value in told.headers.items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
        if told.retry_after_s is not None:
            self.raw_headers.append((b"retry-after", b"%d" % max(1, told.retry_after_s)))


NOT_FOUND = ProblemType("not_found", 404, "There is nothing at this address")
METHOD_NOT_ALLOWED = ProblemType("method_not_allowed", 405, "This address does not take that method")
MALFORMED_JSON = ProblemType("malformed_json", 400, "The body is not valid JSON")
INVALID_BODY = ProblemType("invalid_body", 422, "The body does not have the expected form")
INVALID_QUERY = ProblemType("invalid_query", 422, "The query does not have the expected form")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported_media_type", 415, "Send the body as application/json")
BODY_TOO_LARGE = ProblemType("body_too_large", 413, "The body is too large")
INTERNAL = ProblemType("internal", 500, "Something went wrong on our side")
UNAUTHENTICATED = ProblemType("unauthenticated", 401, "Sign in first")
FORBIDDEN = ProblemType("forbidden", 403, "Your role does not allow this")
STORE_UNAVAILABLE = ProblemType("store_unavailable", 503, "Our store is away for a moment; nothing is lost")

COMMON: tuple[ProblemType, ...] = (
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    MALFORMED_JSON,
    INVALID_BODY,
    INVALID_QUERY,
    UNSUPPORTED_MEDIA_TYPE,
    BODY_TOO_LARGE,
    INTERNAL,
    UNAUTHENTICATED,
    FORBIDDEN,
    STORE_UNAVAILABLE,
)


class ProblemBody(msgspec.Struct):
    """The members that every problem has; some codes add more."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    retry_after_s: int | None = None
