"""For support staff and the ombudsman: why somebody was decided about so, and exceptions, which take two people."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.admin.answers import Desk
from origin.admin.officials import OMBUDSMAN, OVERRIDER, SUPPORT
from origin.admin.override_models import LONGEST_DAYS, OverrideReason
from origin.admin.overrides import Overriding, grants_of, overrides_in
from origin.identity import Official
from origin.web.site import Site, see
from origin.web.staff.support_words import (
    Wish,
    answer_words,
    complaints,
    decision_words,
    grant_words,
    override_words,
    wish_in,
)
from origin.web.visit import Visit, text_of
from origin.words import texts_in
from shared.problem import INVALID_BODY, Problem

_LOOK = (OVERRIDER, SUPPORT, OMBUDSMAN)
_NOTED = frozenset({"own_override", "already_confirmed", "override_over", "key_reused", "invalid_body"})
"""What may go wrong with a button that was on the page; said at the top of the page it was on."""


class SupportPages:
    """``/support…``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/support", serve(self._start), methods=["GET"]),
            Route("/support/find", serve(self._find), methods=["POST"]),
            Route("/support/decisions/{ref}", serve(self._show), methods=["GET"]),
            Route("/support/decisions/{ref}/rules", serve(self._rules), methods=["GET"]),
            Route("/support/decisions/{ref}/exception", serve(self._make), methods=["POST"]),
            Route("/support/exceptions/{id}/confirm", serve(self._confirm), methods=["POST"]),
            Route("/support/exceptions/{id}/revoke", serve(self._revoke), methods=["POST"]),
        ]

    async def _start(self, visit: Visit) -> Response:
        _official(visit, *_LOOK)
        return await self._welcome(visit)

    async def _find(self, visit: Visit) -> Response:
        official = _official(visit, *_LOOK)
        form = await visit.form()
        visit.check_form(form)
        asked = text_of(form, "asked").lower()
        try:
            return see(f"/support/decisions/{UUID(asked)}")
        except ValueError:
            pass
        if len(asked) != 64 or not set(asked) <= set("0123456789abcdef"):
            return await self._welcome(visit, asked, 422)
        async with self._desk(visit, official) as desk:
            found = await desk.find(asked)
        said = [decision_words(each, visit.language) for each in found.decisions]
        return self._site.page(visit, "support_found.html", person=asked, decisions=said)

    async def _welcome(self, visit: Visit, asked: str = "", status: int = 200) -> Response:
        state, told = visit.state, []
        await state.programmes.refresh()
        async with state.database.connection() as connection:
            for programme in state.programmes.by_room.values():
                listed = await overrides_in(connection, programme.id, state.clock.now())
                standing = [each for each in listed.overrides if each.state in {"pending", "live"}]
                said = [override_words(each, visit.language) for each in standing]
                told.append({"name": programme.name, "overrides": said})
        return self._site.page(
            visit, "support.html", status, asked=asked, is_wrong=status != 200, programmes=told, back="/support"
        )

    async def _show(self, visit: Visit) -> Response:
        official = _official(visit, *_LOOK)
        note = visit.request.query_params.get("note", "")
        return await self._page(visit, official, _ref(visit), note=note if note in _NOTED else "")

    async def _rules(self, visit: Visit) -> Response:
        official = _official(visit, *_LOOK)
        async with self._desk(visit, official) as desk:
            document = await desk.rule_text(_ref(visit))
        return Response(document, headers={"Cache-Control": "no-store"}, media_type="application/json")

    async def _make(self, visit: Visit) -> Response:
        """Ask for an exception. What was typed stays where it was wrong; sent twice, it is one."""
        official = _official(visit, OVERRIDER)
        form = await visit.form()
        visit.check_form(form)
        ref, wish = _ref(visit), wish_in(form)
        asked = wish.form()
        if asked is None or asked.id is None:
            return await self._page(visit, official, ref, wish=wish, status=422)
        try:
            async with self._overriding(visit, official) as overriding:
                await overriding.make(ref, asked, asked.id)
        except Problem as refused:
            if refused.kind in {errors.OVERRIDE_LENGTH, errors.GRANT_UNKNOWN}:
                return await self._page(visit, official, ref, wish=wish, code=refused.kind.code, status=422)
            if refused.kind.code not in _NOTED:
                raise
            return see(f"/support/decisions/{ref}?note={refused.kind.code}")
        return see(f"/support/decisions/{ref}#exceptions")

    async def _confirm(self, visit: Visit) -> Response:
        official = _official(visit, OVERRIDER)

        async def confirm(overriding: Overriding, reason: str) -> None:
            await overriding.confirm(_as_uuid(visit.request.path_params["id"]), reason, visit.state.ids.uuid())

        return await self._step(visit, official, confirm)

    async def _revoke(self, visit: Visit) -> Response:
        official = _official(visit, OVERRIDER)

        async def revoke(overriding: Overriding, reason: str) -> None:
            await overriding.revoke(_as_uuid(visit.request.path_params["id"]), reason)

        return await self._step(visit, official, revoke)

    async def _step(
        self, visit: Visit, official: Official, act: Callable[[Overriding, str], Awaitable[None]]
    ) -> Response:
        """Do it; where it is refused, the page it came from says why."""
        form = await visit.form()
        visit.check_form(form)
        page = f"/support/decisions/{_as_uuid(text_of(form, 'ref'))}"
        try:
            reason = _reason(text_of(form, "reason", at_most=1000))
            async with self._overriding(visit, official) as overriding:
                await act(overriding, reason)
        except Problem as refused:
            if refused.kind.code not in _NOTED:
                raise
            return see(f"{page}?note={refused.kind.code}")
        return see(f"{page}#exceptions")

    async def _page(
        self,
        visit: Visit,
        official: Official,
        ref: UUID,
        *,
        wish: Wish | None = None,
        code: str = "",
        note: str = "",
        status: int = 200,
    ) -> Response:
        state = visit.state
        async with self._desk(visit, official) as desk:
            told = await desk.answer(ref, state.decisions.sealer)
            document = await desk.rule_text(ref)
        may_make = official.role == OVERRIDER and told.override is None
        today = state.clock.now().date()
        return self._site.page(
            visit,
            "support_decision.html",
            status,
            back=f"/support/decisions/{ref}",
            told=answer_words(told, visit.language),
            official=official,
            may_make=may_make,
            grants=[grant_words(*each, visit.language) for each in grants_of(document)] if may_make else [],
            wish=wish or Wish(str(state.ids.uuid()), day=(today + timedelta(days=7)).isoformat()),
            first_day=today,
            last_day=today + timedelta(days=LONGEST_DAYS - 1),
            errors=complaints(wish, code, texts_in(visit.language).gettext) if wish else [],
            note=note,
        )

    @asynccontextmanager
    async def _desk(self, visit: Visit, official: Official) -> AsyncIterator[Desk]:
        state, language = visit.state, visit.language
        async with state.database.connection() as connection:
            yield Desk(connection, official, state.clock.now(), language, texts_in(language).gettext)

    @asynccontextmanager
    async def _overriding(self, visit: Visit, official: Official) -> AsyncIterator[Overriding]:
        async with visit.state.database.connection() as connection:
            yield Overriding(connection, official, visit.state.clock.now())


def _official(visit: Visit, *roles: str) -> Official:
    return visit.state.people.official_signed_in(visit.request, *roles)


def _ref(visit: Visit) -> UUID:
    return _as_uuid(visit.request.path_params["ref"])


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(errors.REFERENCE_UNKNOWN) from None


def _reason(text: str) -> str:
    try:
        return msgspec.convert({"reason": text}, OverrideReason).reason
    except msgspec.ValidationError:
        raise Problem(INVALID_BODY) from None
