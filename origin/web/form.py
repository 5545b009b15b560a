"""Answers to the questions: what was typed, what is wrong with it, and the facts it declares. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import msgspec
from starlette.datastructures import FormData

from origin.eligibility.person import Facts, LastDose
from origin.eligibility.questions import Question
from origin.web.dates import FUTURE, OLD, Faulty, read_date
from origin.web.visit import Typed, text_of
from shared.web.texts import marked

NONE = "none"
NEVER = "never"
UNSURE = "unsure"
YES = "yes"
NO = "no"
_OLDEST_YEARS = 150
_MOST_TICKED = 64
_MOST_DOSES = 99
_SEVERAL = ("dosed", "conditions", "household")
FIELDS: dict[Question, tuple[str, ...]] = {
    "birth": ("day", "month", "year"),
    "region": ("region",),
    "doses": ("doses",),
    "dosed": ("dosed_day", "dosed_month", "dosed_year", "dosed"),
    "product": ("product",),
    "job": ("job",),
    "pregnant": ("pregnant",),
    "conditions": ("conditions",),
    "household": ("household",),
}
"""The fields of each question, by the names that they have in ``Typed`` and in forms."""


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
class Answered:
    """What a question is read with: what was typed, the facts until now, what can be chosen, and the day."""

    typed: Typed
    facts: Facts
    choices: Collection[str]
    today: date


def typed_in(form: FormData, before: Typed | None = None) -> Typed:
    """Return the answers as they were typed, every text cut to a sane length.

    With ``before``, what that had is kept of all questions that the form did not show (``asked``).
    """
    read = {
        name: _ticked(form, name) if name in _SEVERAL else text_of(form, name, at_most=64)
        for names in FIELDS.values()
        for name in names
    }
    typed = msgspec.convert(read, Typed)
    if before is None:
        return typed
    asked = form.getlist("asked") or list(FIELDS)  # a form that does not say what it shows is whole
    kept = {
        name: getattr(before, name) for question, names in FIELDS.items() if question not in asked for name in names
    }
    return msgspec.structs.replace(typed, **kept)


def has_answers(form: FormData) -> bool:
    """Return whether a form came with questions on it, answered or not."""
    return "asked" in form or any(name in form for names in FIELDS.values() for name in names)


def _ticked(form: FormData, name: str) -> list[str]:
    return [each for each in form.getlist(name) if isinstance(each, str) and 0 < len(each) <= 64][:_MOST_TICKED]


def read(question: Question, answered: Answered) -> Facts | Complaint:
    """Return the facts with the answer to a question, or what must be corrected."""
    return _READERS[question](answered)


def _birth(answered: Answered) -> Facts | Complaint:
    typed, today = answered.typed, answered.today
    born = read_date(typed.day, typed.month, typed.year, today, oldest_years=_OLDEST_YEARS)
    if isinstance(born, Faulty):
        return _in_date("birth", "birth", born, _BIRTH.get(born.what, born.what))
    return msgspec.structs.replace(answered.facts, birth_date=born)


def _region(answered: Answered) -> Facts | Complaint:
    if answered.typed.region not in answered.choices:
        return _simple("region", marked("Choose the region you live in"))
    return msgspec.structs.replace(answered.facts, region=answered.typed.region)


def _job(answered: Answered) -> Facts | Complaint:
    if answered.typed.job not in answered.choices:
        return _simple("job", marked("Choose your work"))
    return msgspec.structs.replace(answered.facts, job_code=answered.typed.job)


def _pregnant(answered: Answered) -> Facts | Complaint:
    if answered.typed.pregnant not in {YES, NO}:
        return Complaint("pregnant", f"pregnant-{YES}", marked("Choose “Yes” or “No”"), ())
    return msgspec.structs.replace(answered.facts, pregnant=answered.typed.pregnant == YES)


def _doses(answered: Answered) -> Facts | Complaint:
    text = answered.typed.doses
    if not (text.isascii() and text.isdigit() and int(text) <= _MOST_DOSES):
        return _simple("doses", marked("Enter a number of doses; 0 if you have had none"))
    return _dosed_with(answered, number=int(text))


def _dosed(answered: Answered) -> Facts | Complaint:
    typed, ticked = answered.typed, answered.typed.dosed
    is_typed = bool(typed.dosed_day or typed.dosed_month or typed.dosed_year)
    if len(ticked) + is_typed > 1:
        return Complaint("dosed", "dosed-day", marked("Give either a date or one of the answers below it"), ())
    if ticked:
        return _instead(answered, ticked[0])
    given = read_date(typed.dosed_day, typed.dosed_month, typed.dosed_year, answered.today, oldest_years=_OLDEST_YEARS)
    if isinstance(given, Faulty):
        return _in_date("dosed", "dosed", given, _DOSED.get(given.what, given.what))
    return _dosed_with(answered, given_on=given)


def _product(answered: Answered) -> Facts | Complaint:
    product = answered.typed.product
    if product in {NEVER, UNSURE}:
        return _instead(answered, product)
    if product not in answered.choices:
        return _simple("product", marked("Choose a vaccine, or that you do not know"))
    return _dosed_with(answered, product=product)


def _instead(answered: Answered, ticked: str) -> Facts:
    """Return the facts of somebody who was never given a dose, or who does not know."""
    return _dosed_with(answered, number=0) if ticked == NEVER else answered.facts


def _dosed_with(answered: Answered, **known: object) -> Facts:
    dose = answered.facts.last_dose or LastDose()
    dose = LastDose(number=0) if known.get("number") == 0 else msgspec.structs.replace(dose, **known)
    return msgspec.structs.replace(answered.facts, last_dose=dose)


def _conditions(answered: Answered) -> Facts | Complaint:
    chosen = _several("conditions", "condition", answered.typed.conditions, answered.choices)
    return chosen if isinstance(chosen, Complaint) else msgspec.structs.replace(answered.facts, conditions=chosen)


def _household(answered: Answered) -> Facts | Complaint:
    chosen = _several("household", "household", answered.typed.household, answered.choices)
    return chosen if isinstance(chosen, Complaint) else msgspec.structs.replace(answered.facts, household=chosen)


def _several(group: Question, prefix: str, ticked: list[str], choices: Collection[str]) -> list[str] | Complaint:
    others = [each for each in ticked if each != NONE]
    field = f"{prefix}-{next(iter(choices), NONE)}"
    if not ticked or not set(others) <= set(choices):
        return Complaint(group, field, marked("Choose what applies to you, or “None of these”"), ())
    if others and NONE in ticked:
        return Complaint(group, field, marked("Choose either “None of these” or what applies to you, not both"), ())
    return others


def _simple(name: Question, text: str) -> Complaint:
    return Complaint(name, name, text, (name,))


def _in_date(group: Question, prefix: str, faulty: Faulty, text: str) -> Complaint:
    return Complaint(group, f"{prefix}-{faulty.parts[0]}", text, tuple(f"{prefix}-{part}" for part in faulty.parts))


_READERS: dict[Question, Callable[[Answered], Facts | Complaint]] = {
    "birth": _birth,
    "region": _region,
    "doses": _doses,
    "dosed": _dosed,
    "product": _product,
    "job": _job,
    "pregnant": _pregnant,
    "conditions": _conditions,
    "household": _household,
}
_BIRTH = {
    "day month year": marked("Enter your date of birth"),
    "day": marked("Your date of birth must include a day"),
    "month": marked("Your date of birth must include a month"),
    "year": marked("Your date of birth must include a year"),
    "day month": marked("Your date of birth must include a day and a month"),
    "day year": marked("Your date of birth must include a day and a year"),
    "month year": marked("Your date of birth must include a month and a year"),
    FUTURE: marked("Your date of birth must be in the past"),
    OLD: marked("Check the year of your date of birth"),
}
_DOSED = dict.fromkeys(
    ("day month year", "day", "month", "year", "day month", "day year", "month year"),
    marked("Enter the day, the month and the year of your last dose, or choose an answer below"),
) | {FUTURE: marked("The day of your last dose must be in the past"), OLD: marked("Check the year of your last dose")}
