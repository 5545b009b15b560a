"""A comparison of a rule, said: "Age in years: at least 65". What the rule asks, never what was answered. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from origin.eligibility.document import Texts, in_language
from origin.eligibility.formats.v2 import Document
from shared.web.texts import marked

Say = Callable[[str], str]
"""From English into the reader's language."""

_FACTS = {
    "age": marked("Age in years"),
    "birth_date": marked("Date of birth"),
    "region": marked("Region"),
    "job_code": marked("Work"),
    "conditions": marked("Health"),
    "household": marked("People at home"),
    "pregnant": marked("Pregnant"),
    "dose_number": marked("Doses so far"),
    "dose_product": marked("Product of the last dose"),
    "dose_date": marked("Day of the last dose"),
    "days_since_dose": marked("Days since the last dose"),
    "date": marked("Day of the decision"),
}
_MONTHS = marked("Age in months")
_NUMBERS = {
    "<": marked("less than %(value)s"),
    "<=": marked("at most %(value)s"),
    "=": marked("exactly %(value)s"),
    ">=": marked("at least %(value)s"),
    ">": marked("more than %(value)s"),
}
_DAYS = {
    "<": marked("before %(value)s"),
    "<=": marked("on %(value)s or before"),
    "=": marked("on %(value)s"),
    ">=": marked("on %(value)s or later"),
    ">": marked("after %(value)s"),
}
_AT = {
    "end_of_year": marked("at the end of the year"),
    "end_of_season": marked("at the end of the season"),
}
_MORE = marked("%(asked)s, %(more)s")


def words(branch: Any, document: Document, language: str, say: Say) -> str:
    """Return what a comparison of ``document`` asks, in ``language``, which ``say`` speaks too."""
    fact = _MONTHS if branch.fact == "age" and getattr(branch, "unit", None) == "months" else _FACTS[branch.fact]
    said = _asked(branch, document, language, say)
    at: str | None = getattr(branch, "at", None)
    if at is not None:
        when = say(_AT[at]) if at in _AT else say(_DAYS["="]) % {"value": at}
        said = say(_MORE) % {"asked": said, "more": when}
    if getattr(branch, "verified", False):
        said = say(_MORE) % {"asked": said, "more": say(marked("verified"))}
    return say(marked("%(fact)s: %(asked)s")) % {"fact": say(fact), "asked": said}


def _asked(branch: Any, document: Document, language: str, say: Say) -> str:
    value = branch.value
    if isinstance(value, bool):
        return say(marked("yes"))
    if branch.fact == "date":
        return _span([str(day) for day in value], say)
    if isinstance(value, list):
        labels = _labels(branch.fact, document)
        named = [in_language(labels.get(each, {}), language) or each for each in value]
        return say(marked("one of: %(values)s")) % {"values": "; ".join(named)}
    patterns = _DAYS if branch.fact in {"birth_date", "dose_date"} else _NUMBERS
    return say(patterns[branch.op]) % {"value": value}


def _span(days: list[str], say: Say) -> str:
    """Return a first and a last day; either may be empty."""
    first, last = days
    if not last:
        return say(_DAYS[">="]) % {"value": first}
    if not first:
        return say(_DAYS["<="]) % {"value": last}
    return say(marked("from %(first)s to %(last)s")) % {"first": first, "last": last}


def _labels(fact: str, document: Document) -> Mapping[str, Texts]:
    labels: Mapping[str, Texts] = getattr(document.labels, fact, {})
    return labels
