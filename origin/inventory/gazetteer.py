"""Towns and postal codes that a search can begin at, out of our own database: nobody else is asked.

They are those of the sites, and of the tables ``gazetteer`` and ``gazetteer_postcode``, which files fill. Small and
capital letters, accents, dashes and apostrophes make no difference, and the beginnings of a name's words are enough to
find it.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from origin.db.sql import Connection, load

QUERIES = Path(__file__).with_name("gazetteer.sql")
_SUGGESTED = 8
_LISTED = 2_000


class Place(msgspec.Struct, frozen=True):
    """A town or postal code. ``place``: how a search names it without a doubt; ``sites``: how many lie in it."""

    place: str
    kind: Literal["town", "postcode"]
    name: str
    region: str
    region_name: str
    lat: float
    lng: float
    time_zone: str
    sites: int


class PlaceNotFound(Exception):
    """What was typed names no place; ``similar`` are some that begin so."""

    def __init__(self, similar: list[Place]) -> None:
        super().__init__("place not found")
        self.similar = similar


class PlaceNotClear(Exception):
    """What was typed names several places."""

    def __init__(self, places: list[Place]) -> None:
        super().__init__("place not clear")
        self.places = places


async def beginning(connection: Connection, typed: str, *, at_most: int) -> list[Place]:
    """Return places that begin as typed: those called exactly so, then where most sites are, then the largest."""
    return [place for _, place in await _named(connection, typed, "", at_most)]


async def with_sites(connection: Connection) -> list[Place]:
    """Return the towns that have a site, at most 2,000, by region and name."""
    rows = await load(QUERIES)["towns_with_sites"].rows(connection, at_most=_LISTED)
    return [_place(row) for row in rows]


async def find(connection: Connection, typed: str) -> Place:
    """Return the place that is called so: a name or postal code, and the region behind a comma where there are several.

    Raises:
        PlaceNotFound: nothing is called so.
        PlaceNotClear: several are.
    """
    found = await _named(connection, typed, "", _SUGGESTED)
    exact = [place for is_exact, place in found if is_exact]
    name, comma, region = typed.rpartition(",")
    if not exact and comma and region.strip():
        in_region = await _named(connection, name, region, _SUGGESTED)
        exact = [place for is_exact, place in in_region if is_exact]
        found += in_region
    if not exact:
        raise PlaceNotFound([place for _, place in found])
    if len(exact) > 1:
        raise PlaceNotClear(exact)
    return exact[0]


async def _named(connection: Connection, typed: str, region: str, at_most: int) -> list[tuple[bool, Place]]:
    rows = await load(QUERIES)["places"].rows(connection, typed=typed, region=region, at_most=at_most)
    return [(row["exact"], _place(row)) for row in rows]


def _place(row: Any) -> Place:
    return Place(
        place=f"{row['name']}, {row['region_name']}",
        kind=row["kind"],
        name=row["name"],
        region=row["region"],
        region_name=row["region_name"],
        lat=row["lat"],
        lng=row["lng"],
        time_zone=row["time_zone"],
        sites=row["sites"],
    )
