"""A month at a glance: a calendar of the free places of each day. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from babel import Locale
from babel.dates import format_skeleton, get_day_names

from origin.inventory.forms import month_after
from origin.inventory.store import FreeDay
from origin.web.wish import Wish
from origin.words import day


@dataclass(frozen=True)
class DayCell:
    """One day. ``address``: where its times are, empty for a day that is past or too far away, or has none."""

    number: int
    name: str
    places: int
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class MonthWords:
    """A month by weeks; None for days of other months. ``weekdays``: short and long names."""

    name: str
    weekdays: list[tuple[str, str]]
    weeks: list[list[DayCell | None]]
    earlier: str
    later: str


def month_words(wish: Wish, free: Iterable[FreeDay], chosen: frozenset[date], language: str) -> MonthWords:
    """Return the month of a wish; ``chosen``: the days that the page lists."""
    first, end = wish.month, month_after(wish.month)
    places = {each.day: each.places for each in free}
    starts_on = Locale.parse(language).first_week_day
    days: list[DayCell | None] = [None] * ((first.weekday() - starts_on) % 7)
    for offset in range((end - first).days):
        on = first + timedelta(days=offset)
        is_open = wish.today <= on <= wish.last_day and on in places
        address = wish.on(on) if is_open else ""
        days.append(DayCell(on.day, day(on, language), places.get(on, 0) if is_open else 0, address, on in chosen))
    days += [None] * (-len(days) % 7)
    return MonthWords(
        name=format_skeleton("yMMMM", first, locale=language),
        weekdays=_weekdays(starts_on, language),
        weeks=[days[at : at + 7] for at in range(0, len(days), 7)],
        earlier=wish.address(month=_before(first)) if first > wish.today.replace(day=1) else "",
        later=wish.address(month=end) if end <= wish.last_day else "",
    )


def _before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def _weekdays(starts_on: int, language: str) -> list[tuple[str, str]]:
    short = get_day_names("short", context="stand-alone", locale=language)
    long = get_day_names("wide", context="stand-alone", locale=language)
    return [(str(short[at % 7]), str(long[at % 7])) for at in range(starts_on, starts_on + 7)]
