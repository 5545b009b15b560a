"""Ages and days as whole numbers that only grow, and the day on which one reaches a bound. Pure.

An age is counted in full months: twelve of them are a year. Who is born on a day that a month lacks is a month older on
the first of the next: born on 29 February, a year older on 1 March.
"""

from collections.abc import Callable
from datetime import date, timedelta

Measure = Callable[[date, date], int]
"""From the date that was told and the day that is decided about to a number that never falls as days pass."""
Reached = Callable[[date, int], date | None]
"""From the date that was told and a number to the first day that reaches it; None: never, or beyond the calendar."""


def months(born: date, on: date) -> int:
    """Return the full months of age on a day."""
    return 12 * (on.year - born.year) + on.month - born.month - (on.day < born.day)


def months_reached(born: date, age: int) -> date | None:
    """Return the first day of an age in months; None beyond the calendar."""
    year, month = divmod(12 * born.year + born.month - 1 + age, 12)
    if not 1 <= year <= date.max.year:
        return None
    try:
        return date(year, month + 1, born.day)
    except ValueError:  # never December: it has every day
        return date(year, month + 2, 1)


def year_end(day: date) -> date:
    """Return the last day of a day's calendar year."""
    return date(day.year, 12, 31)


def year_start(day: date) -> date:
    """Return the first day of a day's calendar year."""
    return date(day.year, 1, 1)


class Season:
    """Years that begin on a month and day, ``"09-01"``."""

    def __init__(self, starts: str) -> None:
        self._month, self._day = (int(part) for part in starts.split("-"))

    def start(self, day: date) -> date:
        """Return the first day of a day's season; the calendar's first day where that is none."""
        this = date(day.year, self._month, self._day)
        if this <= day:
            return this
        return date.min if day.year == 1 else date(day.year - 1, self._month, self._day)

    def end(self, day: date) -> date:
        """Return the last day of a day's season; the calendar's last day where that is none."""
        this = date(day.year, self._month, self._day)
        if this > day:
            return this - timedelta(days=1)
        if day.year == date.max.year:
            return date.max
        return date(day.year + 1, self._month, self._day) - timedelta(days=1)


def age_at_end(end: Callable[[date], date]) -> Measure:
    """Return the measure of the age in months on the last day of a year or season."""
    return lambda born, day: months(born, end(day))


def age_at_end_reached(start: Callable[[date], date]) -> Reached:
    """Return the day on which a year or season begins in which an age is reached."""

    def reached(born: date, age: int) -> date | None:
        birthday = months_reached(born, age)
        return None if birthday is None else start(birthday)

    return reached


def age_on(fixed: date) -> Measure:
    """Return the measure of the age in months on a fixed day: below zero for those born later."""
    return lambda born, _: months(born, fixed)


def ordinal(told: date, _: date) -> int:
    """Return the told date itself, as a day number."""
    return told.toordinal()


def days_since(told: date, day: date) -> int:
    """Return the full days from one date to another."""
    return (day - told).days


def days_since_reached(told: date, days: int) -> date | None:
    """Return the date that many days later; None beyond the calendar."""
    number = told.toordinal() + days
    return date.fromordinal(number) if number <= date.max.toordinal() else None


def day_number(_: date, day: date) -> int:
    """Return the day that is decided about, as a day number."""
    return day.toordinal()


def day_number_reached(_: date, number: int) -> date | None:
    """Return the day with a number."""
    return date.fromordinal(number) if 1 <= number <= date.max.toordinal() else None


def never(_told: date, _number: int) -> date | None:
    """Of what time does not change."""
    return None
