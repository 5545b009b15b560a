"""One cell of a supply file: text in, a value out, or what is wrong with it in plain words."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import cache, lru_cache
from itertools import pairwise
from typing import get_args
from zoneinfo import available_timezones

from origin.inventory.bulk.fault_kinds import FaultKind, Given
from origin.inventory.slots import Feature

Hours = tuple[time, time]

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CVX = re.compile(r"[0-9]{2,3}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?")
_CLOCK = re.compile(r"\d{2}:\d{2}")
_WHOLE = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_EARLIEST, _LATEST = 2000, 2199

WEEKDAYS = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7}
ACCESSIBILITY: tuple[str, ...] = get_args(Feature)


class CellFault(Exception):
    """A cell that cannot be used, and what its sentence is about."""

    def __init__(self, kind: FaultKind, /, **given: Given) -> None:
        super().__init__(kind.said(given))
        self.kind = kind
        self.given = given


@lru_cache(maxsize=4096)
def code(cell: str) -> str:
    """Read a code: letters, digits, ``. _ -``, at most 64."""
    if not _CODE.fullmatch(cell):
        raise CellFault(FaultKind.CODE)
    return cell


@lru_cache(maxsize=4096)
def product(cell: str) -> str:
    """Read a CVX code."""
    if not _CVX.fullmatch(cell):
        raise CellFault(FaultKind.PRODUCT)
    return cell


def text(longest: int, *, empty: bool = False) -> Callable[[str], str]:
    """Return a reader of one line of text."""

    def read(cell: str) -> str:
        if not cell and not empty:
            raise CellFault(FaultKind.EMPTY)
        if len(cell) > longest:
            raise CellFault(FaultKind.TOO_LONG, limit=longest)
        if not cell.isprintable():
            raise CellFault(FaultKind.CHARACTERS)
        return cell

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of a whole number."""

    @lru_cache(maxsize=1024)
    def read(cell: str) -> int:
        if not _WHOLE.fullmatch(cell) or not low <= int(cell) <= high:
            raise CellFault(FaultKind.NUMBER, low=low, high=high)
        return int(cell)

    return read


def degrees(most: int) -> Callable[[str], float]:
    """Return a reader of decimal degrees between ``-most`` and ``most``."""

    def read(cell: str) -> float:
        if not _NUMBER.fullmatch(cell) or not math.fabs(float(cell)) <= most:
            raise CellFault(FaultKind.NUMBER_DEGREES, low=-most, high=most)
        return float(cell)

    return read


def yes_or_no(cell: str) -> bool:
    """Read yes or no, true or false, 1 or 0."""
    if cell.lower() not in _YES:
        raise CellFault(FaultKind.YES_NO)
    return _YES[cell.lower()]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(cell: str) -> str:
    """Read an IANA time zone."""
    if cell not in _zones():
        raise CellFault(FaultKind.TIME_ZONE)
    return cell


def email(cell: str) -> str:
    """Read an address, or nothing."""
    if cell and not (_EMAIL.fullmatch(cell) and cell.isprintable() and len(cell) <= 254):
        raise CellFault(FaultKind.EMAIL)
    return cell


def web_address(cell: str) -> str:
    """Read an https address, or nothing."""
    if cell and not (cell.startswith("https://") and cell.isprintable() and " " not in cell and len(cell) <= 500):
        raise CellFault(FaultKind.URL)
    return cell


def several(read: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Return a reader of values between spaces: sorted, each once."""
    return lambda cell: sorted({read(each) for each in cell.split()})


def feature(cell: str) -> str:
    """Read one word of accessibility."""
    if cell not in ACCESSIBILITY:
        raise CellFault(FaultKind.ACCESSIBILITY, words=", ".join(ACCESSIBILITY))
    return cell


def weekdays(cell: str) -> list[int]:
    """Read ``mon wed fri`` or ``mon-fri``; 1 is Monday."""
    found: set[int] = set()
    for each in cell.lower().split():
        first, _, last = each.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS or WEEKDAYS[first] > WEEKDAYS[last or first]:
            raise CellFault(FaultKind.WEEKDAYS)
        found |= set(range(WEEKDAYS[first], WEEKDAYS[last or first] + 1))
    if not found:
        raise CellFault(FaultKind.WEEKDAYS_NONE)
    return sorted(found)


def clock(cell: str) -> time:
    """Read a time of day."""
    try:
        if _CLOCK.fullmatch(cell):
            return time.fromisoformat(cell)
    except ValueError:
        pass
    raise CellFault(FaultKind.CLOCK)


def breaks(cell: str) -> list[Hours]:
    """Read ``12:00-13:00 16:00-16:15``, or nothing; in order, none into another."""
    found = []
    for each in cell.split():
        begins, dash, ends = each.partition("-")
        if not dash or clock(begins) >= clock(ends):
            raise CellFault(FaultKind.BREAKS)
        found.append((clock(begins), clock(ends)))
    found.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise CellFault(FaultKind.BREAKS_OVERLAP)
    return found


def day(cell: str) -> date:
    """Read a date."""
    try:
        if _DAY.fullmatch(cell) and _EARLIEST <= int(cell[:4]) <= _LATEST:
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise CellFault(FaultKind.DAY)


@lru_cache(maxsize=65_536)
def moment(cell: str) -> datetime:
    """Read a date and a time: aware where an offset is written, else naive, meant on the site's clock."""
    try:
        if _MOMENT.fullmatch(cell) and _EARLIEST <= int(cell[:4]) <= _LATEST:
            return datetime.fromisoformat(cell)
    except ValueError:
        pass
    raise CellFault(FaultKind.MOMENT)
