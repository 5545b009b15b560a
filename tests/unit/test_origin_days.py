"""Ages and intervals: the day on which a bound is reached is the first that is measured so."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from origin.eligibility.evaluators import v2_days as days

DAY = timedelta(days=1)
SEASON = days.Season("09-01")
told = st.dates(date(1900, 1, 1), date(2100, 12, 31)) | st.sampled_from(
    [date(2020, 2, 29), date(2023, 8, 31), date(2023, 1, 31), date(2023, 12, 31)]
)


@given(told, st.integers(1, 1500))
def test_an_age_in_months_is_reached_on_the_first_day_that_has_it(born: date, age: int) -> None:
    reached = days.months_reached(born, age)
    assert reached is not None
    assert days.months(born, reached) == age
    assert days.months(born, reached - DAY) == age - 1


@given(told, st.integers(13, 1500))
def test_an_age_at_the_end_of_a_year_or_season_is_reached_when_that_begins(born: date, age: int) -> None:
    for measure, reached in (
        (days.age_at_end(days.year_end), days.age_at_end_reached(days.year_start)),
        (days.age_at_end(SEASON.end), days.age_at_end_reached(SEASON.start)),
    ):
        first = reached(born, age)
        assert first is not None
        assert measure(born, first) >= age
        assert measure(born, first - DAY) < age


@given(told, st.integers(0, 36_525))
def test_an_interval_is_over_on_its_last_day(given_on: date, number: int) -> None:
    over = days.days_since_reached(given_on, number)
    assert over is not None
    assert days.days_since(given_on, over) == number


@given(st.dates())
def test_every_day_of_the_calendar_lies_in_its_season(day: date) -> None:
    assert SEASON.start(day) <= day <= SEASON.end(day)


def test_what_lies_beyond_the_calendar_is_never_reached() -> None:
    assert days.months_reached(date(9999, 1, 1), 12) is None
    assert days.days_since_reached(date.max, 1) is None
    assert days.day_number_reached(date.min, date.max.toordinal() + 1) is None


def test_who_is_born_on_a_day_that_a_month_lacks_is_older_on_the_first_of_the_next() -> None:
    assert days.months_reached(date(2020, 2, 29), 12) == date(2021, 3, 1)
    assert days.months_reached(date(2023, 8, 31), 6) == date(2024, 3, 1)
