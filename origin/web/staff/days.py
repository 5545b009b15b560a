"""A site's day on a telephone at the door: who is expected, who came, who walks in. To be printed, too."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_datetime
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.admin.programmes import Programme
from origin.booking.appointments import Appointment
from origin.eligibility.decisions import Reason
from origin.eligibility.person import Facts
from origin.sites.days import day_list, mark
from origin.sites.models import DayList, DaySlot, MarkForm, reference
from origin.sites.staff import StaffedSite, site_by_code
from origin.sites.walk_ins import Door
from origin.web.eligibility import spoken
from origin.web.form import typed_in
from origin.web.questions import Asker, shown_by
from origin.web.site import Site, see
from origin.web.staff.sites import BASE, official_at
from origin.web.visit import FORM_STALE, Typed, Visit, text_of
from origin.words import day as day_words
from origin.words import product, times
from shared import problem
from shared.ids import Ids
from shared.problem import Problem

_NOTED = frozenset({"mark_refused", "mark_early", "appointment_unknown", "slot_gone", "slot_past", "frozen"})
_REFUSED = frozenset({"ineligible", "slot_gone", "slot_past", "frozen", "key_in_flight", "key_reused"})
_LARGEST_SLOT = 2**63 - 1


@dataclass(frozen=True)
class SlotLine:
    """A slot of the day, said."""

    slot: DaySlot
    time: str
    product: str
    has_begun: bool


class DayPages:
    """``/site/{site}/days/{day}``, its marks, ``/site/{site}/slots/{slot}/walk-in``."""

    def __init__(self, site: Site, ids: Ids) -> None:
        self._site = site
        self._ids = ids
        self._asker = Asker()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route(f"{BASE}/days", serve(self._choose), methods=["GET"]),
            Route(f"{BASE}/days/{{day}}", serve(self._show), methods=["GET"]),
            Route(f"{BASE}/days/{{day}}/mark", serve(self._mark), methods=["POST"]),
            Route(f"{BASE}/slots/{{slot:int}}/walk-in", serve(self._ask), methods=["GET", "POST"]),
        ]

    async def _choose(self, visit: Visit) -> Response:
        """Go to the day that was typed; today's without one."""
        official_at(visit)
        site = await _site(visit)
        asked = visit.request.query_params.get("day", "")
        day = _day(asked) if asked else visit.state.clock.now().astimezone(ZoneInfo(site.time_zone)).date()
        return see(f"/site/{site.code}/days/{day}")

    async def _show(self, visit: Visit) -> Response:
        official_at(visit)
        day, now, asked = _day(visit.request.path_params["day"]), visit.state.clock.now(), visit.request.query_params
        async with visit.state.database.connection() as connection:
            site = await site_by_code(connection, visit.request.path_params["site"])
            listed = await day_list(connection, site, day, now)
        note = asked.get("note", "")
        return self._site.page(
            visit,
            "site_day.html",
            at=site,
            day=day,
            title=day_words(day, visit.language),
            as_of=format_datetime(now.astimezone(ZoneInfo(site.time_zone)), "HH:mm", locale=visit.language),
            lines=_lines(listed, visit),
            before=day - timedelta(days=1),
            behind=day + timedelta(days=1),
            note=note if note in _NOTED else "",
            walked_in=_reference(asked.get("walked_in", "")),
        )

    async def _mark(self, visit: Visit) -> Response:
        official, form = official_at(visit), await visit.form()
        visit.check_form(form)
        day, state, note = _day(visit.request.path_params["day"]), visit.state, ""
        try:
            wanted = msgspec.convert({"status": text_of(form, "status")}, MarkForm)
            appointment = UUID(text_of(form, "appointment"))
        except (ValueError, msgspec.ValidationError):
            raise Problem(FORM_STALE) from None
        try:
            async with state.database.connection() as connection:
                site = await site_by_code(connection, visit.request.path_params["site"])
                await mark(connection, official, site, appointment, wanted.status, state.clock.now())
        except Problem as refused:
            if refused.kind.code not in _NOTED:
                raise
            note = f"?note={refused.kind.code}"
        return see(f"/site/{visit.request.path_params['site']}/days/{day}{note}#a-{appointment}")

    async def _ask(self, visit: Visit) -> Response:
        """Ask what the rules need to know; when all is answered, decide and book."""
        official, site = official_at(visit), await _site(visit)
        slot = visit.request.path_params["slot"]
        if slot > _LARGEST_SLOT:
            raise Problem(errors.SLOT_UNKNOWN)
        door = Door(visit.state, official, site)
        programme, form = await door.programme_of(slot), await visit.form()
        typed, today = typed_in(form) if form else Typed(), visit.state.clock.now().date()
        rules = visit.state.decisions.rules
        shown = shown_by(form) if form else ()
        walk = await self._asker.walk(rules, programme, typed, visit.language, today, shown)
        key, refused = text_of(form, "key", at_most=36) or str(self._ids.uuid()), None
        if visit.request.method == "POST":
            visit.check_form(form)
            if walk.open is None and not walk.complaints and not walk.has_unseen(form):
                booked = await _walk_in(door, slot, key, walk.facts)
                if isinstance(booked, Appointment):
                    return see(
                        f"/site/{site.code}/days/{booked.slot.starts_at.date()}?walked_in={booked.id}#a-{booked.id}"
                    )
                refused, key = booked, str(self._ids.uuid())
        return self._site.page(
            visit,
            "site_walk_in.html",
            422 if walk.complaints else 200 if refused is None else refused.kind.status,
            back=None,
            at=site,
            slot=slot,
            walk=walk,
            typed=typed,
            key=key,
            refused_by="" if refused is None else refused.kind.code,
            reasons=[] if refused is None else await self._reasons(visit, programme, refused),
            errors=[spoken(complaint, visit.language) for complaint in walk.complaints],
        )

    async def _reasons(self, visit: Visit, programme: Programme, refused: Problem) -> list[str]:
        given = msgspec.convert(refused.members.get("reasons", []), list[Reason])
        version = msgspec.convert(refused.members.get("rule_version", 0), int)
        return await self._site.reasons(visit, programme, given, version) if given else []


async def _walk_in(door: Door, slot: int, key: str, facts: Facts) -> Appointment | Problem:
    """Book, or return the refusal that the page can tell."""
    try:
        return await door.walk_in(slot, key, facts)
    except Problem as refused:
        if refused.kind.code not in _REFUSED:
            raise
        return refused


async def _site(visit: Visit) -> StaffedSite:
    async with visit.state.database.connection() as connection:
        return await site_by_code(connection, visit.request.path_params["site"])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem(problem.NOT_FOUND) from None


def _lines(listed: DayList, visit: Visit) -> list[SlotLine]:
    now, language = visit.state.clock.now(), visit.language
    return [
        SlotLine(
            each, times(each.starts_at, each.ends_at, language), product(each.product, language), each.starts_at <= now
        )
        for each in listed.slots
    ]


def _reference(text: str) -> str:
    try:
        return reference(UUID(text))
    except ValueError:
        return ""
