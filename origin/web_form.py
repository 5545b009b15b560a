"""The eligibility form: what was typed, what is wrong with it, and the facts it declares. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from starlette.datastructures import FormData

from origin.eligibility.evaluator import Facts
from origin.web_visit import Typed, text_of
from shared.web.texts import marked

NONE = "none"
_OLDEST_YEARS = 150
_MOST_CONDITIONS = 64
_MISSING = {
    ("day",): marked("Your date of birth must include a day"),
    ("month",): marked("Your date of birth must include a month"),
    ("year",): marked("Your date of birth must include a year"),
    ("day", "month"): marked("Your date of birth must include a day and a month"),
    ("day", "year"): marked("Your date of birth must include a day and a year"),
    ("month", "year"): marked("Your date of birth must include a month and a year"),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Complaint:
    """What is wrong with one question.

    ``text``: in English, translated where it is shown; ``field``: where its link leads; ``fields``: the wrong inputs.
    """

    group: str
    field: str
    text: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """The values that can be chosen."""

    regions: Collection[str]
    jobs: Collection[str]
    conditions: Collection[str]


def typed_in(form: FormData) -> Typed:
    """Return the form as it was typed, every text cut to a sane length."""
    conditions = [value for value in form.getlist("conditions") if isinstance(value, str) and len(value) <= 64]
    return Typed(
        day=text_of(form, "day", at_most=16),
        month=text_of(form, "month", at_most=16),
        year=text_of(form, "year", at_most=16),
        region=text_of(form, "region", at_most=64),
        job=text_of(form, "job", at_most=64),
        conditions=conditions[:_MOST_CONDITIONS],
    )


def read(typed: Typed, choices: Choices, today: date) -> Facts | list[Complaint]:
    """Return the facts, or what must be corrected, in the order of the questions.

    A question without choices is not asked: its fact stays unanswered.
    """
    complaints = []
    birth = _birth_date(typed, today)
    if isinstance(birth, Complaint):
        complaints.append(birth)
    if choices.regions and typed.region not in choices.regions:
        complaints.append(_simple("region", marked("Choose the region you live in")))
    if choices.jobs and typed.job not in choices.jobs:
        complaints.append(_simple("job", marked("Choose your work")))
    others = [condition for condition in typed.conditions if condition != NONE]
    if choices.conditions and (not typed.conditions or not set(others) <= set(choices.conditions)):
        complaints.append(_conditions(marked("Choose what applies to you, or “None of these”"), choices))
    elif others and NONE in typed.conditions:
        complaints.append(
            _conditions(marked("Choose either “None of these” or what applies to you, not both"), choices)
        )
    if complaints or isinstance(birth, Complaint):
        return complaints
    return Facts(
        birth_date=birth,
        region=typed.region if choices.regions else None,
        job_code=typed.job if choices.jobs else None,
        conditions=others if choices.conditions else None,
    )


def _simple(name: str, text: str) -> Complaint:
    return Complaint(name, name, text, (name,))


def _conditions(text: str, choices: Choices) -> Complaint:
    first = next(iter(choices.conditions), NONE)
    return Complaint("conditions", f"condition-{first}", text, ())


def _birth_date(typed: Typed, today: date) -> date | Complaint:
    parts = {"day": typed.day, "month": typed.month, "year": typed.year}
    missing = [name for name, value in parts.items() if not value]
    if len(missing) == 3:
        return _birth(marked("Enter your date of birth"), "day", "month", "year")
    if missing:
        return _birth(_MISSING[tuple(missing)], *missing)
    day, month, year = _number(typed.day), _month(typed.month), _number(typed.year)
    if year is None or len(typed.year) != 4:
        return _birth(marked("The year must have four digits, for example 1958"), "year")
    if day is None or month is None or not 1 <= month <= 12:
        if day is None:
            return _birth(marked("The day must be a number"), "day")
        return _birth(marked("The month must be a number from 1 to 12"), "month")
    return _possible(year, month, day, today)


def _possible(year: int, month: int, day: int, today: date) -> date | Complaint:
    try:
        birth = date(year, month, day)
    except ValueError:
        return _birth(marked("That day does not exist: check day and month"), "day", "month")
    if birth > today:
        return _birth(marked("Your date of birth must be in the past"), "year")
    if birth.year < today.year - _OLDEST_YEARS:
        return _birth(marked("Check the year of your date of birth"), "year")
    return birth


def _birth(text: str, *wrong: str) -> Complaint:
    return Complaint("birth", f"birth-{wrong[0]}", text, tuple(f"birth-{name}" for name in wrong))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _month(text: str) -> int | None:
    """Return a month given as number or by its English name."""
    by_name = _MONTHS.index(text[:3].lower()) + 1 if text[:3].lower() in _MONTHS else None
    return by_name if by_name is not None else _number(text)
