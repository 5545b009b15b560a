"""A date as people type it into three fields. Pure."""

from dataclasses import dataclass
from datetime import date

from shared.web.texts import marked

FUTURE = "future"
OLD = "old"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Faulty:
    """A date that cannot be read, and in which fields it goes wrong.

    ``what``: the missing parts, ``"day year"``; ``FUTURE`` or ``OLD``; else a text in English that says it of any date.
    """

    what: str
    parts: tuple[str, ...]


def read_date(day: str, month: str, year: str, today: date, *, oldest_years: int) -> date | Faulty:
    """Return the date. A month may be given as a number or by its English name."""
    given = {"day": day, "month": month, "year": year}
    missing = tuple(name for name, text in given.items() if not text)
    if missing:
        return Faulty(" ".join(missing), missing)
    numbers = _number(year), _month(month), _number(day)
    if numbers[0] is None or len(year) != 4:
        return Faulty(marked("The year must have four digits, for example 1958"), ("year",))
    if numbers[2] is None:
        return Faulty(marked("The day must be a number"), ("day",))
    if numbers[1] is None or not 1 <= numbers[1] <= 12:
        return Faulty(marked("The month must be a number from 1 to 12"), ("month",))
    return _possible(numbers[0], numbers[1], numbers[2], today, oldest_years)


def _possible(year: int, month: int, day: int, today: date, oldest_years: int) -> date | Faulty:
    try:
        read = date(year, month, day)
    except ValueError:
        return Faulty(marked("That day does not exist: check day and month"), ("day", "month"))
    if read > today:
        return Faulty(FUTURE, ("year",))
    return Faulty(OLD, ("year",)) if read.year < today.year - oldest_years else read


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _month(text: str) -> int | None:
    """Return a month given as number or by its English name."""
    by_name = _MONTHS.index(text[:3].lower()) + 1 if text[:3].lower() in _MONTHS else None
    return by_name if by_name is not None else _number(text)
