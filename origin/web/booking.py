"""Confirm a time, and what happens when somebody was faster."""

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.book import BookForm, book
from origin.booking.hold import HoldForm
from origin.gate import Admission
from origin.inventory.api import one_slot
from origin.web.answers import explained, offered, settled
from origin.web.decided import may_book, why_not
from origin.web.next_dose import has_next
from origin.web.opened import give_back, keep, kept_until, key_of, slot_in
from origin.web.site import Site, see
from origin.web.visit import Outcome, Visit
from origin.words import of_slot
from shared.ids import Ids
from shared.problem import Problem

WAY = "/slots"


class BookingPages:
    """``/slots/{slot}/confirm``, and ``/hold`` and ``/release`` of it."""

    def __init__(self, site: Site, ids: Ids) -> None:
        self._site = site
        self._ids = ids

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/slots/{slot:int}/confirm", serve(self._ask), methods=["GET"]),
            Route("/slots/{slot:int}/confirm", serve(self._confirm), methods=["POST"]),
            Route("/slots/{slot:int}/hold", serve(self._keep), methods=["POST"]),
            Route("/slots/{slot:int}/release", serve(self._leave), methods=["POST"]),
        ]

    async def _ask(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        person = visit.require_person()
        outcome = await may_book(visit, admission)
        if outcome is None:
            visit.kept.then = visit.request.url.path
            return see(why_not(visit))
        visit.kept.then = ""
        slot = await one_slot(visit.state, admission, slot_in(visit))
        if visit.request.query_params.get("alone") != "1" and await has_next(visit, admission, slot.id, outcome):
            return see(f"/slots/{slot.id}/next")
        said = of_slot(slot, visit.language, dose=outcome.dose)
        until = await kept_until(visit, person, slot.id)
        return self._site.page(visit, "confirm.html", slot=said, key=str(self._ids.uuid()), held=until, way=WAY)

    async def _keep(self, visit: Visit) -> Response:
        page = f"{WAY}/{slot_in(visit)}/confirm"
        try:
            form = await visit.form()
            admission = await visit.require_admission()
            person = visit.require_person()
            visit.check_form(form)
        except Problem as refused:
            return self._site.refuse(visit, refused, path=page)
        outcome = await may_book(visit, admission)
        if outcome is None:
            visit.kept.then = page
            return see(why_not(visit))
        wanted = HoldForm(slot_in(visit), decision_ref=outcome.ref)
        try:
            return await keep(visit, person, wanted, programme=admission.programme.id, page=page)
        except Problem as refused:
            return await self._refused(visit, refused, outcome, admission, path=page)

    async def _leave(self, visit: Visit) -> Response:
        person = visit.require_person()
        visit.check_form(await visit.form())
        return await give_back(visit, person, slot_in(visit), page=WAY)

    async def _confirm(self, visit: Visit) -> Response:
        """Book. The form carries its Idempotency-Key: however often it is sent, it books once."""
        form = await visit.form()
        admission = await visit.require_admission()
        person = visit.require_person()
        visit.check_form(form)
        key = key_of(form)
        outcome = visit.kept.outcome
        if outcome is None:
            raise Problem(errors.DECISION_UNKNOWN)
        wanted = BookForm(slot_in(visit), outcome.ref)
        try:
            appointment = await settled(lambda: book(visit.state, admission, person, key, wanted))
        except Problem as refused:
            return await self._refused(visit, refused, outcome, admission, key=key)
        visit.kept.typed, outcome.reasons = None, []
        return see(f"/appointments/{appointment.id}?booked=1")

    async def _refused(
        self,
        visit: Visit,
        refused: Problem,
        outcome: Outcome,
        admission: Admission,
        *,
        key: str | None = None,
        path: str | None = None,
    ) -> Response:
        if refused.kind is errors.SLOT_GONE:
            slots = [of_slot(slot, visit.language, key=str(self._ids.uuid())) for slot in offered(refused)]
            return self._site.page(
                visit, "taken.html", 409, alternatives=slots, way=WAY, moving=None, wanted=slot_in(visit)
            )
        return await explained(self._site, visit, refused, outcome, admission, key=key, path=path)
