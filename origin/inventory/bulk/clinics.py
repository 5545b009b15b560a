"""Recurring clinics: from hours on a site's clock to slots, day by day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Hours = tuple[time, time]
"""From, until; on the site's clock."""

Span = tuple[datetime, datetime]
"""From, until; moments in UTC."""


@dataclass(frozen=True)
class Clinic:
    """A recurring clinic. ``weekdays``: 1 is Monday. ``breaks``: in order. ``exceptions``: days with other
    hours, or None for closed; they change the days of the clinic, and never open it on others.
    """

    time_zone: str
    weekdays: frozenset[int]
    hours: Hours
    breaks: tuple[Hours, ...]
    slot_minutes: int
    first_day: date
    last_day: date | None
    exceptions: Mapping[date, Hours | None]


def slots(clinic: Clinic, first: date, until: date) -> Iterator[Span]:
    """Yield the clinic's slots of the days from ``first`` up to, not including, ``until``; in order, none into another.

    As many whole slots as fit follow each other from the opening, and again from the end of each break. A slot always
    lasts its minutes: on a day on which clocks are changed while the clinic is open, there are fewer or more of them. A
    time that the clock leaves out counts as if it had not been changed yet; one that it shows twice, as the first.
    """
    length = timedelta(minutes=clinic.slot_minutes)
    day = max(first, clinic.first_day)
    end = until if clinic.last_day is None else min(until, clinic.last_day + timedelta(days=1))
    while day < end:
        hours = _hours(clinic, day)
        if hours is not None:
            for begins, ends in _open(clinic, day, hours):
                starts_at = begins
                while starts_at + length <= ends:
                    yield starts_at, starts_at + length
                    starts_at += length
        day += timedelta(days=1)


def midnight(day: date, zone: str) -> datetime:
    """Return when a day begins on a site's clock, in UTC."""
    return _moment(day, time(0), zone)


def _hours(clinic: Clinic, day: date) -> Hours | None:
    return clinic.exceptions.get(day, clinic.hours) if day.isoweekday() in clinic.weekdays else None


def _open(clinic: Clinic, day: date, hours: Hours) -> Iterator[Span]:
    """Yield the time between opening and closing, without the breaks."""
    begins, closes = (_moment(day, each, clinic.time_zone) for each in hours)
    for pause in clinic.breaks:
        pause_begins, pause_ends = (_moment(day, each, clinic.time_zone) for each in pause)
        if begins < pause_begins:
            yield begins, min(pause_begins, closes)
        begins = max(begins, pause_begins, pause_ends)
    yield begins, closes


def _moment(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)
