"""How pages say when a line opens."""

from datetime import datetime, timedelta, timezone

import pytest

from edge.pages import timetable
from shared.web.languages import LANGUAGES

NOW = "2026-11-22T08:00:00.000Z"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 seconds"),
        (40, "40 seconds"),
        (61, "2 minutes"),
        (3_600, "1 hour"),
        (3_601, "1 hour 1 minute"),
        (86_400, "1 day"),
        (180_000, "2 days 2 hours"),
        (200 * 86_400, "200 days"),
    ],
)
def test_a_length_is_said_in_two_units_and_rounded_up(seconds: float, said: str) -> None:
    assert timetable.length(seconds, "en") == said


def test_every_language_has_words_for_every_unit() -> None:
    for language in LANGUAGES:
        said = [timetable.length(seconds, language) for seconds in (5, 120, 7_200, 259_200)]
        assert not any("duration" in length or length == "" for length in said), said


def test_a_moment_is_said_in_utc_wherever_it_came_from() -> None:
    moment = datetime(2026, 11, 22, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    assert timetable.when(moment, "es") == "domingo, 22 de noviembre de 2026 – 9:30 UTC"


def test_who_waits_for_a_moment_does_not_come_back_in_the_same_second() -> None:
    soon = "2026-11-22T08:00:30.000Z"
    after = {timetable.refresh_s(soon, NOW, spread / 10) for spread in range(10)}
    assert min(after) > 30
    assert max(after) <= 41
    assert len(after) == 10


def test_a_moment_far_away_is_asked_for_once_a_minute() -> None:
    assert 60 <= timetable.refresh_s("2026-11-23T08:00:00.000Z", NOW, 0.5) <= 70


def test_a_moment_that_has_passed_is_asked_for_soon_but_not_at_once() -> None:
    assert timetable.refresh_s("2026-11-22T07:59:00.000Z", NOW, 0) == 5
