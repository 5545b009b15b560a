"""Rows of places, as they go into the gazetteer: from a table of our columns, or from GeoNames' postal codes."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from origin.inventory.bulk import cells
from origin.inventory.bulk.cells import CellFault
from origin.inventory.bulk.fault_kinds import FaultKind
from origin.inventory.bulk.rows import Kind, Line
from origin.inventory.places.zones import Spot, zone_at

PLACES = Kind("places", ("country", "region", "name", "lat", "lng"), ("postcode", "population", "time_zone"))
POSTAL = Kind(
    "places",
    (
        "country",
        "postcode",
        "name",
        "division1",
        "code1",
        "division2",
        "code2",
        "division3",
        "code3",
        "lat",
        "lng",
        "accuracy",
    ),
)
"""The columns of GeoNames' postal codes, in their order: https://download.geonames.org/export/zip/readme.txt."""

StagedPlace = tuple[str, str, str, str, str, float, float, str, int | None]
"""Country, region, part of the region, name, postal code, latitude, longitude, time zone, population."""

_COUNTRY = re.compile(r"[A-Z]{2}")
_POPULATION = cells.whole(0, 999_999_999)
_MOST_LEFT_OUT = 1_000


def country(cell: str) -> str:
    """Read an ISO 3166-1 code."""
    if not _COUNTRY.fullmatch(cell):
        raise CellFault(FaultKind.COUNTRY)
    return cell


def _findable(longest: int) -> Callable[[str], str]:
    """Return a reader of a text that can be searched for, or is empty."""
    read = cells.text(longest, empty=True)

    def reading(cell: str) -> str:
        text = read(cell)
        # What is between these is no letter to the function `fold` of the database.
        if text and not any(each.isalnum() and not "\x80" <= each <= "\xbf" for each in text):
            raise CellFault(FaultKind.LETTERS)
        return text

    return reading


_NAME, _POSTCODE = _findable(200), _findable(20)


@dataclass
class Reader:
    """Reads rows. ``known``: the regions there are; ``given``: which of them is meant where a file says something else.

    ``near``: sites of each region, for the time zones. ``left_out`` counts rows of GeoNames in divisions that are no
    region here, by code and name of the division.
    """

    known: Collection[str]
    given: Mapping[str, str]
    near: Mapping[str, Sequence[Spot]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def place(self, line: Line) -> StagedPlace | None:
        """Read a row of our own columns; a region that is not there is a fault."""
        land, region = line.take("country", country, ""), line.take("region", self._region, "")
        return self._staged(line, land, region, "", line.take("population", _population, None))

    def postal(self, line: Line) -> StagedPlace | None:
        """Read a row of GeoNames; None where its division is no region here."""
        land, cell = line.take("country", country, ""), line.given
        if not land:
            return None
        for key in (f"{land}-{cell['code1']}", f"{land}-{cell['code2']}", land):
            region = self.given.get(key, key)
            if region in self.known:
                return self._staged(line, land, region, f"{cell['code2']}/{cell['code3']}", None)
        name = f"{land}-{cell['code1']} {cell['division1']}".rstrip("- ")
        if name not in self.left_out and len(self.left_out) >= _MOST_LEFT_OUT:
            name = "others"
        self.left_out[name] = self.left_out.get(name, 0) + 1
        return None

    def _region(self, cell: str) -> str:
        region = self.given.get(cell, cell)
        if region not in self.known:
            raise CellFault(FaultKind.REGION_UNKNOWN, region=cell)
        return region

    def _staged(self, line: Line, land: str, region: str, part: str, population: int | None) -> StagedPlace:
        name, postcode = line.take("name", _NAME, ""), line.take("postcode", _POSTCODE, "")
        named = bool(line.given.get("name") or line.given.get("postcode"))
        line.check(named, "name", FaultKind.EMPTY_PLACE)
        lat, lng = line.take("lat", cells.degrees(90), 0.0), line.take("lng", cells.degrees(180), 0.0)
        zone = line.take("time_zone", _time_zone, "")
        if not line.faults:
            zone = zone or zone_at(land, self.near.get(region, ()), lat, lng)
        return land, region, part, name, postcode, lat, lng, zone, population


def _population(cell: str) -> int | None:
    return _POPULATION(cell) if cell else None


def _time_zone(cell: str) -> str:
    return cells.time_zone(cell) if cell else ""
