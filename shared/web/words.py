"""Numbers and waits as people say them, in the reader's language where Babel knows it. Pure."""

from functools import lru_cache
from typing import Protocol

from babel.numbers import get_group_symbol
from babel.units import format_unit

from shared.web.texts import marked, texts

_WAIT_PATTERNS = {
    "none": marked("less than a minute"),
    "up_to": marked("up to {high}"),
    "about": marked("about {low}"),
    "between": marked("between {low} and {high}"),
    "more": marked("more than {low}"),
    "unknown": marked("not known at the moment"),
}
_MINUTE_S = 60
_MOST = 24 * 60  # minutes


def number(value: int, locale: str = "en") -> str:
    """Return ``12,345`` for 12345, in the languages that group by threes, as all of ours do."""
    return f"{value:,}".replace(",", _separator(locale)) if abs(value) >= 1_000 else str(value)


@lru_cache
def _separator(locale: str) -> str:
    return get_group_symbol(locale)


@lru_cache(maxsize=16_384)
def wait(low_s: float, high_s: float, locale: str = "en") -> str:
    """Return a wait as an interval in words: ``between 4 and 7 minutes``.

    The interval is widened to round figures, never narrowed: minutes below half an hour, five minutes below an hour and
    a half, quarters of an hour above. ``edge/pages/static/waiting.js`` rounds in the same way.
    """
    low, high = int(max(0, low_s) // _MINUTE_S), int(-(-max(0, low_s, high_s) // _MINUTE_S))
    return _wait(low - low % _step(low), high + -high % _step(high), locale)


@lru_cache
def wait_patterns(locale: str) -> dict[str, str]:
    """Return how waits are said; the page hands them to its script too, so that both say the same."""
    said = texts(locale).gettext
    return {name: said(text) for name, text in _WAIT_PATTERNS.items()}


class Interval(Protocol):
    """An estimated wait, in seconds."""

    @property
    def p50_s(self) -> int: ...

    @property
    def p90_s(self) -> int: ...


def maybe_wait(expected: Interval | None, locale: str = "en") -> str:
    """Return the wait in words, or that it is not known."""
    if expected is None:
        return wait_patterns(locale)["unknown"]
    return wait(expected.p50_s, expected.p90_s, locale)


@lru_cache(maxsize=4096)
def _wait(low: int, high: int, locale: str) -> str:
    say = wait_patterns(locale)
    if high <= 1:
        return say["none"]
    if high > _MOST:
        return say["more"].format(low=length(max(1, min(low, _MOST)), locale))
    if low == 0:
        return say["up_to"].format(high=length(high, locale))
    if low == high:
        return say["about"].format(low=length(low, locale))
    short = number(low, locale) if high < 60 else length(low, locale)
    return say["between"].format(low=short, high=length(high, locale))


def length(minutes: int, locale: str = "en") -> str:
    """Return ``1 hour 15 minutes`` for 75."""
    hours, rest = divmod(minutes, 60)
    parts = [format_unit(hours, "duration-hour", locale=locale)] if hours else []
    if rest or not hours:
        parts.append(format_unit(rest, "duration-minute", locale=locale))
    return " ".join(str(part) for part in parts)


def _step(minutes: int) -> int:
    return 1 if minutes < 30 else 5 if minutes < 90 else 15
