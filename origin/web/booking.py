"""Confirm a time, and what happens when somebody was faster."""

import asyncio
import re

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.appointments import Appointment
from origin.booking.book import BookForm, book
from origin.eligibility.decisions import Reason
from origin.gate import Admission
from origin.identity import Person
from origin.inventory.api import one_slot
from origin.inventory.slots import Slot
from origin.web.decided import may_book, why_not
from origin.web.site import Site, see
from origin.web.visit import FORM_STALE, Outcome, Visit, text_of
from origin.words import of_slot
from shared import problem
from shared.ids import Ids
from shared.problem import Problem

_KEY = re.compile("[0-9a-f-]{36}")
_LARGEST_SLOT = 2**63 - 1
_IN_FLIGHT_TRIES = 30
_IN_FLIGHT_PAUSE_S = 0.1


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
            appointment = await self._book(visit, admission, person, key, wanted)
        except Problem as refused:
            return await self._refused(visit, refused, outcome, key, admission)
        visit.kept.typed, outcome.reasons = None, []
        return see(f"/appointments/{appointment.id}?booked=1")

    async def _book(
        self, visit: Visit, admission: Admission, person: Person, key: str, wanted: BookForm
    ) -> Appointment:
        """Book; where the first of two clicks is still on its way, wait for its answer."""
        for _ in range(_IN_FLIGHT_TRIES):
            try:
                return await book(visit.state, admission, person, key, wanted)
            except Problem as refused:
                if refused.kind is not errors.KEY_IN_FLIGHT:
                    raise
            await asyncio.sleep(_IN_FLIGHT_PAUSE_S)
        raise Problem(errors.KEY_IN_FLIGHT)

    async def _refused(
        self, visit: Visit, refused: Problem, outcome: Outcome, key: str, admission: Admission
    ) -> Response:
        if refused.kind is errors.SLOT_GONE:
            slots = [of_slot(slot, visit.language, key=str(self._ids.uuid())) for slot in _alternatives(refused)]
            return self._site.page(visit, "taken.html", 409, alternatives=slots, wanted=_slot_id(visit))
        if refused.kind is problem.STORE_UNAVAILABLE:
            response = self._site.page(visit, "unsure.html", 503, key=key, path=visit.request.url.path)
            response.headers["Retry-After"] = str(refused.retry_after_s or 2)
            return response
        if refused.kind in {errors.INELIGIBLE, errors.DECISION_EXPIRED, errors.DECISION_UNKNOWN, errors.OVERRIDE_ENDED}:
            outcome.expires_at = 0  # the questions must be answered again
        given = _reasons(refused)
        version = _rule_version(refused) or outcome.version
        said = await self._site.reasons(visit, admission.programme, given, version) if given else []
        return self._site.refuse(visit, refused, said)


def _slot_id(visit: Visit) -> int:
    slot: int = visit.request.path_params["slot"]
    if slot > _LARGEST_SLOT:
        raise Problem(errors.SLOT_UNKNOWN)
    return slot


def _reasons(refused: Problem) -> list[Reason]:
    raw = msgspec.json.encode(refused.members.get("reasons", []))
    return msgspec.json.decode(raw, type=list[Reason])


def _rule_version(refused: Problem) -> int | None:
    raw = msgspec.json.encode(refused.members.get("rule_version"))
    return msgspec.json.decode(raw, type=int | None)


def _alternatives(refused: Problem) -> list[Slot]:
    raw = msgspec.json.encode(refused.members.get("alternatives", []))
    return msgspec.json.decode(raw, type=list[Slot])
