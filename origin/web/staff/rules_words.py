"""A rule document as people read it: who may have what, clause by clause, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from babel.dates import format_date

from origin.eligibility.document import Document, Texts, in_language
from origin.eligibility.formats import v2
from origin.eligibility.formats.lift import lifted
from origin.eligibility.formats.v2 import All, AnyOf, Clause, Leaf, Not
from origin.words import product, texts_in
from shared.web.texts import marked

Kind = Literal["all", "any", "not", "one"]

_NUMBER = {
    "<": marked("less than %(value)s"),
    "<=": marked("at most %(value)s"),
    "=": marked("exactly %(value)s"),
    ">=": marked("at least %(value)s"),
    ">": marked("more than %(value)s"),
}
_DAY = {
    "<": marked("before %(value)s"),
    "<=": marked("on or before %(value)s"),
    "=": marked("on %(value)s"),
    ">=": marked("on or after %(value)s"),
    ">": marked("after %(value)s"),
}
_AT = {
    "as_of": marked("Age: %(compared)s"),
    "end_of_year": marked("Age at the end of the year: %(compared)s"),
    "end_of_season": marked("Age at the end of the season: %(compared)s"),
}
_DATED: dict[type, str] = {
    v2.BirthDateIs: marked("Born %(compared)s"),
    v2.DoseDateIs: marked("Last dose given %(compared)s"),
}
_COUNTED: dict[type, str] = {
    v2.DoseNumberIs: marked("Doses until now: %(compared)s"),
    v2.DaysSinceDose: marked("Days since the last dose: %(compared)s"),
}
_OF_SEVERAL: dict[type, tuple[str, str]] = {
    v2.RegionIs: ("region", marked("Lives in: %(values)s")),
    v2.JobCodeIs: ("job_code", marked("Works as: %(values)s")),
    v2.ConditionsInclude: ("conditions", marked("Has one of: %(values)s")),
    v2.HouseholdIncludes: ("household", marked("Lives with somebody of whom one is true: %(values)s")),
    v2.DoseProductIs: ("product", marked("Last dose was: %(values)s")),
}


@dataclass(frozen=True)
class Read:
    """A clause in words. ``kind`` ``one``: a comparison, with what people are told when it is met and when not."""

    kind: Kind
    text: str = ""
    of: Sequence["Read"] = ()
    code: str = ""
    met: str = ""
    unmet: str = ""
    verified: bool = False


@dataclass(frozen=True)
class ReadCohort:
    """A cohort in words: who, and what they are given. ``window``: from when and until when."""

    id: str
    name: str
    when: Read
    products: list[str]
    dose: int
    window: str = ""
    reason: Read | None = None


@dataclass(frozen=True)
class ReadDocument:
    """A document in words."""

    title: str
    requires: Read | None
    exclusions: list[tuple[str, Read]]
    cohorts: list[ReadCohort]
    sources: list[str] = field(default_factory=list)


class Reader:
    """Reads documents and clauses out in one language."""

    def __init__(self, document: Document, language: str) -> None:
        self._document = lifted(document)
        self._language = language
        self._said = texts_in(language).gettext

    def read(self) -> ReadDocument:
        """Return the whole document."""
        document = self._document
        return ReadDocument(
            title=in_language(document.title, self._language),
            requires=None if document.requires is None else self.clause(document.requires),
            exclusions=[(each.id, self.clause(each.when)) for each in document.exclusions],
            cohorts=[self.cohort(each) for each in document.cohorts],
            sources=[f"{each.title} ({each.year})" for each in document.source],
        )

    def clause(self, clause: Clause) -> Read:
        """Return a clause."""
        match clause:
            case All(of=of) | AnyOf(of=of):
                return Read("all" if isinstance(clause, All) else "any", of=[self.clause(each) for each in of])
            case Not(of=inner):
                return Read("not", of=[self.clause(inner)])
            case _:
                return self._one(clause)

    def cohort(self, cohort: v2.Cohort) -> ReadCohort:
        """Return a cohort."""
        grants = cohort.grants
        return ReadCohort(
            id=cohort.id,
            name="" if cohort.name is None else in_language(cohort.name, self._language),
            when=self.clause(cohort.when),
            products=[product(code, self._language) for code in grants.products],
            dose=grants.dose,
            window=self._window(grants.first, grants.until),
            reason=None if grants.reason is None else self._told(grants.reason, ""),
        )

    def _window(self, first: date | None, until: date | None) -> str:
        days = {"first": self._day(first), "until": self._day(until)}
        if first is not None and until is not None:
            return self._said(marked("from %(first)s until %(until)s")) % days
        if first is not None:
            return self._said(marked("from %(first)s")) % days
        return "" if until is None else self._said(marked("until %(until)s")) % days

    def _one(self, leaf: Leaf) -> Read:
        return self._told(leaf.reason, self._compared(leaf), verified=leaf.verified)

    def _told(self, code: str, text: str, *, verified: bool = False) -> Read:
        reason = self._document.texts.get(code)
        met, unmet = ({}, {}) if reason is None else (reason.met, reason.unmet)
        return Read(
            "one",
            text,
            code=code,
            met=in_language(met, self._language),
            unmet=in_language(unmet, self._language),
            verified=verified,
        )

    def _compared(self, leaf: Leaf) -> str:
        match leaf:
            case v2.AgeIs():
                return self._age(leaf)
            case v2.BirthDateIs(op=op, value=day) | v2.DoseDateIs(op=op, value=day):
                text, against = _DATED[type(leaf)], self._said(_DAY[op]) % {"value": self._day(day)}
                return self._said(text) % {"compared": against}
            case v2.DoseNumberIs(op=op, value=number) | v2.DaysSinceDose(op=op, value=number):
                return self._said(_COUNTED[type(leaf)]) % {"compared": self._against(op, number)}
            case v2.IsPregnant():
                return self._said(marked("Is pregnant"))
            case _:
                labels, text = _OF_SEVERAL[type(leaf)]
                return self._said(text) % {"values": self._values(labels, leaf.one_of)}

    def _age(self, leaf: v2.AgeIs) -> str:
        number = self._against(leaf.op, leaf.value)
        compared = self._said(marked("%(number)s months")) % {"number": number} if leaf.unit == "months" else number
        if leaf.on is not None:
            return self._said(marked("Age on %(day)s: %(compared)s")) % {
                "day": self._day(leaf.on),
                "compared": compared,
            }
        return self._said(_AT[leaf.at]) % {"compared": compared}

    def _against(self, op: v2.Op, number: int) -> str:
        return self._said(_NUMBER[op]) % {"value": number}

    def _values(self, labels: str, values: list[str]) -> str:
        if labels == "product":
            return ", ".join(product(code, self._language) for code in values)
        named: dict[str, Texts] = getattr(self._document.labels, labels)
        return ", ".join(in_language(named.get(value, {}), self._language) or value for value in values)

    def _day(self, day: date | None) -> str:
        return "" if day is None else format_date(day, "long", locale=self._language)
