"""Confirm a time, and what happens when somebody was faster."""

import re

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.book import BookForm, book
from origin.gate import Admission
from origin.inventory.api import one_slot
from origin.web.answers import explained, offered, settled
from origin.web.decided import may_book, why_not
from origin.web.next_dose import has_next
from origin.web.site import Site, see
from origin.web.visit import FORM_STALE, Outcome, Visit, text_of
from origin.words import of_slot
from shared.ids import Ids
from shared.problem import Problem

_KEY = re.compile("[0-9a-f-]{36}")
_LARGEST_SLOT = 2**63 - 1


class BookingPages:
    """``/slots/{slot}/confirm``."""

    def __init__(self, site: Site, ids: Ids) -> None:
        self._site = site
        self._ids = ids

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/slots/{slot:int}/confirm", serve(self._ask), methods=["GET"]),
            Route("/slots/{slot:int}/confirm", serve(self._confirm), methods=["POST"]),
        ]

    async def _ask(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        outcome = await may_book(visit, admission)
        if outcome is None:
            visit.kept.then = visit.request.url.path
            return see(why_not(visit))
        visit.kept.then = ""
        slot = await one_slot(visit.state, admission, _slot_id(visit))
        if visit.request.query_params.get("alone") != "1" and await has_next(visit, admission, slot.id, outcome):
            return see(f"/slots/{slot.id}/next")
        said = of_slot(slot, visit.language, dose=outcome.dose)
        return self._site.page(visit, "confirm.html", slot=said, key=str(self._ids.uuid()))

    async def _confirm(self, visit: Visit) -> Response:
        """Book. The form carries its Idempotency-Key: however often it is sent, it books once."""
        form = await visit.form()
        admission = await visit.require_admission()
        person = visit.require_person()
        visit.check_form(form)
        key = text_of(form, "key")
        if not _KEY.fullmatch(key):
            raise Problem(FORM_STALE)
        outcome = visit.kept.outcome
        if outcome is None:
            raise Problem(errors.DECISION_UNKNOWN)
        wanted = BookForm(_slot_id(visit), outcome.ref)
        try:
            appointment = await settled(lambda: book(visit.state, admission, person, key, wanted))
        except Problem as refused:
            return await self._refused(visit, refused, outcome, key, admission)
        visit.kept.typed, outcome.reasons = None, []
        return see(f"/appointments/{appointment.id}?booked=1")

    async def _refused(
        self, visit: Visit, refused: Problem, outcome: Outcome, key: str, admission: Admission
    ) -> Response:
        if refused.kind is errors.SLOT_GONE:
            slots = [of_slot(slot, visit.language, key=str(self._ids.uuid())) for slot in offered(refused)]
            return self._site.page(visit, "taken.html", 409, alternatives=slots)
        return await explained(self._site, visit, refused, outcome, key, admission)


def _slot_id(visit: Visit) -> int:
    slot: int = visit.request.path_params["slot"]
    if slot > _LARGEST_SLOT:
        raise Problem(errors.SLOT_UNKNOWN)
    return slot
