"""The time zone of a place that comes without: near enough to tell which day it is there.

It is that of the nearest site in its region, which somebody has written down; in a region without sites, that of the
nearest town that the IANA database names for its country. ``zone.tab`` has one such town for each zone, so that a place
far from all of them may be given the neighbouring zone.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

_DEGREES = re.compile(r"([+-]\d{2})(\d{2})(\d{2})?([+-]\d{3})(\d{2})(\d{2})?")

Spot = tuple[float, float, str]
"""Latitude, longitude, IANA name."""


def zone_at(country: str, near: Sequence[Spot], lat: float, lng: float) -> str:
    """Return the IANA name of the zone at a place. ``near``: sites of its region, if there are any."""
    spots = near or _towns().get(country) or _everywhere()
    if len(spots) == 1:
        return spots[0][2]
    return min(spots, key=lambda spot: _apart(lat, lng, spot))[2]


def spots_by_region(sites: Sequence[tuple[str, float, float, str]]) -> Mapping[str, Sequence[Spot]]:
    """Return sites (region, latitude, longitude, zone) by region; one will do where all have the same zone."""
    found: dict[str, list[Spot]] = {}
    for region, lat, lng, zone in sites:
        found.setdefault(region, []).append((lat, lng, zone))
    return {region: near if len({zone for *_, zone in near}) > 1 else near[:1] for region, near in found.items()}


def _apart(lat: float, lng: float, spot: Spot) -> float:
    """Return how far apart two places are: 0 to 1, and no unit, by the haversine formula."""
    between = math.sin(math.radians(lat - spot[0]) / 2) ** 2
    across = math.sin(math.radians(lng - spot[1]) / 2) ** 2
    return between + math.cos(math.radians(lat)) * math.cos(math.radians(spot[0])) * across


@cache
def _everywhere() -> list[Spot]:
    return [spot for several in _towns().values() for spot in several]


@cache
def _towns() -> dict[str, list[Spot]]:
    found: dict[str, list[Spot]] = {}
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, where, zone, *_ = line.split("\t")
            found.setdefault(country, []).append((*_degrees(where), zone))
    return found


def _degrees(written: str) -> tuple[float, float]:
    """Read ISO 6709: degrees, minutes, perhaps seconds, of latitude and longitude."""
    parts = _DEGREES.fullmatch(written)
    assert parts is not None, written
    lat, lng = (
        math.copysign(abs(int(degrees)) + int(minutes) / 60 + int(seconds or 0) / 3600, -1 if degrees[0] == "-" else 1)
        for degrees, minutes, seconds in (parts.groups()[:3], parts.groups()[3:])
    )
    return lat, lng
