"""Free times: by distance or the earliest first, with a month at a glance and a map."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin.db.sql import Connection
from origin.inventory import gazetteer
from origin.inventory.forms import month_after, span_of_days
from origin.inventory.gazetteer import Place, PlaceNotClear, PlaceNotFound
from origin.inventory.search import FIRST, Cursor
from origin.inventory.slots import Slot
from origin.inventory.store import FreeDays, Page
from origin.web.decided import why_not
from origin.web.free_times import by_day, numbered
from origin.web.looking import Looking, looking_for
from origin.web.month import month_words
from origin.web.site import Site, see
from origin.web.site_map import SIZE, Drawn, site_map
from origin.web.towns import Offered, Towns
from origin.web.visit import Visit
from origin.web.wish import DAYS_AT_ONCE, RADII_KM, Wish, typed_place, wish_of
from origin.words import clock_time, day, feature, product

_PAGE = {"nearest": 240, "first_available": 60}


@dataclass(frozen=True)
class Seen:
    """What one look into the database found, all of one moment. ``first``: the earliest where the page is empty."""

    page: Page
    month: FreeDays
    first: Slot | None


class SlotPages:
    """``/slots``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._towns = Towns()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route("/slots", self._site.endpoint(self._list), methods=["GET"])]

    async def _list(self, visit: Visit) -> Response:
        looking = await looking_for(visit)
        if looking is None:
            return see(why_not(visit))
        offered = await self._towns.all(visit.state)
        if not offered.towns:
            return self._site.page(visit, "slots.html", towns=[], looking=looking)
        typed = typed_place(visit.request.query_params)
        try:
            place = await _place(visit, offered, typed, looking)
        except (PlaceNotFound, PlaceNotClear) as fault:
            return self._ask_for_place(visit, offered, looking, typed, fault)
        visit.kept.town = place.place
        return await self._show(visit, looking, offered, _wish(visit, place, offered, looking))

    def _ask_for_place(
        self, visit: Visit, offered: Offered, looking: Looking, typed: str, fault: PlaceNotFound | PlaceNotClear
    ) -> Response:
        """Show the places that could have been meant, each with the rest of the wish."""
        several = isinstance(fault, PlaceNotClear)
        could_be = fault.places if isinstance(fault, PlaceNotClear) else fault.similar
        wish = _wish(visit, _home(visit, offered), offered, looking)
        links = [(each.place, wish.address(place=each)) for each in could_be]
        form = self._form(visit, offered, wish) | {"typed": typed}
        return self._site.page(
            visit,
            "slots.html",
            200,
            **form,
            looking=looking,
            turn_form="filters",
            asked="several" if several else "unknown",
            links=links,
        )

    async def _show(self, visit: Visit, looking: Looking, offered: Offered, wish: Wish) -> Response:
        now, programme = visit.state.clock.now(), looking.programme
        cursor = wish.cursor(programme)

        async def look(connection: Connection) -> Seen:
            return await _look(visit, connection, programme, wish, cursor, now)

        seen, as_of = await visit.state.reader.read(look)
        visit.state.metrics.searched.inc()
        slots, language = seen.page.slots, visit.language
        days = by_day(slots, language)
        chosen = frozenset(date.fromisoformat(each.key) for each in days)
        earlier, later = _around(wish)
        zone = ZoneInfo(wish.place.time_zone)
        return self._site.page(
            visit,
            "slots.html",
            200,
            turn_form="filters",
            looking=looking,
            **self._form(visit, offered, wish),
            asked="",
            days=days,
            first_open=_first_open(wish, seen.first, language),
            month=month_words(wish, seen.month.days, chosen, language),
            more_sites=seen.month.more_sites,
            map=_map(wish, slots, language),
            map_size=SIZE,
            as_of=clock_time(as_of.astimezone(zone), language, seconds=True),
            earlier=earlier,
            later=later,
            beginning=wish.address() if cursor else None,
            further=_further(wish, programme, seen.page, cursor, now),
        )

    def _form(self, visit: Visit, offered: Offered, wish: Wish) -> dict[str, object]:
        language = visit.language
        return {
            "towns": offered.towns,
            "wish": wish,
            "typed": wish.place.place,
            "radii": RADII_KM,
            "products": [(code, product(code, language)) for code in wish.products],
            "features": [(each, feature(each, language)) for each in offered.features],
        }


async def _place(visit: Visit, offered: Offered, typed: str, looking: Looking) -> Place:
    """Return where to look from: what was typed, else where an appointment is that moves, else what was chosen last.

    Else the town at home with most sites.

    Raises:
        PlaceNotFound, PlaceNotClear: what was typed names no place, or several.
    """
    now_at = looking.old.site.town if looking.old else ""
    for name in (typed, now_at, visit.kept.town):
        if name:
            try:
                place, _ = await visit.state.reader.read(partial(gazetteer.find, typed=name))
            except (PlaceNotFound, PlaceNotClear):
                if typed:
                    raise
            else:
                return place
    return _home(visit, offered)


def _home(visit: Visit, offered: Offered) -> Place:
    region = visit.kept.typed.region if visit.kept.typed else ""
    at_home = [each for each in offered.towns if each.region == region] or offered.towns
    return max(at_home, key=lambda each: each.sites)


def _wish(visit: Visit, place: Place, offered: Offered, looking: Looking) -> Wish:
    query, now = visit.request.query_params, visit.state.clock.now()
    return wish_of(query, place, now, looking.products, offered.features, looking.move)


async def _look(
    visit: Visit, connection: Connection, programme: str, wish: Wish, cursor: Cursor | None, now: datetime
) -> Seen:
    wanted, area, slots = wish.wanted(programme), wish.area, visit.state.slots
    end = _end(wish)
    after = FIRST if cursor is None else cursor.at
    span = wish.span(now, wish.day, end)
    page = await slots.search(connection, wanted, area, span, at_most=_PAGE[wish.sort], sort=wish.sort, after=after)
    first, until = wish.month, month_after(wish.month)
    days = span_of_days(first, until, now)
    month = await slots.days(connection, wanted, area, days, first_day=first, end_day=until)
    if page.slots or cursor:
        return Seen(page, month, None)
    whole = wish.span(now, wish.day, wish.last_day + timedelta(days=1))
    earliest = await slots.search(connection, wanted, area, whole, at_most=1, sort="first_available")
    return Seen(page, month, next(iter(earliest.slots), None))


def _end(wish: Wish) -> date:
    """Return the day before which the page ends."""
    lasts = timedelta(days=DAYS_AT_ONCE)
    return wish.day + lasts if wish.sort == "nearest" else wish.last_day + timedelta(days=1)


def _around(wish: Wish) -> tuple[str | None, str | None]:
    """Return the addresses of the days before and behind those of the page, where it does not have all of them."""
    if wish.sort == "first_available":
        return None, None
    before, behind = wish.day - timedelta(days=DAYS_AT_ONCE), wish.day + timedelta(days=DAYS_AT_ONCE)
    earlier = wish.on(max(before, wish.today)) if wish.day > wish.today else None
    return earlier, wish.on(behind) if behind <= wish.last_day else None


def _further(wish: Wish, programme: str, page: Page, cursor: Cursor | None, now: datetime) -> str | None:
    """Return the address of the next page."""
    if page.end is None:
        return None
    span = wish.span(now, wish.day, _end(wish))
    ends = span.starts_before if cursor is None else cursor.starts_before
    area = wish.area
    return wish.address(after=Cursor(wish.digest(programme), area.lat, area.lng, ends, page.end).text())


def _first_open(wish: Wish, first: Slot | None, language: str) -> dict[str, str] | None:
    """Return the first day on which there is something, where these have nothing."""
    if first is None:
        return None
    on = first.starts_at.date()
    return {"name": day(on, language), "address": wish.on(max(on, wish.today))}


def _map(wish: Wish, slots: list[Slot], language: str) -> object:
    sites = [Drawn(number, slot.site.lat, slot.site.lng, slot.site.town) for number, slot in numbered(slots).values()]
    return site_map(sites, wish.place.lat, wish.place.lng, wish.place.name, language) if sites else None
