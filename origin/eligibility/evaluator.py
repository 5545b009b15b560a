"""The evaluator that decides now, and those that decided once."""

from datetime import date
from typing import Any, Protocol

from origin.eligibility.evaluators import v1, v2
from origin.eligibility.evaluators.v2 import Change, Evaluation, Evaluator, Outcome, Turned
from origin.eligibility.evaluators.v2_tree import Branch
from origin.eligibility.formats.v1 import Document as FirstDocument
from origin.eligibility.formats.v2 import Document as SecondDocument
from origin.eligibility.person import Facts

__all__ = [
    "EVALUATOR",
    "Branch",
    "Change",
    "Evaluation",
    "Evaluator",
    "Facts",
    "Outcome",
    "Turned",
    "UnknownEvaluator",
    "evaluator_of",
]

EVALUATOR = v2.VERSION
"""Changes whenever the same document and facts could give another decision."""


class UnknownEvaluator(LookupError):
    """No evaluator of that version decides about such a document."""


class Replayed(Protocol):
    """What evaluations of all versions have."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def grant(self) -> Any: ...
    @property
    def branches(self) -> list[Any]: ...


class AnyEvaluator(Protocol):
    """What evaluators of all versions can."""

    def evaluate(self, facts: Facts, as_of: date) -> Replayed:
        """Return the decision for a person with ``facts`` on the date ``as_of``."""
        ...


def evaluator_of(version: str, document: FirstDocument | SecondDocument) -> AnyEvaluator:
    """Return the evaluator of a version, made ready for a document.

    Raises:
        UnknownEvaluator: there is none.
    """
    if version == v2.VERSION:
        return v2.Evaluator(document)
    if version == v1.VERSION and isinstance(document, FirstDocument):
        return v1.Evaluator(document)
    raise UnknownEvaluator(f"no evaluator {version} for a document of format {document.v}")
