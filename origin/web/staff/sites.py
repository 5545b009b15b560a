"""For the staff of a site: what was cancelled and how far its people are; cancel a day, a part of it, or one time."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import msgspec
from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.admin.officials import OPERATOR
from origin.identity import Official
from origin.sites.cancelling import cancel_slots, cancellations, preview
from origin.sites.days import bounds
from origin.sites.models import CancelForm, Cancellation, Progress, Reopening
from origin.sites.reopening import reopenings
from origin.sites.staff import SITE_STAFF, StaffedSite, roles_at, site_by_code
from origin.web.site import Site, see
from origin.web.visit import Visit, text_of
from origin.words import clock_time, day
from shared import problem
from shared.problem import Problem

BASE = "/site/{site}"
_NOTED = frozenset({"nothing_to_cancel", "invalid_body", "people_changed"})
LARGEST_SLOT = 2**63 - 1


@dataclass(frozen=True)
class Bar:
    """A part of the people of a cancellation, drawn: from ``x``, ``width`` wide, of 100."""

    kind: str
    x: float
    width: float


def bars(progress: Progress) -> list[Bar]:
    """Return how far the people are as parts of a whole: settled, to answer, to look for, cancelled."""
    parts = {
        "settled": progress.accepted + progress.left,
        "open": progress.offered,
        "waiting": progress.waiting,
        "ended": progress.declined + progress.lapsed + progress.none_found,
    }
    whole, x, drawn = sum(parts.values()), 0.0, []
    for kind, people in parts.items():
        if people:
            width = 100 * people / whole
            drawn.append(Bar(kind, round(x, 2), round(width, 2)))
            x += width
    return drawn


@dataclass(frozen=True)
class Wish:
    """What was typed: a day with a part of it, or one slot; and why."""

    slot: str = ""
    day: str = ""
    first: str = ""
    last: str = ""
    reason: str = ""

    def form(self, site: StaffedSite, confirm: int | None) -> CancelForm:
        """Return what is asked for.

        Raises:
            Problem: 422 ``invalid_body``.
        """
        try:
            return msgspec.convert(self.said(site) | {"confirm": confirm}, CancelForm)
        except (ValueError, msgspec.ValidationError):
            raise Problem(problem.INVALID_BODY) from None

    def said(self, site: StaffedSite) -> dict[str, object]:
        """Return which slots are meant, and why, by the names of the forms; raises ValueError for what is no time."""
        if self.slot:
            return {"reason": self.reason, "slot_id": min(int(self.slot), LARGEST_SLOT)}
        starts_from, starts_before = self._window(site)
        return {"reason": self.reason, "from": starts_from, "to": starts_before}

    def _window(self, site: StaffedSite) -> tuple[datetime, datetime]:
        on, zone = date.fromisoformat(self.day), ZoneInfo(site.time_zone)
        starts_from, starts_before = bounds(site, on)
        if self.first:
            starts_from = datetime.combine(on, time.fromisoformat(self.first), zone)
        if self.last:
            starts_before = datetime.combine(on, time.fromisoformat(self.last), zone)
        return starts_from, starts_before


def wish_in(form: FormData) -> Wish:
    """Return what was typed."""
    names = ("slot", "day", "first", "last")
    return Wish(
        **{name: text_of(form, name, at_most=19) for name in names}, reason=text_of(form, "reason", at_most=200)
    )


class SitePages:
    """``/site``, ``/site/{site}``, ``/site/{site}/cancel``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/site", serve(self._sites), methods=["GET"]),
            Route(BASE, serve(self._show), methods=["GET"]),
            Route(f"{BASE}/cancel", serve(self._ask), methods=["GET"]),
            Route(f"{BASE}/cancel", serve(self._cancel), methods=["POST"]),
        ]

    async def _sites(self, visit: Visit) -> Response:
        """The sites at which somebody works; an operator types the code of one."""
        person = visit.require_person()
        prefix = f"{SITE_STAFF}:"
        codes = sorted(role.removeprefix(prefix) for role in person.roles if role.startswith(prefix))
        wanted = visit.request.query_params.get("site", "").strip()
        if OPERATOR not in person.roles and not codes:
            raise Problem(problem.FORBIDDEN)
        async with visit.state.database.connection() as connection:
            if wanted and OPERATOR in person.roles:
                try:
                    return see(f"/site/{(await site_by_code(connection, wanted)).code}")
                except Problem as unknown:
                    if unknown.kind is not errors.SITE_UNKNOWN:
                        raise
            sites = [await site_by_code(connection, code) for code in codes]
        if len(sites) == 1 and OPERATOR not in person.roles:
            return see(f"/site/{sites[0].code}")
        return self._site.page(visit, "sites.html", sites=sites, wanted=wanted, may_any=OPERATOR in person.roles)

    async def _show(self, visit: Visit, wish: Wish | None = None, fault: str = "", status: int = 200) -> Response:
        official_at(visit)
        async with visit.state.database.connection() as connection:
            site = await site_by_code(connection, visit.request.path_params["site"])
            known = (await cancellations(connection, site)).cancellations
            opened = (await reopenings(connection, site)).reopenings
        now = visit.state.clock.now().astimezone(ZoneInfo(site.time_zone))
        return self._site.page(
            visit,
            "site_overview.html",
            status,
            back=f"/site/{site.code}",
            at=site,
            today=now.date(),
            now=now,
            wish=wish or Wish(),
            fault=fault,
            done=visit.request.query_params.get("done", ""),
            cancelled=[(each, bars(each.progress), _span(each, visit.language)) for each in known],
            reopened=[(each, _span(each, visit.language)) for each in opened],
        )

    async def _ask(self, visit: Visit) -> Response:
        """Cancel one time: the reason is typed first."""
        official_at(visit)
        wish = Wish(slot=visit.request.query_params.get("slot", "")[:19])
        return await self._show(visit, wish)

    async def _cancel(self, visit: Visit) -> Response:
        """Say who is in the way; with their number, do it."""
        official, form = official_at(visit), await visit.form()
        visit.check_form(form)
        wish, confirm = wish_in(form), text_of(form, "confirm", at_most=9)
        state = visit.state
        try:
            async with state.database.connection() as connection:
                site = await site_by_code(connection, visit.request.path_params["site"])
                asked = wish.form(site, int(confirm) if confirm.isascii() and confirm.isdigit() else None)
                if asked.confirm is None:
                    seen = await preview(connection, site, asked, state.clock.now())
                    return self._site.page(visit, "site_cancel.html", at=site, wish=wish, seen=seen)
                done = await cancel_slots(connection, official, site, asked, state.ids.uuid(), state.clock.now())
        except Problem as refused:
            if refused.kind.code not in _NOTED:
                raise
            return await self._show(visit, wish, refused.kind.code, refused.kind.status)
        state.metrics.slots_cancelled.inc(done.slots)
        return see(f"/site/{site.code}?done=cancelled#cancelled")


def _span(each: Cancellation | Reopening, language: str) -> str:
    first, last = moment(each.first, language), moment(each.last, language)
    if first == last:
        return first
    return f"{first} – {clock_time(each.last, language) if each.first.date() == each.last.date() else last}"


def moment(at: datetime, language: str) -> str:
    """Return ``Tuesday 2 March 2027, 10:00``."""
    return f"{day(at.date(), language)}, {clock_time(at, language)}"


def official_at(visit: Visit) -> Official:
    """Return who is signed in and may act for the site of the address; raises Problem 401 or 403."""
    return visit.state.people.official_signed_in(visit.request, *roles_at(visit.request.path_params["site"]))
