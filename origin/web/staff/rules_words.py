"""A rule document as people read it: who may have what, clause by clause, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from origin.eligibility.document import Document, in_language
from origin.eligibility.formats import v2
from origin.eligibility.formats.lift import lifted
from origin.eligibility.formats.v2 import All, AnyOf, Clause, Leaf, Not
from origin.eligibility.reading import Reader
from origin.words import product

Kind = Literal["all", "any", "not", "one"]


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


class RulesReader:
    """Reads documents and clauses out in one language."""

    def __init__(self, document: Document, language: str) -> None:
        self._document = lifted(document)
        self._language = language
        self._reader = Reader(document, language)

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
            window=self._reader.window(grants.first, grants.until),
            reason=None if grants.reason is None else self._told(grants.reason, ""),
        )

    def _one(self, leaf: Leaf) -> Read:
        return self._told(leaf.reason, self._reader.leaf(leaf), verified=leaf.verified)

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
