"""When a line opens, as a page says it: the moment, and how long it is until then. Pure.

The server does not know where a visitor is, so it says moments in UTC and how long it is; the page's script says them
in the visitor's own time.
"""

from datetime import UTC, datetime, timedelta

from babel.dates import format_date, format_time, format_timedelta
from babel.units import format_unit

from edge.line.view import View
from shared.web import words

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_SOONEST_REFRESH_S = 5
_LATEST_REFRESH_S = 60
_SPREAD_S = 10
_NO_WEEKS = 10_000


def next_moment(view: View, lane: int) -> str | None:
    """Return when people may join a lane, or are called where they may join already (ISO 8601); None: it is open."""
    seen = view.status
    moments = (seen.prequeue_at, seen.lanes[lane].opens_at)
    return next((moment for moment in moments if moment is not None and moment > view.as_of), None)


def values(moment: str | None, as_of: str, language: str) -> dict[str, object]:
    """Return what a page says of a moment: itself (``at``), in words, how long it is until then, and the time now."""
    if moment is None:
        return {}
    at = datetime.fromisoformat(moment)
    left_s = (at - datetime.fromisoformat(as_of)).total_seconds()
    return {"at": moment, "at_text": when(at, language), "left": length(left_s, language), "as_of": as_of}


def refresh_s(moment: str, as_of: str, spread: float) -> int:
    """Return after how many seconds a page without scripts looks again.

    Within ten seconds after the moment, where that is soon: those who wait for it do not all come in the same one.

    Args:
        spread: between 0 and 1.
    """
    left = datetime.fromisoformat(moment) - datetime.fromisoformat(as_of)
    after = max(timedelta(), left).total_seconds() + 1 + _SPREAD_S * spread
    return round(max(_SOONEST_REFRESH_S, min(after, _LATEST_REFRESH_S + _SPREAD_S * spread)))


def when(moment: datetime, language: str) -> str:
    """Return ``Sunday, November 22, 2026 – 9:00 AM UTC`` as people write it."""
    utc = moment.astimezone(UTC)
    return f"{format_date(utc, 'full', locale=language)} – {format_time(utc, 'short', locale=language)} UTC"


def length(seconds: float, language: str) -> str:
    """Return a length in its two largest units, rounded up: ``2 days 4 hours``, ``5 minutes``, ``40 seconds``."""
    whole = max(0, round(seconds))
    if whole < _MINUTE_S:
        return str(format_unit(whole, "duration-second", locale=language))
    if whole < _DAY_S:
        return words.length(-(-whole // _MINUTE_S), language)
    days, rest = divmod(-(-whole // _HOUR_S), _DAY_S // _HOUR_S)
    # Not format_unit: Babel 2.18 does not find the Arabic for days there.
    parts = [format_timedelta(timedelta(days=days), granularity="day", threshold=_NO_WEEKS, locale=language)]
    if rest:
        parts.append(str(format_unit(rest, "duration-hour", locale=language)))
    return " ".join(parts)
