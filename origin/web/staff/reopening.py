"""For the staff of a site: open cancelled times again."""

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.sites.models import MOST_PLACES, ReopenForm
from origin.sites.reopening import reopen_slots, start_of
from origin.sites.staff import StaffedSite, site_by_code
from origin.web.site import Site, see
from origin.web.staff.sites import BASE, LARGEST_SLOT, Wish, moment, official_at, wish_in
from origin.web.visit import Visit, text_of
from shared import problem
from shared.problem import Problem

_NOTED = frozenset({"nothing_to_reopen", "cancellation_runs", "invalid_body"})


class ReopenPages:
    """``/site/{site}/reopen``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route(f"{BASE}/reopen", serve(self._ask), methods=["GET"]),
            Route(f"{BASE}/reopen", serve(self._reopen), methods=["POST"]),
        ]

    async def _ask(self, visit: Visit) -> Response:
        official_at(visit)
        asked = visit.request.query_params
        return await self._show(visit, Wish(slot=asked.get("slot", "")[:19], day=asked.get("day", "")[:10]))

    async def _show(
        self, visit: Visit, wish: Wish, places: str = "", fault: str = "", status: int = 200, people: object = None
    ) -> Response:
        async with visit.state.database.connection() as connection:
            site = await site_by_code(connection, visit.request.path_params["site"])
            starts_at = await start_of(connection, site, _slot(wish.slot)) if wish.slot else None
        return self._site.page(
            visit,
            "site_reopen.html",
            status,
            at=site,
            wish=wish,
            time="" if starts_at is None else moment(starts_at, visit.language),
            places=places,
            most_places=MOST_PLACES,
            fault=fault,
            people=people,
        )

    async def _reopen(self, visit: Visit) -> Response:
        official, form = official_at(visit), await visit.form()
        visit.check_form(form)
        wish, places, state = wish_in(form), text_of(form, "places", at_most=6), visit.state
        try:
            async with state.database.connection() as connection:
                site = await site_by_code(connection, visit.request.path_params["site"])
                asked = _form(wish, places, site)
                done = await reopen_slots(connection, official, site, asked, state.ids.uuid(), state.clock.now())
        except Problem as refused:
            if refused.kind.code not in _NOTED:
                raise
            people = refused.members.get("people")
            return await self._show(visit, wish, places, refused.kind.code, refused.kind.status, people)
        state.metrics.slots_reopened.inc(done.slots)
        return see(f"/site/{site.code}?done=reopened#reopened")


def _form(wish: Wish, places: str, site: StaffedSite) -> ReopenForm:
    """Return what is asked for; raises Problem 422 ``invalid_body``."""
    try:
        said = wish.said(site)
        return msgspec.convert(said | ({"places": int(places)} if places else {}), ReopenForm)
    except (ValueError, msgspec.ValidationError):
        raise Problem(problem.INVALID_BODY) from None


def _slot(text: str) -> int:
    """Return the slot of the address; raises Problem 404 ``slot_unknown`` where that is no number."""
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST_SLOT:
        raise Problem(errors.SLOT_UNKNOWN)
    return int(text)
