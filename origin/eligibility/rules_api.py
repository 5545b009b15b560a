"""``/v1/admin/programmes/{programme}/rules…``: publish rules, try them in the shadow, go back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.admin.api import PATH, PROGRAMME
from origin.eligibility import reports
from origin.eligibility.may import MAY
from origin.eligibility.publishing import Publisher
from origin.eligibility.version_models import (
    ActivateForm,
    DraftForm,
    History,
    ReasonForm,
    ReviewForm,
    RollbackForm,
    ShadowReport,
    Version,
    Versions,
    VersionWithDocument,
)
from origin.state import state_of
from shared.http import Endpoint, Handler, Json, read_body
from shared.problem import FORBIDDEN, UNAUTHENTICATED, Problem, ProblemType

_MOST_DIGITS = 9


@asynccontextmanager
async def _publisher(request: Request, *roles: str) -> AsyncIterator[Publisher]:
    """Lend a publisher in the name of the caller, who has one of the roles."""
    state = state_of(request)
    official = await state.people.official(request, *roles)
    await request.body()  # before a connection is taken: bodies may come slowly
    async with state.database.connection() as connection:
        yield Publisher(connection, request.path_params["programme"], official, state.clock.now())


def _number(request: Request) -> int:
    text: str = request.path_params["version"]
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Problem(errors.VERSION_UNKNOWN)
    return int(text)


async def _told(publisher: Publisher, number: int, status: int = 200) -> Response:
    told = await reports.versions(publisher.connection, publisher.programme)
    return Json(next(each for each in told.versions if each.version == number), status)


async def list_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["read"]) as publisher:
        return Json(await reports.versions(publisher.connection, publisher.programme))


async def read_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["read"]) as publisher:
        return Json(await reports.version(publisher.connection, publisher.programme, _number(request)))


async def read_rules_history(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["read"]) as publisher:
        return Json(await reports.history(publisher.connection, publisher.programme))


async def read_shadow_report(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["read"]) as publisher:
        return Json(await reports.shadow_report(publisher.connection, publisher.programme, _number(request)))


async def draft_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["draft"]) as publisher:
        form = await read_body(request, DraftForm)
        number = await publisher.draft(bytes(form.document), bytes(form.cases), form.region, form.reason)
        return await _told(publisher, number, 201)


async def review_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["review"]) as publisher:
        form = await read_body(request, ReviewForm)
        await publisher.review(_number(request), form.verdict, form.reason)
        return await _told(publisher, _number(request))


async def shadow_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["shadow"]) as publisher:
        form = await read_body(request, ReasonForm)
        await publisher.shadow(_number(request), form.reason)
        return await _told(publisher, _number(request))


async def unshadow_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["unshadow"]) as publisher:
        form = await read_body(request, ReasonForm)
        await publisher.unshadow(_number(request), form.reason)
        return await _told(publisher, _number(request))


async def activate_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["activate"]) as publisher:
        form = await read_body(request, ActivateForm)
        await publisher.activate(_number(request), form.at, form.reason)
        return await _told(publisher, _number(request))


async def retire_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["retire"]) as publisher:
        form = await read_body(request, ReasonForm)
        await publisher.retire(_number(request), form.reason)
        return await _told(publisher, _number(request))


async def rollback_rules(request: Request) -> Response:
    """Handle the request."""
    async with _publisher(request, *MAY["rollback"]) as publisher:
        form = await read_body(request, RollbackForm)
        await publisher.rollback(form.version, form.region, form.to, form.reason)
        return Json(await reports.versions(publisher.connection, publisher.programme))


RULES = PATH + "/rules"
_ONE = RULES + "/{version}"
_VERSION = PROGRAMME | {"version": {"type": "integer", "minimum": 1}}


def _endpoint(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    answer: type,
    *problems: ProblemType,
    body: type | None = None,
    status: int = 200,
) -> Endpoint:
    one = "{version}" in path
    unknown = (errors.PROGRAMME_UNKNOWN, *((errors.VERSION_UNKNOWN,) if one else ()))
    return Endpoint(
        method,
        path,
        handler,
        summary,
        answers={status: answer},
        body=body,
        path_params=_VERSION if one else PROGRAMME,
        problems=(UNAUTHENTICATED, FORBIDDEN, *unknown, *problems),
        security=("bearer",),
    )


ENDPOINTS = (
    _endpoint("GET", RULES, list_rules, "All versions of a programme's rules, and those in force", Versions),
    _endpoint(
        "POST",
        RULES,
        draft_rules,
        "Draft rules, with example cases; they wait for somebody else's review",
        Version,
        errors.REGION_UNKNOWN,
        errors.INVALID_RULES,
        errors.CASES_INVALID,
        body=DraftForm,
        status=201,
    ),
    _endpoint(
        "POST",
        RULES + ":rollback",
        rollback_rules,
        "Go back to the rules before; in force everywhere once this has answered",
        Versions,
        errors.REGION_UNKNOWN,
        errors.VERSION_UNKNOWN,
        errors.RULES_MOVED,
        errors.NOTHING_BEFORE,
        body=RollbackForm,
    ),
    _endpoint("GET", PATH + "/rules-history", read_rules_history, "What was in force when, and who did it", History),
    _endpoint(
        "POST",
        _ONE + ":review",
        review_rules,
        "Approve or reject somebody else's rules",
        Version,
        errors.SAME_PERSON,
        errors.ALREADY_REVIEWED,
        errors.CASES_FAILED,
        body=ReviewForm,
    ),
    _endpoint(
        "POST",
        _ONE + ":shadow",
        shadow_rules,
        "Let rules be asked about every decision, beside those in force",
        Version,
        errors.NOT_APPROVED,
        body=ReasonForm,
    ),
    _endpoint("POST", _ONE + ":unshadow", unshadow_rules, "Ask them no more", Version, body=ReasonForm),
    _endpoint(
        "POST",
        _ONE + ":activate",
        activate_rules,
        "Put rules in force, at once or at a moment",
        Version,
        errors.NOT_APPROVED,
        errors.ACTIVATION_PAST,
        body=ActivateForm,
    ),
    _endpoint(
        "POST",
        _ONE + ":retire",
        retire_rules,
        "Take a region's rules out of force; the programme's hold there again",
        Version,
        errors.RULES_MOVED,
        body=ReasonForm,
    ),
    _endpoint("GET", _ONE + "/shadow", read_shadow_report, "What a candidate would have decided", ShadowReport),
    _endpoint("GET", _ONE, read_rules, "One version with its document and its example cases", VersionWithDocument),
)
