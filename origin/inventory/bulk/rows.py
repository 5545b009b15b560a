"""Rows of supply files, as they go into the database; and which columns each kind of file has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Literal, TypeVar

import msgspec

from origin.inventory.bulk import cells
from origin.inventory.bulk.cells import CellFault
from origin.inventory.bulk.fault_kinds import FaultKind, Given

KindName = Literal["regions", "sites", "templates", "exceptions", "slots", "places"]
T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """A kind of file, known by its columns. What a file has no column for stays as it is."""

    name: KindName
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """All columns."""
        return frozenset(self.required + self.optional)


# In the order in which they are read, whatever the order of the files: each may name what comes before it.
KINDS = (
    Kind("regions", ("region", "name")),
    Kind(
        "sites",
        ("site", "region", "name", "address", "town", "lat", "lng", "time_zone", "step_free"),
        ("postcode", "accessibility", "phone", "email", "url", "products"),
    ),
    Kind(
        "templates",
        ("template", "site", "weekdays", "opens", "closes", "slot_minutes", "capacity", "product", "from"),
        ("breaks", "until"),
    ),
    Kind("exceptions", ("day", "name", "what"), ("region", "site", "opens", "closes")),
    Kind("slots", ("site", "starts_at", "ends_at", "product", "capacity")),
)


def kind_of(columns: frozenset[str], kinds: Sequence[Kind] = KINDS) -> Kind | None:
    """Return the kind of file that has these columns."""
    fits = [kind for kind in kinds if set(kind.required) <= columns <= kind.columns]
    return fits[0] if len(fits) == 1 else None


def nearest_kind(columns: frozenset[str], kinds: Sequence[Kind] = KINDS) -> Kind:
    """Return the kind that was probably meant: most columns in common, fewest missing."""
    return max(kinds, key=lambda kind: (len(columns & kind.columns), -len(set(kind.required) - columns)))


class Region(msgspec.Struct, frozen=True):
    """A region."""

    id: str
    name: str


class Site(msgspec.Struct, frozen=True):
    """A site. None: the file has no such column."""

    code: str
    region: str
    name: str
    address: str
    town: str
    lat: float
    lng: float
    time_zone: str
    step_free: bool
    postcode: str | None
    accessibility: list[str] | None
    phone: str | None
    email: str | None
    url: str | None
    products: list[str] | None


class ClinicTemplate(msgspec.Struct, frozen=True):
    """A recurring clinic; hours on the clock of its site."""

    code: str
    site: str
    weekdays: list[int]
    opens: time
    closes: time
    breaks_from: list[time]
    breaks_until: list[time]
    slot_minutes: int
    capacity: int
    product: str
    first_day: date
    last_day: date | None


class ClinicException(msgspec.Struct, frozen=True):
    """A day with other hours, or without any; ``what`` "none" takes an exception back."""

    day: date
    name: str
    what: Literal["closed", "hours", "none"]
    region: str | None
    site: str | None
    opens: time | None
    closes: time | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot; ``starts_at`` and ``ends_at`` as written, see ``moments``."""

    site: str
    starts_at: datetime
    ends_at: datetime
    product: str
    capacity: int


@dataclass
class Line:
    """The cells of one row while it is read; what is wrong gathers in ``faults``, as (column, fault)."""

    given: Mapping[str, str]
    faults: list[tuple[str, CellFault]] = field(default_factory=list)

    def take(self, column: str, read: Callable[[str], T], otherwise: T) -> T:
        """Return what ``read`` makes of a cell; ``otherwise`` where there is no such cell, or it is at fault."""
        cell = self.given.get(column)
        if cell is None:
            return otherwise
        try:
            return read(cell)
        except CellFault as fault:
            self.faults.append((column, fault))
            return otherwise

    def check(self, fine: bool, column: str, kind: FaultKind, /, **given: Given) -> None:
        """Note a fault unless ``fine``; not while there are others, which would only repeat themselves."""
        if not fine and not self.faults:
            self.faults.append((column, CellFault(kind, **given)))


_NAME = cells.text(200)
_REGION = cells.text(64)
_MAYBE = cells.text(200, empty=True)
_CAPACITY = cells.whole(0, 100_000)
_MINUTES = cells.whole(1, 1440)
NO_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)  # in place of one that is at fault
_MIDNIGHT, _FIRST_DAY = time(0), date(2000, 1, 1)


def region(line: Line) -> Region:
    """Read a region."""
    return Region(line.take("region", _REGION, ""), line.take("name", _NAME, ""))


def site(line: Line) -> Site:
    """Read a site."""
    return Site(
        code=line.take("site", cells.code, ""),
        region=line.take("region", _REGION, ""),
        name=line.take("name", _NAME, ""),
        address=line.take("address", _NAME, ""),
        town=line.take("town", _NAME, ""),
        lat=line.take("lat", cells.degrees(90), 0.0),
        lng=line.take("lng", cells.degrees(180), 0.0),
        time_zone=line.take("time_zone", cells.time_zone, ""),
        step_free=line.take("step_free", cells.yes_or_no, False),
        postcode=line.take("postcode", cells.text(20, empty=True), None),
        accessibility=line.take("accessibility", cells.several(cells.feature), None),
        phone=line.take("phone", cells.text(40, empty=True), None),
        email=line.take("email", cells.email, None),
        url=line.take("url", cells.web_address, None),
        products=line.take("products", cells.several(cells.product), None),
    )


def template(line: Line) -> ClinicTemplate:
    """Read a recurring clinic."""
    breaks: list[cells.Hours] = line.take("breaks", cells.breaks, [])
    last_day = line.take("until", lambda cell: cells.day(cell) if cell else None, None)
    read = ClinicTemplate(
        code=line.take("template", cells.code, ""),
        site=line.take("site", cells.code, ""),
        weekdays=line.take("weekdays", cells.weekdays, []),
        opens=line.take("opens", cells.clock, _MIDNIGHT),
        closes=line.take("closes", cells.clock, _MIDNIGHT),
        breaks_from=[begins for begins, _ in breaks],
        breaks_until=[ends for _, ends in breaks],
        slot_minutes=line.take("slot_minutes", _MINUTES, 1),
        capacity=line.take("capacity", cells.whole(1, 100_000), 1),
        product=line.take("product", cells.product, ""),
        first_day=line.take("from", cells.day, _FIRST_DAY),
        last_day=last_day,
    )
    line.check(read.opens < read.closes, "closes", FaultKind.ORDER_CLINIC)
    line.check(last_day is None or last_day >= read.first_day, "until", FaultKind.ORDER_DAYS)
    return read


def exception(line: Line) -> ClinicException:
    """Read a day that is not like its weekday."""
    read = ClinicException(
        day=line.take("day", cells.day, _FIRST_DAY),
        name=line.take("name", _NAME, ""),
        what=line.take("what", _what, "closed"),
        region=line.take("region", _MAYBE, None) or None,
        site=line.take("site", lambda cell: cells.code(cell) if cell else None, None),
        opens=line.take("opens", lambda cell: cells.clock(cell) if cell else None, None),
        closes=line.take("closes", lambda cell: cells.clock(cell) if cell else None, None),
    )
    line.check(not (read.region and read.site), "site", FaultKind.SCOPE)
    hours = read.opens is not None and read.closes is not None and read.opens < read.closes
    line.check(read.what != "hours" or hours, "opens", FaultKind.HOURS_MISSING)
    unused = read.what == "hours" or (read.opens is None and read.closes is None)
    line.check(unused, "opens", FaultKind.HOURS_UNUSED)
    return read


def _what(cell: str) -> Literal["closed", "hours", "none"]:
    match cell.lower():
        case "closed" | "hours" | "none" as known:
            return known
        case _:
            raise CellFault(FaultKind.WHAT)


def slot(line: Line) -> Slot:
    """Read a slot."""
    return Slot(
        site=line.take("site", cells.code, ""),
        starts_at=line.take("starts_at", cells.moment, NO_MOMENT),
        ends_at=line.take("ends_at", cells.moment, NO_MOMENT),
        product=line.take("product", cells.product, ""),
        capacity=line.take("capacity", _CAPACITY, 0),
    )
