"""The pure parts of the booking pages: the form, the encrypted cookie, the words, the calendar file."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from icalendar import Calendar
from starlette.datastructures import FormData

from origin import web_form, web_words
from origin.booking.appointments import Appointment, BookedSlot
from origin.eligibility.evaluator import Facts
from origin.inventory.slots import Site
from origin.web_box import Box
from origin.web_calendar import calendar
from origin.web_form import Choices
from origin.web_visit import Kept, Typed
from shared.clock import ManualClock
from shared.ids import SystemIds
from shared.keys import KeyRing

TODAY = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
CHOICES = Choices(regions={"ES-MD"}, jobs={"none"}, conditions=["diabetes", "cancer"])
RIGHT = {"day": "17", "month": "5", "year": "1950", "region": "ES-MD", "job": "none"}


def _typed(**changes: str) -> Typed:
    return msgspec.convert(RIGHT | {"conditions": ["none"]} | changes, Typed)


def _said(typed: Typed) -> list[str]:
    found = web_form.read(typed, CHOICES, TODAY)
    assert isinstance(found, list)
    return [complaint.text for complaint in found]


def test_a_right_form_declares_its_facts() -> None:
    facts = web_form.read(_typed(), CHOICES, TODAY)
    assert facts == Facts(birth_date=date(1950, 5, 17), region="ES-MD", job_code="none", conditions=[])


@pytest.mark.parametrize("month", ["5", "05", "may", "May"])
def test_a_month_can_be_a_number_or_a_name(month: str) -> None:
    facts = web_form.read(_typed(month=month), CHOICES, TODAY)
    assert isinstance(facts, Facts)
    assert facts.birth_date == date(1950, 5, 17)


@pytest.mark.parametrize(
    ("changes", "said", "field"),
    [
        ({"day": "", "month": "", "year": ""}, "Enter your date of birth", "birth-day"),
        ({"day": ""}, "Your date of birth must include a day", "birth-day"),
        ({"day": "31", "month": "2"}, "That day does not exist: check day and month", "birth-day"),
        ({"month": "13"}, "The month must be a number from 1 to 12", "birth-month"),
        ({"day": "x"}, "The day must be a number", "birth-day"),
        ({"year": "50"}, "The year must have four digits, for example 1958", "birth-year"),
        ({"year": "2099"}, "Your date of birth must be in the past", "birth-year"),
        ({"year": "1800"}, "Check the year of your date of birth", "birth-year"),
        ({"year": "²²²²"}, "The year must have four digits, for example 1958", "birth-year"),
        ({"region": "XX"}, "Choose the region you live in", "region"),
        ({"job": ""}, "Choose your work", "job"),
        ({"conditions": []}, "Choose what applies to you, or “None of these”", "condition-diabetes"),
        ({"conditions": ["flying"]}, "Choose what applies to you, or “None of these”", "condition-diabetes"),
        (
            {"conditions": ["none", "cancer"]},
            "Choose either “None of these” or what applies to you, not both",
            "condition-diabetes",
        ),
    ],
)
def test_each_fault_is_said_and_leads_to_its_field(changes: dict[str, str], said: str, field: str) -> None:
    found = web_form.read(_typed(**changes), CHOICES, TODAY)
    assert isinstance(found, list)
    assert [(complaint.text, complaint.field) for complaint in found] == [(said, field)]


def test_all_faults_are_said_at_once_in_the_order_of_the_questions() -> None:
    assert len(_said(Typed())) == 4


def test_what_no_form_of_ours_sends_is_cut_off() -> None:
    typed = web_form.typed_in(FormData([("day", "1" * 300), ("region", "R" * 300), *[("conditions", "x")] * 500]))
    assert (typed.day, typed.region, len(typed.conditions)) == ("", "", 64)


def _box(clock: ManualClock, purpose: str = "visit", key: bytes = b"k" * 32) -> Box[Kept]:
    return Box(Kept, KeyRing("a", {"a": key}), purpose, clock, SystemIds())


def test_a_box_gives_back_what_was_put_in_and_shows_nothing_of_it() -> None:
    clock = ManualClock(NOW)
    text = _box(clock).seal(Kept(typed=Typed(year="1950", region="ES-MD")), life_s=60)
    opened = _box(clock).open(text)
    assert opened is not None
    assert opened.typed == Typed(year="1950", region="ES-MD")
    assert "1950" not in text
    assert len(text) < 400


def test_a_box_that_is_old_altered_or_of_another_purpose_or_key_is_empty() -> None:
    clock = ManualClock(NOW)
    text = _box(clock).seal(Kept(town="x"), life_s=60)
    altered = text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:]
    for wrong in ("", "a.", "a.é", "b" + text[1:], altered, text + "A" * 9000):
        assert _box(clock).open(wrong) is None
    assert _box(clock, purpose="login").open(text) is None
    assert _box(clock, key=b"j" * 32).open(text) is None
    clock.advance(60)
    assert _box(clock).open(text) is None


def test_what_does_not_fit_into_a_cookie_is_refused() -> None:
    random = "".join(SystemIds().secret(64) for _ in range(80))
    with pytest.raises(ValueError, match="too large"):
        _box(ManualClock(NOW)).seal(Kept(town=random), life_s=60)


@pytest.mark.parametrize(
    ("km", "said"), [(0.0, "0.1 km"), (2.44, "2.4 km"), (9.96, "10 km"), (12.4, "12 km"), (1234.5, "1,234 km")]
)
def test_distances_are_said_as_exactly_as_they_matter(km: float, said: str) -> None:
    assert web_words.distance(km, "en") == said


def _appointment(**changes: object) -> Appointment:
    site = Site(3, "Sala; del, Sol", "Calle del Sol 3", "Las Palmas", 28.0997, -15.4134, "Atlantic/Canary", True)
    start = datetime(2027, 7, 1, 9, 30, tzinfo=UTC)
    slot = BookedSlot(7, start, start + timedelta(minutes=30))
    base = {"id": UUID(int=5), "status": "confirmed", "slot": slot, "site": site, "product": "140", "dose": 1}
    return Appointment(**(base | {"created_at": NOW, "version": 1} | changes))  # type: ignore[arg-type]  # test data


def test_a_calendar_file_is_in_the_sites_own_time_with_its_zone() -> None:
    text = calendar(_appointment(), NOW)
    parsed = Calendar.from_ical(text)
    event = parsed.events[0]
    assert b"DTSTART;TZID=Atlantic/Canary:20270701T103000\r\n" in text
    assert [zone.tz_name for zone in parsed.timezones] == ["Atlantic/Canary"]
    assert event.start == datetime(2027, 7, 1, 9, 30, tzinfo=UTC)
    assert event.end - event.start == timedelta(minutes=30)
    assert str(event["location"]) == "Sala; del, Sol, Calle del Sol 3, Las Palmas"
    assert (str(event["status"]), event["sequence"]) == ("CONFIRMED", 0)
    assert text == calendar(_appointment(), NOW)


def test_a_cancelled_appointment_replaces_the_entry_in_the_calendar() -> None:
    before = Calendar.from_ical(calendar(_appointment(), NOW)).events[0]
    after = Calendar.from_ical(calendar(_appointment(status="cancelled", version=2), NOW)).events[0]
    assert after["uid"] == before["uid"]
    assert (str(after["status"]), after["sequence"]) == ("CANCELLED", 1)
