"""Both doses of a course: a time for the next one inside the interval, both confirmed with one press."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.group import Booking, BookingForm, PartForm, book_together
from origin.gate import Admission
from origin.inventory.api import one_slot
from origin.inventory.courses import following
from origin.inventory.courses_api import next_dose
from origin.inventory.slots import Site as Place
from origin.inventory.slots import Slot
from origin.web.answers import explained, offered, part_of, settled
from origin.web.decided import may_book, why_not
from origin.web.opened import key_of, slot_in
from origin.web.site import Site, see
from origin.web.visit import Outcome, Visit
from origin.words import clock_time, day, distance, of_slot
from shared.ids import Ids
from shared.problem import Problem

_AT_MOST = 96
_SITES = 6


@dataclass(frozen=True)
class DayTimes:
    """The times of one day, with what they are called."""

    name: str
    times: list[tuple[int, str]]


@dataclass(frozen=True)
class SiteTimes:
    """Where the next dose can be had, and when."""

    place: Place
    distance: str
    is_same: bool
    days: list[DayTimes]


async def has_next(visit: Visit, admission: Admission, slot: int, outcome: Outcome) -> bool:
    """Return whether a dose follows the one that somebody may book at a slot."""
    async with visit.state.database.connection() as connection:
        found = await following(connection, slot, programme=admission.programme.id, dose=outcome.dose)
    return found is not None


class NextDosePages:
    """``/slots/{slot}/next`` and ``/slots/{slot}/next/{next}/confirm``."""

    def __init__(self, site: Site, ids: Ids) -> None:
        self._site = site
        self._ids = ids

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/slots/{slot:int}/next", serve(self._choose), methods=["GET"]),
            Route("/slots/{slot:int}/next/{next:int}/confirm", serve(self._ask), methods=["GET"]),
            Route("/slots/{slot:int}/next/{next:int}/confirm", serve(self._confirm), methods=["POST"]),
        ]

    async def _choose(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        outcome = await may_book(visit, admission)
        if outcome is None:
            visit.kept.then = visit.request.url.path
            return see(why_not(visit))
        visit.kept.then = ""
        first = await one_slot(visit.state, admission, slot_in(visit, "slot"))
        try:
            found, slots = await next_dose(visit.state, admission, first.id, dose=outcome.dose, at_most=_AT_MOST)
        except Problem as refused:
            if refused.kind is not errors.COURSE_UNKNOWN:
                raise
            return see(f"/slots/{first.id}/confirm")
        return self._site.page(
            visit,
            "next_dose.html",
            first=of_slot(first, visit.language, dose=outcome.dose),
            following=found,
            first_day=day(found.first_day, visit.language),
            last_day=day(found.last_day, visit.language),
            sites=_sites(slots, visit.language),
        )

    async def _ask(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        outcome = await may_book(visit, admission)
        if outcome is None:
            visit.kept.then = visit.request.url.path
            return see(why_not(visit))
        visit.kept.then = ""
        first, second = [await one_slot(visit.state, admission, slot_in(visit, name)) for name in ("slot", "next")]
        return self._site.page(
            visit,
            "confirm_doses.html",
            first=of_slot(first, visit.language, dose=outcome.dose),
            second=of_slot(second, visit.language, dose=outcome.dose + 1),
            key=str(self._ids.uuid()),
        )

    async def _confirm(self, visit: Visit) -> Response:
        """Book both. The form carries its Idempotency-Key: however often it is sent, it books once."""
        form = await visit.form()
        admission = await visit.require_admission()
        person = visit.require_person()
        visit.check_form(form)
        key, outcome = key_of(form), visit.kept.outcome
        if outcome is None:
            raise Problem(errors.DECISION_UNKNOWN)
        first, second = slot_in(visit, "slot"), slot_in(visit, "next")
        wanted = BookingForm([PartForm(first, outcome.ref), PartForm(second, outcome.ref, follows=1)])
        try:
            booking: Booking = await settled(lambda: book_together(visit.state, admission, person, key, wanted))
        except Problem as refused:
            if refused.kind is errors.SLOT_GONE:
                return await self._gone(visit, admission, refused, first, second, outcome)
            if refused.kind is errors.INTERVAL_NOT_KEPT:
                path = visit.request.url.path
                return self._site.page(visit, "refused.html", 409, said="doses_apart", reasons=[], path=path)
            return await explained(self._site, visit, refused, outcome, admission, key=key)
        visit.kept.typed, outcome.reasons = None, []
        return see(f"/appointments/{booking.appointments[0].id}/together?booked=1")

    async def _gone(
        self, visit: Visit, admission: Admission, refused: Problem, first: int, second: int, outcome: Outcome
    ) -> Response:
        """Offer other times for the dose whose time is gone; the other one stays chosen."""
        is_first = part_of(refused) == 1
        kept = await one_slot(visit.state, admission, second if is_first else first)
        slots = [of_slot(slot, visit.language, key=str(self._ids.uuid())) for slot in offered(refused)]
        return self._site.page(
            visit,
            "taken_dose.html",
            409,
            kept=of_slot(kept, visit.language, dose=outcome.dose + is_first),
            gone=outcome.dose + (not is_first),
            first=None if is_first else first,
            second=second if is_first else None,
            alternatives=slots,
        )


def _sites(slots: Iterable[Slot], language: str) -> list[SiteTimes]:
    """Group slots by site and day; they come sorted so, the same site first."""
    found = []
    for _, group in groupby(slots, key=lambda slot: slot.site.id):
        here = list(group)
        days = [
            DayTimes(day(on, language), [(slot.id, clock_time(slot.starts_at, language)) for slot in times])
            for on, times in groupby(here, key=lambda slot: slot.starts_at.date())
        ]
        km = here[0].distance_km
        found.append(SiteTimes(here[0].site, distance(km, language), km == 0, days))
    return found[:_SITES]
