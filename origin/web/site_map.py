"""A map of the sites on the page: where they lie around a place, to scale, without anybody's tiles. Pure.

North is up; a degree of longitude is as long as it is at the place. Over the distances that people travel for an
appointment that is right to well under a pixel of what is drawn.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from origin.words import distance

SIZE = 320
_MIDDLE = SIZE / 2
_EDGE = 26  # px that stay free around the outermost site
_MARKER = 23  # px between the middles of two markers
_ROUNDS = 80
_SMALLEST_KM = 0.5
_KM_PER_DEGREE = 111.2
_NICE = (1, 2, 5)
_WIDTH_OF_A_LETTER = 6.4
_LINE = 15


@dataclass(frozen=True)
class Point:
    """A point of the drawing, in px from its top left corner."""

    x: float
    y: float


@dataclass(frozen=True)
class Marker:
    """A site's number. ``at``: where it is drawn; ``site``: where the site is, which differs where sites lie close."""

    number: int
    at: Point
    site: Point

    @property
    def is_moved(self) -> bool:
        """Whether a line must lead from the number to the site."""
        return math.dist((self.at.x, self.at.y), (self.site.x, self.site.y)) > 3


@dataclass(frozen=True)
class Label:
    """A text, its middle at a point."""

    text: str
    at: Point
    kind: Literal["here", "km", "town"]


@dataclass(frozen=True)
class Length:
    """A length that is drawn, in px, and what it is in the world."""

    px: float
    text: str


@dataclass(frozen=True)
class SiteMap:
    """What is drawn. ``rings`` are circles around the place; ``bar`` is the scale."""

    markers: list[Marker]
    labels: list[Label]
    rings: list[Length]
    bar: Length


@dataclass(frozen=True)
class Drawn:
    """A site to be drawn."""

    number: int
    lat: float
    lng: float
    town: str


def site_map(sites: Sequence[Drawn], lat: float, lng: float, name: str, language: str) -> SiteMap:
    """Return the map around a place; ``name`` is the place's own, which is not written twice."""
    east = _KM_PER_DEGREE * math.cos(math.radians(lat))
    offsets = [((site.lng - lng) * east, (site.lat - lat) * _KM_PER_DEGREE) for site in sites]
    reach_km = max([_SMALLEST_KM, *(max(abs(x), abs(y)) for x, y in offsets)])
    px_per_km = (_MIDDLE - _EDGE) / reach_km
    points = [Point(_MIDDLE + x * px_per_km, _MIDDLE - y * px_per_km) for x, y in offsets]
    markers = [Marker(site.number, at, point) for site, at, point in zip(sites, _apart(points), points, strict=True)]
    step = nice_km(reach_km / 2)
    rings = [Length(km * px_per_km, distance(km, language)) for km in (step, 2 * step) if km <= reach_km * 1.1]
    room = _Room([_box(marker.at, _MARKER, _MARKER) for marker in markers])
    room.write(name, "here", _around_the_middle())
    for ring in rings:
        room.write(ring.text, "km", _on_ring(ring.px))
    of_town: dict[str, list[Point]] = {}
    for site, point in zip(sites, points, strict=True):
        of_town.setdefault(site.town, []).append(point)
    for town in sorted(of_town.keys() - {name}):
        room.write(town, "town", _beside(of_town[town], _wide(town)))
    return SiteMap(markers, room.labels, rings, Length(step * px_per_km, distance(step, language)))


def nice_km(at_most: float) -> float:
    """Return the largest of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not above."""
    power = 10.0 ** math.floor(math.log10(at_most))
    return max(step * power for step in _NICE if step * power <= at_most * (1 + 1e-9))


def _apart(points: Sequence[Point]) -> list[Point]:
    """Move points that would cover each other apart, as little as does."""
    at = [[point.x, point.y] for point in points]
    for _ in range(_ROUNDS):
        if not sum(_push(at, one, other) for one in range(len(at)) for other in range(one)):
            break
    return [Point(round(x, 1), round(y, 1)) for x, y in at]


def _push(at: list[list[float]], one: int, other: int) -> bool:
    """Push two points apart where they are too close; tell whether they were."""
    dx, dy = at[one][0] - at[other][0], at[one][1] - at[other][1]
    gap = math.hypot(dx, dy)
    if gap >= _MARKER - 0.1:
        return False
    angle = math.atan2(dy, dx) if gap > 0.01 else one * 2.4  # of those in one spot each goes its own way
    half = (_MARKER - gap) / 2
    for index, sign in ((one, 1), (other, -1)):
        at[index][0] = _inside(at[index][0] + sign * half * math.cos(angle))
        at[index][1] = _inside(at[index][1] + sign * half * math.sin(angle))
    return True


def _inside(value: float) -> float:
    return min(max(value, _MARKER / 2 + 1), SIZE - _MARKER / 2 - 1)


class _Room:
    """Where there still is room for words: none covers a number, the scale or other words."""

    def __init__(self, taken: list["_Box"]) -> None:
        self._taken = [*taken, (0, SIZE - 36, SIZE / 2, SIZE)]
        self.labels: list[Label] = []

    def write(self, text: str, kind: Literal["here", "km", "town"], spots: Iterable[Point]) -> None:
        """Write at the first spot that is free; nowhere where none is."""
        for spot in spots:
            box = _box(spot, _wide(text), _LINE)
            inside = min(box) > 0 and max(box[2:]) < SIZE
            if inside and not any(_meet(box, other) for other in self._taken):
                self.labels.append(Label(text, Point(round(spot.x, 1), round(spot.y, 1)), kind))
                self._taken.append(box)
                return


def _around_the_middle() -> Iterator[Point]:
    for away in range(14, 80, 11):
        yield Point(_MIDDLE, _MIDDLE - away)
        yield Point(_MIDDLE, _MIDDLE + away)


def _on_ring(px: float) -> Iterator[Point]:
    for degrees in (-90, 90, -45, 45, -135, 135, 0, 180):
        angle = math.radians(degrees)
        yield Point(_MIDDLE + px * math.cos(angle), _MIDDLE + px * math.sin(angle))


def _beside(spots: Sequence[Point], width: float) -> Iterator[Point]:
    """Yield spots below and above a town's sites, not over the edge."""
    x = sum(spot.x for spot in spots) / len(spots)
    x = min(max(x, width / 2 + 1), SIZE - width / 2 - 1)
    yield Point(x, max(spot.y for spot in spots) + 22)
    yield Point(x, min(spot.y for spot in spots) - 22)


def _wide(text: str) -> float:
    return len(text) * _WIDTH_OF_A_LETTER + 4


_Box = tuple[float, float, float, float]


def _box(middle: Point, width: float, height: float) -> _Box:
    return middle.x - width / 2, middle.y - height / 2, middle.x + width / 2, middle.y + height / 2


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
