"""Several people of a household: what was decided about each, times for all of them together, one confirmation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.group import BookingForm, PartForm, book_together
from origin.gate import Admission
from origin.inventory import gazetteer
from origin.inventory.adjacent import Together, adjacent
from origin.inventory.api import one_slot
from origin.web import party
from origin.web.answers import part_of, settled
from origin.web.household import HOUSEHOLD, PARTY
from origin.web.opened import key_of
from origin.web.site import Site, see
from origin.web.towns import Towns
from origin.web.visit import Visit
from origin.words import SlotWords, day, distance, of_slot, times
from shared import problem
from shared.ids import Ids
from shared.problem import Problem

_SLOTS = re.compile("[1-9][0-9]{0,17}(-[1-9][0-9]{0,17}){0,8}")
_RADIUS_M = 50_000.0
_DAYS = 14
_MOST = 24
_NAMED = {
    errors.ALREADY_BOOKED: "already_booked",
    errors.INELIGIBLE: "ineligible",
    errors.DECISION_EXPIRED: "questions",
    errors.DECISION_UNKNOWN: "questions",
    errors.OVERRIDE_ENDED: "questions",
    errors.NEXT_DOSE_MISSING: "next_dose",
}


@dataclass(frozen=True)
class TogetherWords:
    """A time for all, said. ``slots``: one for each of the party, in its order, as the address has them."""

    slots: str
    day: str
    time: str
    place: str
    distance: str


class HouseholdTimesPages:
    """``/household/party``, ``/household/times`` and ``/household/confirm/{slots}``."""

    def __init__(self, site: Site, ids: Ids) -> None:
        self._site = site
        self._ids = ids
        self._towns = Towns()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route(PARTY, serve(self._overview), methods=["GET"]),
            Route(PARTY + "/{number:int}", serve(self._turn_to), methods=["GET"]),
            Route("/household/times", serve(self._times), methods=["GET"]),
            Route("/household/confirm/{slots}", serve(self._ask), methods=["GET"]),
            Route("/household/confirm/{slots}", serve(self._confirm), methods=["POST"]),
        ]

    async def _overview(self, visit: Visit) -> Response:
        await visit.require_admission()
        visit.require_person()
        if not visit.kept.party:
            return see(HOUSEHOLD)
        names, now = await party.names(visit), visit.state.clock.unix()
        people = [
            {
                "name": names.get(each.member, ""),
                "member": each.member,
                "state": each.outcome if now < each.expires_at else "",
            }
            for each in visit.kept.party
        ]
        return self._site.page(visit, "household_party.html", people=people, ready=party.ready(visit))

    async def _turn_to(self, visit: Visit) -> Response:
        number: int = visit.request.path_params["number"]
        if not 0 <= number < len(visit.kept.party):
            return see(HOUSEHOLD)
        party.turn_to(visit, number)
        return see("/eligibility")

    async def _times(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        return await self._list(visit, admission) if party.ready(visit) else see(PARTY)

    async def _list(self, visit: Visit, admission: Admission, *, taken: bool = False) -> Response:
        towns = (await self._towns.all(visit.state)).towns
        town = _town(visit, towns)
        products = party.shared_products(visit.kept.party)
        today = visit.state.clock.now().astimezone(ZoneInfo(town.time_zone)).date() if town else date.min
        first = _day(visit, today)
        found = await self._search(visit, admission, town, products, first) if town and products else []
        return self._site.page(
            visit,
            "household_times.html",
            409 if taken else 200,
            back="/household/times",
            towns=towns,
            town=town,
            first=first,
            today=today,
            same_product=bool(products),
            number=len(visit.kept.party),
            found=[_said(each, visit.language) for each in found],
            taken=taken,
        )

    async def _search(
        self, visit: Visit, admission: Admission, town: gazetteer.Place, products: list[str], first: date
    ) -> list[Together]:
        visit.kept.town = town.place
        begins = datetime.combine(first, time(), ZoneInfo(town.time_zone))
        visit.state.metrics.searched.inc()
        async with visit.state.database.connection() as connection:
            return await adjacent(
                connection,
                programme=admission.programme.id,
                party=len(visit.kept.party),
                products=products,
                lat=town.lat,
                lng=town.lng,
                radius_m=_RADIUS_M,
                starts_from=max(visit.state.clock.now(), begins),
                starts_before=begins + timedelta(days=_DAYS),
                at_most=_MOST,
            )

    async def _ask(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        slots = _slots(visit)
        if not party.ready(visit) or len(slots) != len(visit.kept.party):
            return see(PARTY)
        known = {slot: await one_slot(visit.state, admission, slot) for slot in set(slots)}
        names = await party.names(visit)
        people: list[tuple[UUID | None, str, SlotWords]] = [
            (guest.member, names.get(guest.member, ""), of_slot(known[slot], visit.language, dose=guest.dose))
            for guest, slot in zip(visit.kept.party, slots, strict=True)
        ]
        return self._site.page(
            visit, "household_confirm.html", people=people, path=visit.request.url.path, key=str(self._ids.uuid())
        )

    async def _confirm(self, visit: Visit) -> Response:
        """Book for all. The form carries its Idempotency-Key: however often it is sent, it books once."""
        form = await visit.form()
        admission = await visit.require_admission()
        person = visit.require_person()
        visit.check_form(form)
        key, slots = key_of(form), _slots(visit)
        guests = [each for each in visit.kept.party if each.ref is not None]
        if not guests or len(guests) != len(slots) or len(guests) != len(visit.kept.party):
            return see(PARTY)
        parts = [PartForm(slot, each.ref, each.member) for each, slot in zip(guests, slots, strict=True) if each.ref]
        try:
            booking = await settled(lambda: book_together(visit.state, admission, person, key, BookingForm(parts)))
        except Problem as refused:
            return await self._refused(visit, admission, refused, key)
        visit.kept.typed = visit.kept.outcome = None
        return see(f"/appointments/{booking.appointments[0].id}/together?booked=1")

    async def _refused(self, visit: Visit, admission: Admission, refused: Problem, key: str) -> Response:
        if refused.kind is errors.SLOT_GONE:
            return await self._list(visit, admission, taken=True)
        if refused.kind is problem.STORE_UNAVAILABLE:
            return self._site.unsure(visit, refused, key)
        if refused.kind not in _NAMED:
            return self._site.refuse(visit, refused)
        number = part_of(refused) - 1
        guest = visit.kept.party[number]
        if _NAMED[refused.kind] in {"questions", "ineligible"}:
            guest.expires_at = 0  # the questions about them must be answered again
        name = (await party.names(visit)).get(guest.member, "")
        said = {"why": _NAMED[refused.kind], "name": name, "member": guest.member, "number": number}
        return self._site.page(visit, "household_refused.html", refused.kind.status, **said)


def _slots(visit: Visit) -> list[int]:
    text: str = visit.request.path_params["slots"]
    if not _SLOTS.fullmatch(text):
        raise Problem(errors.SLOT_UNKNOWN)
    return [int(each) for each in text.split("-")]


def _town(visit: Visit, towns: list[gazetteer.Place]) -> gazetteer.Place | None:
    """Return the town that is asked for, or chosen before, or where most is near the home of whoever was asked last."""
    by_name = {town.place: town for town in towns}
    asked = visit.request.query_params.get("town", "")
    region = visit.kept.typed.region if visit.kept.typed else ""
    at_home = [each for each in towns if each.region == region] or towns
    return by_name.get(asked) or by_name.get(visit.kept.town) or max(at_home, key=lambda each: each.sites, default=None)


def _day(visit: Visit, today: date) -> date:
    try:
        asked = date.fromisoformat(visit.request.query_params.get("from", ""))
    except ValueError:
        return today
    return min(max(asked, today), today + timedelta(days=366))


def _said(found: Together, language: str) -> TogetherWords:
    return TogetherWords(
        slots="-".join(_each(found)),
        day=day(found.starts_at.date(), language),
        time=times(found.starts_at, found.ends_at, language),
        place=f"{found.site.name}, {found.site.town}",
        distance=distance(found.distance_km, language),
    )


def _each(found: Together) -> Iterator[str]:
    for each in found.slots:
        yield from [str(each.slot_id)] * each.places
