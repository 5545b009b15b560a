"""Moments typed on the clock of a place: one moment or none, never a guess."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from origin.web.staff.clocks import NoMoment, Skipped, Twice, in_utc, moment_on, on_clocks

ZONES = ["Europe/Madrid", "Atlantic/Canary", "Australia/Lord_Howe", "UTC"]


@pytest.mark.parametrize(
    ("typed", "zone", "utc"),
    [
        ("2027-03-01T08:00", "Europe/Madrid", "2027-03-01T07:00"),
        ("2027-07-01T08:00", "Europe/Madrid", "2027-07-01T06:00"),
        ("2027-07-01T08:00", "Atlantic/Canary", "2027-07-01T07:00"),
        ("2027-07-01T08:00:30", "UTC", "2027-07-01T08:00:30"),
        ("2027-03-28T01:59", "Europe/Madrid", "2027-03-28T00:59"),
        ("2027-03-28T03:00", "Europe/Madrid", "2027-03-28T01:00"),
        ("2027-10-31T01:59", "Europe/Madrid", "2027-10-30T23:59"),
        ("2027-10-31T03:00", "Europe/Madrid", "2027-10-31T02:00"),
    ],
)
def test_a_time_on_a_clock_is_one_moment(typed: str, zone: str, utc: str) -> None:
    assert moment_on(typed, zone, ZONES) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "zone", "fault"),
    [
        ("2027-03-28T02:00", "Europe/Madrid", Skipped),
        ("2027-03-28T02:59", "Europe/Madrid", Skipped),
        ("2027-03-28T01:30", "Atlantic/Canary", Skipped),
        ("2027-10-31T02:00", "Europe/Madrid", Twice),
        ("2027-10-31T02:59", "Europe/Madrid", Twice),
        ("2027-10-03T02:15", "Australia/Lord_Howe", Skipped),  # by half an hour
        ("2027-04-04T01:45", "Australia/Lord_Howe", Twice),
        ("soon", "Europe/Madrid", NoMoment),
        ("", "Europe/Madrid", NoMoment),
        ("2027-03-01T08:00+05:00", "Europe/Madrid", NoMoment),
        ("0001-01-01T00:00", "Australia/Lord_Howe", NoMoment),
        ("9999-12-31T23:59", "America/New_York", NoMoment),
        ("2027-03-01T08:00", "America/New_York", NoMoment),  # not offered
        ("2027-03-01T08:00", "", NoMoment),
    ],
)
def test_a_time_that_is_no_moment_or_two_is_refused(typed: str, zone: str, fault: type[NoMoment]) -> None:
    with pytest.raises(NoMoment) as refused:
        moment_on(typed, zone, ZONES)
    assert refused.type is fault


@example(126869, "Europe/Madrid")  # clocks go forward
@example(137285, "Europe/Madrid")  # and back
@given(
    st.integers(0, 15 * 365 * 48),
    st.sampled_from(ZONES),
)
def test_whatever_is_taken_is_what_that_clock_shows_then_and_at_no_other_moment(half_hours: int, zone: str) -> None:
    typed = datetime.fromisoformat("2020-01-01T00:00") + timedelta(minutes=30 * half_hours)
    try:
        at = moment_on(typed.isoformat(), zone, ZONES)
    except Twice:
        shown = 2
    except Skipped:
        shown = 0
    else:
        shown = 1
        assert at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == typed
    around = [typed.replace(tzinfo=UTC) + timedelta(minutes=minutes) for minutes in range(-15 * 60, 15 * 60, 30)]
    clock = [each.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) for each in around]
    assert clock.count(typed) == shown


def test_a_moment_is_shown_on_the_clocks_of_the_first_places_and_in_utc() -> None:
    at = datetime(2027, 7, 1, 6, 0, tzinfo=UTC)
    assert on_clocks(at, ZONES, "en") == [
        "1 Jul 2027 08:00 Europe/Madrid",
        "1 Jul 2027 07:00 Atlantic/Canary",
        "1 Jul 2027 16:30 Australia/Lord_Howe",
    ]
    assert in_utc(at, "en") == "1 Jul 2027 06:00 UTC"
    assert on_clocks(at, ["UTC"], "en") == []
