"""``/v1/admin/…overrides``: exceptions from the rules, made by one person and confirmed by another."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.admin.answers_api import DECISIONS, REF, WHO_MAY_LOOK, reference
from origin.admin.api import PATH, PROGRAMME
from origin.admin.officials import OPERATOR, OVERRIDER
from origin.admin.override_models import Override, OverrideForm, OverrideReason, Overrides
from origin.admin.overrides import Overriding, override, overrides_in
from origin.state import state_of
from shared.http import Endpoint, Json, read_body
from shared.problem import FORBIDDEN, UNAUTHENTICATED, Problem

ONE = "/v1/admin/overrides/{id}"
_ID = {"id": {"type": "string", "format": "uuid"}}


@asynccontextmanager
async def _overriding(request: Request, *roles: str) -> AsyncIterator[Overriding]:
    """Lend it in the name of the caller, who has one of the roles."""
    state = state_of(request)
    official = await state.people.official(request, *roles)
    await request.body()  # before a connection is taken: bodies may come slowly
    async with state.database.connection() as connection:
        yield Overriding(connection, official, state.clock.now())


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Problem(errors.OVERRIDE_UNKNOWN) from None


async def make_override(request: Request) -> Response:
    """Handle the request."""
    async with _overriding(request, OVERRIDER) as overriding:
        form = await read_body(request, OverrideForm)
        id_ = form.id or state_of(request).ids.uuid()
        return Json(await overriding.make(reference(request), form, id_), 201)


async def confirm_override(request: Request) -> Response:
    """Handle the request."""
    async with _overriding(request, OVERRIDER) as overriding:
        form = await read_body(request, OverrideReason)
        return Json(await overriding.confirm(_id(request), form.reason, state_of(request).ids.uuid()))


async def revoke_override(request: Request) -> Response:
    """Handle the request."""
    async with _overriding(request, OVERRIDER, OPERATOR) as overriding:
        form = await read_body(request, OverrideReason)
        return Json(await overriding.revoke(_id(request), form.reason))


async def read_override(request: Request) -> Response:
    """Handle the request."""
    async with _overriding(request, *WHO_MAY_LOOK, OPERATOR) as overriding:
        return Json(await override(overriding.connection, _id(request), overriding.now))


async def list_overrides(request: Request) -> Response:
    """Handle the request."""
    async with _overriding(request, *WHO_MAY_LOOK, OPERATOR) as overriding:
        programme: str = request.path_params["programme"]
        return Json(await overrides_in(overriding.connection, programme, overriding.now))


_REFUSED = (UNAUTHENTICATED, FORBIDDEN)

ENDPOINTS = (
    Endpoint(
        "POST",
        DECISIONS + "/{ref}:override",
        make_override,
        "Ask for an exception from a decision; it waits for somebody else",
        answers={201: Override},
        body=OverrideForm,
        path_params=REF,
        problems=(
            *_REFUSED,
            errors.REFERENCE_UNKNOWN,
            errors.OWN_OVERRIDE,
            errors.BY_OVERRIDE,
            errors.GRANT_UNKNOWN,
            errors.OVERRIDE_LENGTH,
            errors.KEY_REUSED,
        ),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/overrides",
        list_overrides,
        "The newest exceptions in a programme, those that wait for confirmation too",
        answers={200: Overrides},
        path_params=PROGRAMME,
        problems=(*_REFUSED, errors.PROGRAMME_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        ONE,
        read_override,
        "An exception, with who made, confirmed and revoked it",
        answers={200: Override},
        path_params=_ID,
        problems=(*_REFUSED, errors.OVERRIDE_UNKNOWN),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        ONE + ":confirm",
        confirm_override,
        "Confirm somebody else's exception: from now on it can be booked with",
        answers={200: Override},
        body=OverrideReason,
        path_params=_ID,
        problems=(
            *_REFUSED,
            errors.OVERRIDE_UNKNOWN,
            errors.OWN_OVERRIDE,
            errors.ALREADY_CONFIRMED,
            errors.OVERRIDE_OVER,
        ),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        ONE + ":revoke",
        revoke_override,
        "End an exception; nothing is booked with it once this has answered",
        answers={200: Override},
        body=OverrideReason,
        path_params=_ID,
        problems=(*_REFUSED, errors.OVERRIDE_UNKNOWN),
        security=("bearer",),
    ),
)
