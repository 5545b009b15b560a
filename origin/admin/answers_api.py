"""``/v1/admin/decisions…``: what support and the ombudsman are told about a decision."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.admin.answer_models import Answer, FindForm, Found
from origin.admin.answers import Desk
from origin.admin.officials import OMBUDSMAN, OVERRIDER, SUPPORT
from origin.state import state_of
from origin.words import texts_in
from shared.http import Endpoint, Json, read_body
from shared.problem import FORBIDDEN, UNAUTHENTICATED, Problem
from shared.web.languages import headers, language_of

DECISIONS = "/v1/admin/decisions"
WHO_MAY_LOOK = (SUPPORT, OMBUDSMAN, OVERRIDER)
REF = {"ref": {"type": "string", "format": "uuid"}}


@asynccontextmanager
async def _desk(request: Request) -> AsyncIterator[Desk]:
    state = state_of(request)
    official = await state.people.official(request, *WHO_MAY_LOOK)
    await request.body()  # before a connection is taken: bodies may come slowly
    language = language_of(request.scope)
    async with state.database.connection() as connection:
        yield Desk(connection, official, state.clock.now(), language, texts_in(language).gettext)


def reference(request: Request) -> UUID:
    """Return the reference in the path; raises Problem ``reference_unknown`` where it is none."""
    try:
        return UUID(request.path_params["ref"])
    except ValueError:
        raise Problem(errors.REFERENCE_UNKNOWN) from None


async def read_decision(request: Request) -> Response:
    """Handle the request."""
    async with _desk(request) as desk:
        told = await desk.answer(reference(request), state_of(request).decisions.sealer)
        return Json(told, 200, **headers(desk.language))


async def read_rule_text(request: Request) -> Response:
    """Handle the request."""
    async with _desk(request) as desk:
        document = await desk.rule_text(reference(request))
        return Response(document, headers={"Cache-Control": "no-store"}, media_type="application/json")


async def find_decisions(request: Request) -> Response:
    """Handle the request."""
    async with _desk(request) as desk:
        form = await read_body(request, FindForm)
        return Json(await desk.find(form.person))


_REFUSED = (UNAUTHENTICATED, FORBIDDEN)

ENDPOINTS = (
    Endpoint(
        "POST",
        DECISIONS + ":find",
        find_decisions,
        "The decisions about a person, by pseudonym",
        answers={200: Found},
        body=FindForm,
        problems=_REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        DECISIONS + "/{ref}",
        read_decision,
        "Why somebody was decided about so, in plain words, with the proof",
        answers={200: Answer},
        path_params=REF,
        problems=(*_REFUSED, errors.REFERENCE_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        DECISIONS + "/{ref}/rules",
        read_rule_text,
        "The rules that a decision was made by, byte for byte",
        answers={200: msgspec.Raw},
        path_params=REF,
        problems=(*_REFUSED, errors.REFERENCE_UNKNOWN),
        security=("bearer",),
    ),
)
