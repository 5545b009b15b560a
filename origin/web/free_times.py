"""Free times as the page lists them: by day, then by site, each site with the number that it has on the map. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from origin.inventory.slots import Site as Place
from origin.inventory.slots import Slot
from origin.words import clock_time, day, distance, offers

_SHOWN_AT_ONCE = 8


@dataclass(frozen=True)
class TimeWords:
    """One time at a site."""

    id: int
    label: str
    remaining: int


@dataclass(frozen=True)
class SiteWords:
    """The free times of a site on one day; ``more`` are shown when asked for."""

    number: int
    place: Place
    distance: str
    offers: str
    times: list[TimeWords]
    more: list[TimeWords]


@dataclass
class DayWords:
    """One day with its sites, in the order of their numbers."""

    key: str
    name: str
    sites: list[SiteWords] = field(default_factory=list)


def numbered(slots: Iterable[Slot]) -> dict[int, tuple[int, Slot]]:
    """Return the number of each site, and one of its slots: counted from one, in the order in which sites come."""
    found: dict[int, tuple[int, Slot]] = {}
    for slot in slots:
        found.setdefault(slot.site.id, (len(found) + 1, slot))
    return found


def by_day(slots: Sequence[Slot], language: str) -> list[DayWords]:
    """Return the days that have free times, with their sites."""
    numbers = {site: number for site, (number, _) in numbered(slots).items()}

    def place_in_list(slot: Slot) -> tuple[object, ...]:
        return slot.starts_at.date(), numbers[slot.site.id], slot.starts_at, slot.id

    days = []
    ordered = sorted(slots, key=place_in_list)
    for on, of_day in groupby(ordered, key=lambda slot: slot.starts_at.date()):
        said = DayWords(on.isoformat(), day(on, language))
        for site, of_site in groupby(of_day, key=lambda slot: slot.site.id):
            said.sites.append(_site(numbers[site], list(of_site), language))
        days.append(said)
    return days


def _site(number: int, slots: list[Slot], language: str) -> SiteWords:
    times = [TimeWords(slot.id, clock_time(slot.starts_at, language), slot.remaining) for slot in slots]
    place = slots[0].site
    return SiteWords(
        number,
        place,
        distance(slots[0].distance_km, language),
        offers(place, language),
        times[:_SHOWN_AT_ONCE],
        times[_SHOWN_AT_ONCE:],
    )
