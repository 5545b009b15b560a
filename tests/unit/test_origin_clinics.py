"""Recurring clinics become slots, on the days too on which clocks are changed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from origin.inventory.bulk import cells
from origin.inventory.bulk.cells import CellFault
from origin.inventory.bulk.clinics import Clinic, Hours, Span, slots

MONDAY = date(2027, 3, 1)
EVERY_DAY = frozenset(range(1, 8))
NINE_TO_ONE = (time(9), time(13))


def clinic(
    hours: Hours = NINE_TO_ONE,
    *breaks: Hours,
    weekdays: frozenset[int] = EVERY_DAY,
    minutes: int = 30,
    zone: str = "Europe/Madrid",
    first: date = date(2000, 1, 1),
    last: date | None = None,
    exceptions: Mapping[date, Hours | None] | None = None,
) -> Clinic:
    return Clinic(zone, weekdays, hours, breaks, minutes, first, last, exceptions or {})


def on(made: Clinic, day: date) -> list[str]:
    """Starts of a day's slots, on the site's clock."""
    zone = ZoneInfo(made.time_zone)
    return [f"{starts_at.astimezone(zone):%H:%M}" for starts_at, _ in slots(made, day, day + timedelta(days=1))]


def test_a_day_is_filled_from_opening_to_closing_and_again_behind_each_break() -> None:
    made = clinic((time(9), time(12, 10)), (time(8), time(9, 15)), (time(10, 10), time(10, 25)))
    assert on(made, MONDAY) == ["09:15", "10:25", "10:55", "11:25"]


def test_it_runs_on_its_weekdays_from_its_first_to_its_last_day() -> None:
    made = clinic(weekdays=frozenset({1, 3}), first=date(2027, 3, 3), last=date(2027, 3, 15), minutes=240)
    days = [starts_at.date() for starts_at, _ in slots(made, date(2027, 2, 1), date(2027, 4, 1))]
    assert days == [date(2027, 3, day) for day in (3, 8, 10, 15)]


def test_exceptions_close_a_day_or_change_its_hours_and_open_no_other() -> None:
    sunday = MONDAY - timedelta(days=1)
    changes = {MONDAY: None, MONDAY + timedelta(days=1): (time(16), time(17)), sunday: (time(9), time(10))}
    made = clinic(weekdays=frozenset({1, 2, 3}), minutes=60, exceptions=changes)
    assert on(made, MONDAY) == []
    assert on(made, MONDAY + timedelta(days=1)) == ["16:00"]
    assert on(made, MONDAY + timedelta(days=2)) == ["09:00", "10:00", "11:00", "12:00"]
    assert on(made, sunday) == []


def test_hours_stay_on_the_sites_clock_over_a_change_of_clocks() -> None:
    made = clinic(minutes=240)
    before, after = (
        next(slots(made, day, day + timedelta(days=1)))[0] for day in (date(2027, 3, 27), date(2027, 3, 28))
    )
    assert (before.hour, after.hour) == (8, 7)  # UTC
    assert on(made, date(2027, 3, 28)) == on(made, date(2027, 3, 27)) == ["09:00"]


@pytest.mark.parametrize(
    ("day", "starts"),
    [
        (date(2027, 3, 28), ["01:00", "01:30", "03:00", "03:30"]),
        (date(2027, 10, 31), ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"]),
        (date(2027, 10, 30), ["01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]),
    ],
)
def test_a_night_in_which_clocks_are_changed_has_fewer_slots_or_more(day: date, starts: list[str]) -> None:
    assert on(clinic((time(1), time(4))), day) == starts


def test_a_break_that_begins_in_an_hour_that_is_left_out_makes_no_slot_twice() -> None:
    made = clinic((time(1), time(5)), (time(2, 30), time(3)))
    assert on(made, date(2027, 3, 28)) == ["01:00", "01:30", "03:00", "03:30", "04:00", "04:30"]


NIGHT = st.builds(time, st.integers(0, 4), st.sampled_from([0, 15, 30]))  # when clocks are changed
CLOCKS = NIGHT | st.builds(time, st.integers(0, 23), st.integers(0, 59))
HOURS = (
    st.tuples(CLOCKS, CLOCKS).map(sorted).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: (pair[0], pair[1]))
)
ZONES = st.sampled_from(
    [
        "Europe/Madrid",
        "America/New_York",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Asia/Kathmandu",
    ]
)
CHANGED = st.sampled_from(  # forward and back
    [
        ("Europe/Madrid", date(2027, 3, 28)),
        ("Europe/Madrid", date(2027, 10, 31)),
        ("America/New_York", date(2027, 3, 14)),
        ("America/New_York", date(2027, 11, 7)),
        ("Australia/Lord_Howe", date(2027, 10, 3)),
        ("Australia/Lord_Howe", date(2027, 4, 4)),
    ]
)
PLACES = CHANGED | st.tuples(ZONES, st.dates(date(2026, 1, 1), date(2029, 1, 1)))


def at(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


@settings(max_examples=400)
@given(HOURS, st.lists(HOURS, max_size=3), st.sampled_from([5, 15, 30]) | st.integers(1, 300), PLACES)
def test_slots_last_their_minutes_and_lie_in_the_hours_in_no_break_and_not_in_each_other(
    hours: Hours, pauses: list[Hours], minutes: int, place: tuple[str, date]
) -> None:
    zone, day = place
    pauses = in_order(pauses)
    made = clinic(hours, *pauses, minutes=minutes, zone=zone)
    found = list(slots(made, day, day + timedelta(days=1)))
    opens, closes = at(day, hours[0], zone), at(day, hours[1], zone)
    closed = [(at(day, begins, zone), at(day, ends, zone)) for begins, ends in pauses]
    for starts_at, ends_at in found:
        assert ends_at - starts_at == timedelta(minutes=minutes)
        assert opens <= starts_at
        assert ends_at <= closes
        assert not any(starts_at < ends and begins < ends_at for begins, ends in closed if begins < ends)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(found))
    assert_nothing_more_fits(found, opens, closes, closed, timedelta(minutes=minutes))


def in_order(pauses: list[Hours]) -> list[Hours]:
    """Breaks as a file may give them: in order, none over another."""
    kept: list[Hours] = []
    for pause in sorted(pauses):
        if not kept or kept[-1][1] <= pause[0]:
            kept.append(pause)
    return kept


def assert_nothing_more_fits(
    found: list[Span], opens: datetime, closes: datetime, closed: list[Span], length: timedelta
) -> None:
    """From each place where one could begin, the next slot or what is in its way is less than a slot away."""
    begins = [opens, *(ends for start, ends in closed if start < ends), *(ends for _, ends in found)]
    stops = [closes, *(start for start, ends in closed if start < ends), *(start for start, _ in found)]
    for begin in begins:
        free = opens <= begin < closes and not any(start <= begin < ends for start, ends in [*closed, *found])
        if free:
            assert min((stop for stop in stops if stop >= begin), default=begin) - begin < length


@given(ZONES, st.dates(date(2026, 1, 1), date(2028, 1, 1)), st.integers(1, 40), st.integers(1, 40))
def test_days_made_apart_are_those_made_together(zone: str, first: date, some: int, more: int) -> None:
    made = clinic((time(0), time(5)), (time(2), time(2, 45)), zone=zone, weekdays=frozenset({1, 6, 7}))
    middle, end = first + timedelta(days=some), first + timedelta(days=some + more)
    assert [*slots(made, first, middle), *slots(made, middle, end)] == list(slots(made, first, end))


def test_weekdays_and_breaks_are_written_as_people_do() -> None:
    assert cells.weekdays("mon-wed Sat") == [1, 2, 3, 6]
    assert cells.breaks("16:00-16:15 12:00-13:00") == [(time(12), time(13)), (time(16), time(16, 15))]
    assert cells.breaks("") == []
    for read, cell in (
        (cells.weekdays, ""),
        (cells.weekdays, "fri-mon"),
        (cells.weekdays, "monday"),
        (cells.breaks, "12:00"),
        (cells.breaks, "13:00-12:00"),
        (cells.breaks, "12:00-13:00 12:30-14:00"),
        (cells.clock, "9:00"),
        (cells.clock, "24:00"),
    ):
        with pytest.raises(CellFault):
            read(cell)
