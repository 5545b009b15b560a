"""The pure parts of the booking pages: the form, the encrypted cookie, the words, the calendar file."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from icalendar import Calendar
from starlette.datastructures import FormData

from origin.booking.appointments import Appointment, BookedSlot
from origin.eligibility.person import Facts, LastDose
from origin.eligibility.questions import Question
from origin.inventory.slots import Site
from origin.web.box import Box
from origin.web.calendar import calendar
from origin.web.form import Answered, Complaint, read, typed_in
from origin.web.visit import Kept, Typed
from origin.words import distance
from shared.clock import ManualClock
from shared.ids import SystemIds
from shared.keys import KeyRing

TODAY = date(2027, 3, 1)
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
CHOICES: dict[Question, list[str]] = {
    "region": ["ES-MD"],
    "job": ["none"],
    "conditions": ["diabetes", "cancer"],
    "product": ["207"],
}
RIGHT = {"day": "17", "month": "5", "year": "1950", "region": "ES-MD", "job": "none", "doses": "1", "pregnant": "no"}


def _read(question: Question, facts: object = None, **changes: str | list[str]) -> Facts | Complaint:
    typed = msgspec.convert(RIGHT | {"conditions": ["none"]} | changes, Typed)
    return read(
        question, Answered(typed, facts if isinstance(facts, Facts) else Facts(), CHOICES.get(question, ()), TODAY)
    )


def test_right_answers_declare_their_facts() -> None:
    facts = Facts()
    questions: tuple[Question, ...] = ("birth", "region", "job", "conditions", "pregnant")
    for question in questions:
        read = _read(question, facts)
        assert isinstance(read, Facts)
        facts = read
    expected = Facts(birth_date=date(1950, 5, 17), region="ES-MD", job_code="none", conditions=[], pregnant=False)
    assert facts == expected


@pytest.mark.parametrize("month", ["5", "05", "may", "May"])
def test_a_month_can_be_a_number_or_a_name(month: str) -> None:
    facts = _read("birth", month=month)
    assert isinstance(facts, Facts)
    assert facts.birth_date == date(1950, 5, 17)


@pytest.mark.parametrize(
    ("question", "changes", "said", "field"),
    [
        ("birth", {"day": "", "month": "", "year": ""}, "Enter your date of birth", "birth-day"),
        ("birth", {"day": ""}, "Your date of birth must include a day", "birth-day"),
        ("birth", {"day": "31", "month": "2"}, "That day does not exist: check day and month", "birth-day"),
        ("birth", {"month": "13"}, "The month must be a number from 1 to 12", "birth-month"),
        ("birth", {"day": "x"}, "The day must be a number", "birth-day"),
        ("birth", {"year": "50"}, "The year must have four digits, for example 1958", "birth-year"),
        ("birth", {"year": "2099"}, "Your date of birth must be in the past", "birth-year"),
        ("birth", {"year": "1800"}, "Check the year of your date of birth", "birth-year"),
        ("birth", {"year": "²²²²"}, "The year must have four digits, for example 1958", "birth-year"),
        ("region", {"region": "XX"}, "Choose the region you live in", "region"),
        ("job", {"job": ""}, "Choose your work", "job"),
        ("pregnant", {"pregnant": "x"}, "Choose “Yes” or “No”", "pregnant-yes"),
        ("doses", {"doses": "-1"}, "Enter a number of doses; 0 if you have had none", "doses"),
        ("product", {"product": "208"}, "Choose a vaccine, or that you do not know", "product"),
        (
            "dosed",
            {"dosed_day": "1"},
            "Enter the day, the month and the year of your last dose, or choose an answer below",
            "dosed-month",
        ),
        (
            "dosed",
            {"dosed_day": "1", "dosed": ["never"]},
            "Give either a date or one of the answers below it",
            "dosed-day",
        ),
        ("conditions", {"conditions": []}, "Choose what applies to you, or “None of these”", "condition-diabetes"),
        (
            "conditions",
            {"conditions": ["flying"]},
            "Choose what applies to you, or “None of these”",
            "condition-diabetes",
        ),
        (
            "conditions",
            {"conditions": ["none", "cancer"]},
            "Choose either “None of these” or what applies to you, not both",
            "condition-diabetes",
        ),
    ],
)
def test_each_fault_is_said_and_leads_to_its_field(
    question: Question, changes: dict[str, str | list[str]], said: str, field: str
) -> None:
    found = _read(question, **changes)
    assert isinstance(found, Complaint)
    assert (found.text, found.field, found.group) == (said, field, question)


def test_a_last_dose_is_told_in_parts_or_as_never_or_not_known() -> None:
    first = _read("doses")
    assert first == Facts(last_dose=LastDose(number=1))
    dated = _read("dosed", first, dosed_day="1", dosed_month="2", dosed_year="2027")
    assert dated == Facts(last_dose=LastDose(number=1, given_on=date(2027, 2, 1)))
    assert _read("product", dated, product="207") == Facts(
        last_dose=LastDose(number=1, product="207", given_on=date(2027, 2, 1))
    )
    assert _read("product", dated, product="unsure") == dated
    never = Facts(last_dose=LastDose(number=0))
    assert _read("doses", doses="0") == _read("product", product="never") == never
    assert _read("dosed", dosed=["never"]) == never


def test_what_a_form_does_not_show_is_kept_and_counts_again_once_it_is_shown() -> None:
    before = Typed(year="1950", job="none", conditions=["cancer"])
    form = FormData([("asked", "birth"), ("year", "1960"), ("asked", "conditions")])
    typed = typed_in(form, before)
    assert (typed.year, typed.job, typed.conditions) == ("1960", "none", [])


def test_what_no_form_of_ours_sends_is_cut_off() -> None:
    typed = typed_in(FormData([("day", "1" * 300), ("region", "R" * 300), *[("conditions", "x")] * 500]))
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
    assert distance(km, "en") == said


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
