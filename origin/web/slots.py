"""Free times by day and distance."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin.inventory.slots import Site as Place
from origin.inventory.slots import Slot
from origin.web.decided import why_not
from origin.web.looking import Looking, looking_for
from origin.web.site import Site, see
from origin.web.towns import Town, Towns
from origin.web.visit import Visit
from origin.words import clock_time, day, distance

RADII_KM = (5, 10, 25, 50, 100)
_RADIUS_KM = 25
_DAYS_AT_ONCE = 3
_DAYS_AHEAD = 60
_PER_SITE = 40
_PER_DAY = 160
_SITES_A_DAY = 6
_SHOWN_AT_ONCE = 8


@dataclass(frozen=True)
class Wish:
    """Where and when somebody looks for a time."""

    town: Town
    radius_km: int
    day: date
    today: date
    step_free: bool
    move: str = ""  # the appointment that another time is looked for

    def address(self, on: date) -> str:
        """Return the page's address for the same wish on another day."""
        query = {"town": self.town.key, "radius": self.radius_km, "from": on.isoformat()}
        query |= {"step_free": 1} if self.step_free else {}
        return "/slots?" + urlencode(query | ({"move": self.move} if self.move else {}))


@dataclass(frozen=True)
class TimeWords:
    """One time at a site."""

    id: int
    label: str
    remaining: int


@dataclass(frozen=True)
class SiteWords:
    """The free times of a site on one day; ``more`` are shown when asked for."""

    place: Place
    distance: str
    times: list[TimeWords]
    more: list[TimeWords]


@dataclass
class DayWords:
    """One day with its sites, nearest first."""

    key: str
    name: str
    sites: list[SiteWords] = field(default_factory=list)


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
        towns = await self._towns.all(visit.state)
        wish = _wish(visit, towns, looking)
        if wish is None:
            return self._site.page(visit, "slots.html", towns=[], days=[], looking=looking)
        visit.kept.town = wish.town.key
        days = await self._days(visit, looking, wish)
        last = wish.today + timedelta(days=_DAYS_AHEAD)
        earlier, later = wish.day - timedelta(days=_DAYS_AT_ONCE), wish.day + timedelta(days=_DAYS_AT_ONCE)
        return self._site.page(
            visit,
            "slots.html",
            turn_form="filters",
            looking=looking,
            towns=towns,
            wish=wish,
            days=days,
            first_open=None if days else await self._first(visit, looking, wish),
            radii=RADII_KM,
            last_day=last,
            as_of=clock_time(visit.state.clock.now().astimezone(ZoneInfo(wish.town.time_zone)), visit.language),
            earlier=wish.address(max(earlier, wish.today)) if wish.day > wish.today else None,
            later=wish.address(later) if later <= last else None,
        )

    async def _days(self, visit: Visit, looking: Looking, wish: Wish) -> list[DayWords]:
        found = []
        for offset in range(_DAYS_AT_ONCE):
            on = wish.day + timedelta(days=offset)
            slots = await self._search(visit, looking, wish, on, on + timedelta(days=1))
            sites = _sites((slot for slot in slots if slot.site.step_free or not wish.step_free), visit.language)
            if sites:
                found.append(DayWords(on.isoformat(), day(on, visit.language), sites))
        visit.state.metrics.searched.inc()
        return found

    async def _first(self, visit: Visit, looking: Looking, wish: Wish) -> dict[str, str] | None:
        """Return the first day on which there is something, where this one has nothing."""
        end = wish.today + timedelta(days=_DAYS_AHEAD)
        slots = await self._search(visit, looking, wish, wish.day, end, per_site=1)
        starts = [slot.starts_at.date() for slot in slots if slot.site.step_free or not wish.step_free]
        return {"name": day(min(starts), visit.language), "address": wish.address(min(starts))} if starts else None

    async def _search(
        self,
        visit: Visit,
        looking: Looking,
        wish: Wish,
        first: date,
        end: date,
        *,
        per_site: int = _PER_SITE,
    ) -> list[Slot]:
        """Return slots from the beginning of ``first`` to that of ``end``, on the town's clock."""
        zone = ZoneInfo(wish.town.time_zone)
        async with visit.state.database.connection() as connection:
            return await visit.state.slots.search(
                connection,
                programme=looking.programme,
                lat=wish.town.lat,
                lng=wish.town.lng,
                radius_m=wish.radius_km * 1000,
                starts_from=max(visit.state.clock.now(), datetime.combine(first, time(), zone)),
                starts_before=datetime.combine(end, time(), zone),
                products=looking.products,
                per_site=per_site,
                at_most=_PER_DAY,
            )


def _wish(visit: Visit, towns: list[Town], looking: Looking) -> Wish | None:
    """Read the address; what it does not say, or says wrongly, is what was chosen last or a good beginning."""
    query = visit.request.query_params
    region = visit.kept.typed.region if visit.kept.typed else ""
    by_key = {town.key: town for town in towns}
    here = None if looking.old is None else looking.old.site.town
    by_name = {town.name: town for town in towns}
    town = by_key.get(query.get("town", "")) or by_name.get(here or "") or by_key.get(visit.kept.town)
    at_home = [each for each in towns if each.region == region] or towns
    town = town or max(at_home, key=lambda each: each.sites, default=None)
    if town is None:
        return None
    today = visit.state.clock.now().astimezone(ZoneInfo(town.time_zone)).date()
    radius = query.get("radius", "")
    return Wish(
        town=town,
        radius_km=int(radius) if radius in {str(km) for km in RADII_KM} else _RADIUS_KM,
        day=_day(query, today),
        today=today,
        step_free=query.get("step_free") == "1",
        move=looking.move,
    )


def _day(query: QueryParams, today: date) -> date:
    try:
        asked = date.fromisoformat(query.get("from", ""))
    except ValueError:
        return today
    return min(max(asked, today), today + timedelta(days=_DAYS_AHEAD))


def _sites(slots: Iterable[Slot], language: str) -> list[SiteWords]:
    """Group slots by site; they come sorted by distance, then time."""
    found = []
    for _, group in groupby(slots, key=lambda slot: slot.site.id):
        here = list(group)
        times = [TimeWords(slot.id, clock_time(slot.starts_at, language), slot.remaining) for slot in here]
        said = distance(here[0].distance_km, language)
        found.append(SiteWords(here[0].site, said, times[:_SHOWN_AT_ONCE], times[_SHOWN_AT_ONCE:]))
    return found[:_SITES_A_DAY]
