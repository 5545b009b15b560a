"""One's household: whom one may book for, and for whom one books now."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.household.members import MOST_MEMBERS, MemberForm
from origin.web.site import Site, see
from origin.web.visit import Guest, Visit, text_of
from shared.problem import INVALID_BODY, Problem

HOUSEHOLD = "/household"
PARTY = "/household/party"
_ME = "me"
_FAULTS = {INVALID_BODY: "input", errors.HOUSEHOLD_FULL: "full", errors.NAMED_ENOUGH: "enough"}


class HouseholdPages:
    """``/household`` and its forms."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route(HOUSEHOLD, serve(self._show), methods=["GET"]),
            Route("/household/members", serve(self._add), methods=["POST"]),
            Route("/household/members/{id}/remove", serve(self._remove), methods=["POST"]),
            Route("/household/choose", serve(self._choose), methods=["POST"]),
        ]

    async def _show(self, visit: Visit) -> Response:
        return await self._page(visit)

    async def _add(self, visit: Visit) -> Response:
        form = await visit.form()
        person = visit.require_person()
        visit.check_form(form)
        typed = {name: text_of(form, name) for name in ("name", "document")}
        try:
            await visit.state.households.add(person, _member(typed))
        except Problem as refused:
            if refused.kind not in _FAULTS:
                raise
            return await self._page(visit, refused.kind.status, fault=_FAULTS[refused.kind], typed=typed)
        return see(HOUSEHOLD)

    async def _remove(self, visit: Visit) -> Response:
        form = await visit.form()
        person = visit.require_person()
        visit.check_form(form)
        try:
            member = UUID(visit.request.path_params["id"])
        except ValueError:
            raise Problem(errors.MEMBER_UNKNOWN) from None
        await visit.state.households.remove(person, member)
        visit.kept.party = []
        return see(HOUSEHOLD)

    async def _choose(self, visit: Visit) -> Response:
        form = await visit.form()
        person = visit.require_person()
        visit.check_form(form)
        chosen = {value for value in form.getlist("who") if isinstance(value, str)}
        members = await visit.state.households.all(person)
        party = [Guest()] if _ME in chosen else []
        party += [Guest(each.id) for each in members if str(each.id) in chosen]
        if not party:
            return await self._page(visit, 422, fault="nobody")
        visit.kept.typed = visit.kept.outcome = None
        visit.kept.asking = 0
        visit.kept.party = party if party != [Guest()] else []
        return see(PARTY if visit.kept.party else "/eligibility")

    async def _page(
        self, visit: Visit, status: int = 200, *, fault: str = "", typed: dict[str, str] | None = None
    ) -> Response:
        members = await visit.state.households.all(visit.require_person())
        visit.turn = await visit.admission()
        return self._site.page(
            visit,
            "household.html",
            status,
            back=HOUSEHOLD,
            members=members,
            room=len(members) < MOST_MEMBERS,
            chosen=_chosen(visit.kept.party),
            fault=fault,
            typed=typed or {"name": "", "document": ""},
        )


def _member(typed: dict[str, str]) -> MemberForm:
    try:
        return msgspec.convert(typed, MemberForm)
    except msgspec.ValidationError:
        raise Problem(INVALID_BODY) from None


def _chosen(party: Sequence[Guest]) -> set[str]:
    return {_ME if each.member is None else str(each.member) for each in party}
