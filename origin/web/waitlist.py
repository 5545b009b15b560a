"""The waitlist on pages: join it where nothing was found, see one's entry, take the place that is offered."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData, QueryParams
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import admission as admissions
from origin import errors
from origin.gate import Admission
from origin.inventory.slots import Site as Place
from origin.waitlist import waiting
from origin.waitlist.models import Entry, JoinForm
from origin.web.decided import may_book, why_not
from origin.web.site import Site, see
from origin.web.towns import Towns
from origin.web.visit import Visit, text_of
from origin.web.wish import RADII_KM
from origin.words import SlotWords, clock_time, day, of_slot
from shared.problem import Problem

DAYS = (7, 14, 28, 56)
_RADIUS_KM = 25
_DAYS = 28
_LARGEST_SLOT = 2**63 - 1
_NOTED = frozenset({"already_waiting", "no_waitlist", "offer_over", "site_unknown"})


@dataclass(frozen=True)
class EntryWords:
    """An entry, said. ``slot`` and ``until``: the place that is held, and until when, on its own clock."""

    id: UUID
    state: str
    site_name: str
    radius_km: int
    last_day: str
    slot: SlotWords | None
    until: str


def entry_words(entry: Entry, language: str) -> EntryWords:
    """Return an entry in words."""
    slot, until = entry.slot, ""
    if slot is not None and entry.until is not None:
        until = clock_time(entry.until.astimezone(ZoneInfo(slot.site.time_zone)), language)
    return EntryWords(
        id=entry.id,
        state="waiting" if entry.state == "offered" and slot is None else entry.state,  # not taken in time
        site_name=entry.site_name or "",
        radius_km=round(entry.radius_km or 0),
        last_day=day(entry.starts_before.date(), language),
        slot=None if slot is None else of_slot(slot, language),
        until=until,
    )


async def own_entries(visit: Visit) -> list[EntryWords]:
    """Return the entries of whoever is signed in, open ones first."""
    if visit.person is None:
        return []
    return [entry_words(each, visit.language) for each in await waiting.entries(visit.state, visit.person)]


class WaitlistPages:
    """``/waitlist`` and what is pressed there."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._towns = Towns()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/waitlist", serve(self._show), methods=["GET"]),
            Route("/waitlist", serve(self._join), methods=["POST"]),
            Route("/waitlist/{id}/take", serve(self._take), methods=["POST"]),
            Route("/waitlist/{id}/leave", serve(self._leave), methods=["POST"]),
        ]

    async def _show(self, visit: Visit) -> Response:
        visit.require_person()
        asked = visit.request.query_params
        entries = await own_entries(visit)
        admitted = await visit.admission()
        may_join = admitted is not None and admitted.programme.waitlist
        if may_join:
            await visit.require_admission()
        is_open = any(each.state in {"waiting", "offered"} for each in entries)
        note = asked.get("note", "")
        return self._site.page(
            visit,
            "waitlist.html",
            entries=entries,
            note=note if note in _NOTED else "",
            may_join=may_join and not is_open,
            place=await self._place(visit, admitted, asked),
            slot=asked.get("slot", "")[:19],
            towns=(await self._towns.all(visit.state)).towns,
            town=asked.get("town", visit.kept.town),
            radii=RADII_KM,
            radius=asked.get("radius", str(_RADIUS_KM)),
            lengths=DAYS,
            length=_DAYS,
        )

    async def _join(self, visit: Visit) -> Response:
        form = await visit.form()
        admission = await visit.require_admission()
        person = visit.require_person()
        visit.check_form(form)
        outcome = await may_book(visit, admission)
        if outcome is None:
            visit.kept.then = "/waitlist"
            return see(why_not(visit))
        wish = await self._wish(visit, admission, form, outcome.ref)
        try:
            await waiting.join(visit.state, admission, person, wish)
        except Problem as refused:
            if refused.kind.code not in _NOTED:
                raise
            return see(f"/waitlist?note={refused.kind.code}")
        return see("/waitlist")

    async def _wish(self, visit: Visit, admission: Admission, form: FormData, decision: UUID) -> JoinForm:
        """Return what was chosen; where that is none of what there is, the town that comes first."""
        now = visit.state.clock.now()
        days, radius = text_of(form, "days"), text_of(form, "radius")
        until = now + timedelta(days=int(days) if days in map(str, DAYS) else _DAYS)
        place = await self._place(visit, admission, form)
        if place is not None:
            return JoinForm(decision, now, until, site_id=place.id)
        towns = (await self._towns.all(visit.state)).towns
        if not towns:
            raise Problem(errors.SITE_UNKNOWN)
        town = next((each for each in towns if each.place == text_of(form, "town")), towns[0])
        km = int(radius) if radius in map(str, RADII_KM) else _RADIUS_KM
        return JoinForm(decision, now, until, lat=town.lat, lng=town.lng, radius_km=km)

    async def _place(self, visit: Visit, admission: Admission | None, asked: QueryParams | FormData) -> Place | None:
        """Return the site of the slot that was gone, where somebody comes from there."""
        text = asked.get("slot", "")
        if admission is None or not isinstance(text, str) or not (text.isascii() and text.isdigit()):
            return None
        async with visit.state.database.connection() as connection:
            number = min(int(text[:19]), _LARGEST_SLOT)
            slot = await visit.state.slots.one(connection, number, programme=admission.programme.id)
        return None if slot is None else slot.site

    async def _take(self, visit: Visit) -> Response:
        """Let in again, and lead to the place that is held; the questions come in between where they must."""
        person = visit.require_person()
        visit.check_form(await visit.form())
        try:
            entry, exchanged, cookie = await waiting.enter(visit.state, person, _id(visit))
        except Problem as refused:
            if refused.kind.code not in _NOTED:
                raise
            return see(f"/waitlist?note={refused.kind.code}")
        assert entry.slot is not None
        response = see(f"/slots/{entry.slot.id}/confirm")
        admissions.set_cookie(visit.state, response, cookie, exchanged.expires_at)
        return response

    async def _leave(self, visit: Visit) -> Response:
        person = visit.require_person()
        visit.check_form(await visit.form())
        await waiting.leave(visit.state, person, _id(visit))
        return see("/waitlist")


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise Problem(errors.ENTRY_UNKNOWN) from None
