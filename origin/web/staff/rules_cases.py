"""Example cases as pages show them: how each comes out, and which come out otherwise under another version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from origin.eligibility.again import Verdict
from origin.eligibility.cases import Case, CaseResult, InvalidCases, parse_cases, results
from origin.eligibility.document import Document
from origin.eligibility.evaluator import Evaluator
from origin.eligibility.version_models import VersionWithDocument


@dataclass(frozen=True)
class Tried:
    """All cases, those that failed first. ``brought``: by whoever looks, and kept nowhere."""

    cases: list[CaseResult]
    brought: bool = False

    @property
    def failed(self) -> int:
        """How many came out otherwise."""
        return sum(1 for each in self.cases if each.mismatches)


def tried(document: Document, cases: list[Case], *, brought: bool = False) -> Tried | None:
    """Return how cases come out; None where there are none."""
    if not cases:
        return None
    return Tried(sorted(results(document, cases), key=lambda each: not each.mismatches), brought)


def cases_of(one: VersionWithDocument) -> list[Case]:
    """Return the cases that a version carries; none where they are in no form that is known here."""
    try:
        return parse_cases(bytes(one.cases))
    except InvalidCases:
        return []


@dataclass(frozen=True)
class Example:
    """A case under two versions. ``of``: the versions that carry it, ``expected``: the outcome that it says."""

    name: str
    on: date
    of: list[int]
    expected: str
    before: Verdict
    after: Verdict

    @property
    def is_changed(self) -> bool:
        """Whether outcome, products or dose differ."""
        return self.before != self.after


def examples(before: VersionWithDocument, after: VersionWithDocument, documents: Sequence[Document]) -> list[Example]:
    """Return the cases that either version carries, each once, under both; those that come out otherwise first."""
    carried: list[tuple[Case, list[int]]] = []
    for one in (before, after):
        for case in cases_of(one):
            of = next((of for known, of in carried if known == case), None)
            if of is None:
                carried.append((case, [one.version]))
            elif one.version not in of:
                of.append(one.version)
    old, new = (Evaluator(document) for document in documents)
    told = [
        Example(
            case.name,
            case.on,
            of,
            case.expect.outcome,
            Verdict.of(old.evaluate(case.facts, case.on)),
            Verdict.of(new.evaluate(case.facts, case.on)),
        )
        for case, of in carried
    ]
    return sorted(told, key=lambda each: not each.is_changed)
