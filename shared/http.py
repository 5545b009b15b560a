"""Endpoints declared once: the same table makes the routes and the OpenAPI document.

A handler takes Starlette's ``Request``, reads what it needs with ``read_body`` and ``read_query``, and returns ``Json``
or raises ``Problem``.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared import problem
from shared.problem import Problem, ProblemType

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_NO_STORE = (b"cache-control", b"no-store")


class Json(Response):
    """A JSON answer, encoded by msgspec; not cached unless ``cache_control`` says so."""

    media_type = "application/json"

    def __init__(
        self, content: object, status_code: int = 200, *, cache_control: str | None = None, **headers: str
    ) -> None:
        body = _encode(content)
        self.status_code = status_code
        self.background = None
        self.body = body
        cache = _NO_STORE if cache_control is None else (b"cache-control", cache_control.encode("latin-1"))
        self.raw_headers = [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
            cache,
        ]
        for name, value in headers.items():
            self.raw_headers.append((name.replace("_", "-").encode("latin-1"), value.encode("latin-1")))


# No text that people write has it, and PostgreSQL keeps none that does. In JSON it can only be escaped.
_NUL_ESCAPED = b"\\u0000"
_NUL_FOUND = "a text holds the character NUL"


async def read_body(request: Request, form: type[T]) -> T:
    """Return the JSON body as ``form``.

    Raises:
        Problem: ``unsupported_media_type``, ``malformed_json``, or ``invalid_body`` naming the path of the fault.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(problem.UNSUPPORTED_MEDIA_TYPE)
    body = await request.body()
    try:
        read = msgspec.json.decode(body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _body_fault(body, error) from None
    if _NUL_ESCAPED in body and (path := next(_nul_in(msgspec.json.decode(body), "$"), None)):
        raise Problem(problem.INVALID_BODY, f"{_NUL_FOUND} - at `{path}`")
    return read


def _nul_in(value: object, path: str) -> Iterator[str]:
    """Yield the paths of the texts that hold NUL; a key that does is named by where it is."""
    match value:
        case str() if "\0" in value:
            yield path
        case list():
            for each in value:
                yield from _nul_in(each, f"{path}[...]")
        case dict():
            for key, each in value.items():
                yield from [path] if "\0" in key else _nul_in(each, f"{path}.{key}")


def _body_fault(body: bytes, error: Exception) -> Problem:
    """Tell JSON of the wrong form from what is no JSON at all: decoding to a form stops at the first of either."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Problem(problem.MALFORMED_JSON)
    except RecursionError:
        return Problem(problem.INVALID_BODY, "nested too deeply")
    return Problem(problem.INVALID_BODY, str(error))


def read_query(request: Request, form: type[T]) -> T:
    """Return the query parameters as ``form``, converting text to numbers and times.

    Raises:
        Problem: ``invalid_query``, also for a parameter given twice or not known.
    """
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) != len(pairs):
        raise Problem(problem.INVALID_QUERY, "a parameter is given more than once")
    if any("\0" in value for value in given.values()):
        raise Problem(problem.INVALID_QUERY, _NUL_FOUND)
    try:
        return msgspec.convert(given, form, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(problem.INVALID_QUERY, str(error)) from None


@dataclass(frozen=True)
class Header:
    """A request header in the OpenAPI document."""

    name: str
    description: str
    required: bool = False
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True)
class Endpoint:
    """One operation: its route and its part of the OpenAPI document.

    ``answers`` maps each success status to its body's type (a msgspec Struct), to a media type given as text
    (``"text/plain"``), or to None where there is no body. ``uploads``: media types of files that it takes, not JSON.
    ``problems`` lists the codes that this operation can answer with, besides those every operation has.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Any]
    body: type[Any] | None = None
    body_required: bool = True
    uploads: Sequence[str] = ()
    query: type[Any] | None = None
    path_params: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    headers: Sequence[Header] = ()
    problems: Sequence[ProblemType] = ()
    security: Sequence[str] = ()
    cookies: Sequence[str] = ()

    def route(self) -> Route:
        """Return the Starlette route."""
        return Route(self.path, self.handler, methods=[self.method])


async def answer_problem(_request: Request, error: Exception) -> Response:
    """Exception handler for ``Problem``."""
    if not isinstance(error, Problem):
        raise error
    return error.response()


async def answer_http_exception(_request: Request, error: Exception) -> Response:
    """Exception handler for what Starlette itself refuses: unknown path, wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    match error.status_code:
        case 404:
            kind = problem.NOT_FOUND
        case 405:
            kind = problem.METHOD_NOT_ALLOWED
        case 413:
            kind = problem.BODY_TOO_LARGE
        case status:
            kind = ProblemType(f"http_{status}", status, error.detail)
    return Problem(kind, headers=error.headers).response()


async def answer_unexpected(_request: Request, _error: Exception) -> Response:
    """Exception handler for faults of our own: says so, and nothing about the inside."""
    return Problem(problem.INTERNAL).response()
