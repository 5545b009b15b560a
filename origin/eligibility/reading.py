"""Comparisons read out: "Age: at least 65". What a rule asks, never what was answered. Pure.

One way for all who read rules: those who write them, those who publish them, and those who answer for decisions.
"""

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from babel.dates import format_date

from origin.eligibility.document import Document, Texts, in_language
from origin.eligibility.evaluators.v2_tree import branch_of
from origin.eligibility.formats.lift import lifted
from origin.eligibility.formats.v2 import Leaf
from origin.words import product, texts_in
from shared.web.texts import marked

_NUMBERS = {
    "<": marked("less than %(value)s"),
    "<=": marked("at most %(value)s"),
    "=": marked("exactly %(value)s"),
    ">=": marked("at least %(value)s"),
    ">": marked("more than %(value)s"),
}
_DAYS = {
    "<": marked("before %(value)s"),
    "<=": marked("on or before %(value)s"),
    "=": marked("on %(value)s"),
    ">=": marked("on or after %(value)s"),
    ">": marked("after %(value)s"),
}
_AGE = marked("Age: %(compared)s")
_AGE_AT = {
    "end_of_year": marked("Age at the end of the year: %(compared)s"),
    "end_of_season": marked("Age at the end of the season: %(compared)s"),
}
_DATED = {
    "birth_date": marked("Born %(compared)s"),
    "dose_date": marked("Last dose given %(compared)s"),
}
_COUNTED = {
    "dose_number": marked("Doses until now: %(compared)s"),
    "days_since_dose": marked("Days since the last dose: %(compared)s"),
}
_OF_SEVERAL = {
    "region": marked("Lives in: %(values)s"),
    "job_code": marked("Works as: %(values)s"),
    "conditions": marked("Has one of: %(values)s"),
    "household": marked("Lives with somebody of whom one is true: %(values)s"),
    "dose_product": marked("Last dose was: %(values)s"),
}


class Compared(Protocol):
    """What branches of all evaluators have; those of the first know neither ``unit`` nor ``at`` nor ``verified``."""

    @property
    def fact(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def value(self) -> bool | int | str | list[str]: ...


class Reader:
    """Reads the comparisons of a document out, in one language."""

    def __init__(self, document: Document, language: str) -> None:
        self._labels = lifted(document).labels
        self._language = language
        self._said = texts_in(language).gettext

    def leaf(self, leaf: Leaf) -> str:
        """Return what a comparison of the document asks; not that it must be verified."""
        return self._asked(branch_of(leaf, "", negated=False)[0])

    def branch(self, branch: Compared) -> str:
        """Return what a comparison asks that an evaluator of any version made."""
        asked = self._asked(branch)
        if not getattr(branch, "verified", False):
            return asked
        return self._said(marked("%(asked)s, %(more)s")) % {"asked": asked, "more": self._said(marked("verified"))}

    def window(self, first: date | None, until: date | None) -> str:
        """Return the days of an offer; empty where it has neither a first nor a last one."""
        days = {"first": self._day(first), "until": self._day(until)}
        if first is not None and until is not None:
            return self._said(marked("from %(first)s until %(until)s")) % days
        if first is not None:
            return self._said(marked("from %(first)s")) % days
        return "" if until is None else self._said(marked("until %(until)s")) % days

    def _asked(self, branch: Compared) -> str:
        fact, value = branch.fact, branch.value
        if fact == "age":
            return self._age(branch)
        if fact == "date" and isinstance(value, list):
            first, until = (date.fromisoformat(each) if each else None for each in value)
            return self._said(marked("Day of the decision: %(days)s")) % {"days": self.window(first, until)}
        if fact in _DATED:
            against = self._said(_DAYS[branch.op]) % {"value": self._day(date.fromisoformat(str(value)))}
            return self._said(_DATED[fact]) % {"compared": against}
        if fact in _COUNTED:
            return self._said(_COUNTED[fact]) % {"compared": self._against(branch)}
        if isinstance(value, list):
            return self._said(_OF_SEVERAL[fact]) % {"values": ", ".join(self._named(fact, value))}
        return self._said(marked("Is pregnant"))

    def _age(self, branch: Compared) -> str:
        compared = self._against(branch)
        if getattr(branch, "unit", None) == "months":
            compared = self._said(marked("%(number)s months")) % {"number": compared}
        at: str | None = getattr(branch, "at", None)
        if at is None or at in _AGE_AT:
            return self._said(_AGE if at is None else _AGE_AT[at]) % {"compared": compared}
        told = {"day": self._day(date.fromisoformat(at)), "compared": compared}
        return self._said(marked("Age on %(day)s: %(compared)s")) % told

    def _against(self, branch: Compared) -> str:
        return self._said(_NUMBERS[branch.op]) % {"value": branch.value}

    def _named(self, fact: str, values: Iterable[str]) -> list[str]:
        if fact == "dose_product":
            return [product(code, self._language) for code in values]
        labels: dict[str, Texts] = getattr(self._labels, fact)
        return [in_language(labels.get(each, {}), self._language) or each for each in values]

    def _day(self, day: date | None) -> str:
        return "" if day is None else format_date(day, "long", locale=self._language)
