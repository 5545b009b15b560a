"""Moments as staff type and read them: on the clock of a place. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

UTC_NAME = "UTC"
_MOST_CLOCKS = 3
_FORM = "d MMM y HH:mm"


class NoMoment(ValueError):
    """What was typed is no moment, or names a clock that was not offered."""


class Skipped(NoMoment):
    """There is no such time on that clock: it goes forward then."""


class Twice(NoMoment):
    """That time comes twice on that clock: it goes back then."""


def moment_on(text: str, zone: str, offered: Sequence[str]) -> datetime:
    """Return the one moment, in UTC, at which the clock of ``zone`` shows what was typed, ``2027-03-01T08:00``.

    Raises:
        NoMoment, Skipped, Twice: there is no such moment, or not only one: nobody guesses which was meant.
    """
    if zone not in offered:
        raise NoMoment
    try:
        typed = datetime.fromisoformat(text)
        if typed.tzinfo is not None:
            raise NoMoment
        first, second = (typed.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
        is_shown = first.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == typed
    except (ValueError, OverflowError) as fault:
        raise NoMoment from fault
    if not is_shown:
        raise Skipped
    if first != second:
        raise Twice
    return first


def in_utc(at: datetime, language: str) -> str:
    """Return ``1 Mar 2027 07:00 UTC``."""
    return f"{format_datetime(at.astimezone(UTC), _FORM, locale=language)} {UTC_NAME}"


def on_clocks(at: datetime, zones: Sequence[str], language: str) -> list[str]:
    """Return a moment on the clocks of places, ``1 Mar 2027 08:00 Europe/Madrid``, of the first few."""
    local = [zone for zone in zones if zone != UTC_NAME][:_MOST_CLOCKS]
    return [f"{format_datetime(at.astimezone(ZoneInfo(zone)), _FORM, locale=language)} {zone}" for zone in local]
