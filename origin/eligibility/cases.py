"""Example cases of a rule document: people, a day, and what must come out; beside it as ``NAME.cases.json``. Pure."""

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from origin.eligibility.document import Document
from origin.eligibility.evaluator import Evaluation, Evaluator, Facts, Outcome


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must come out; what is left out is not looked at. ``reasons``: the codes that decide, in any order."""

    outcome: Outcome
    cohort: str | UnsetType = UNSET
    reasons: list[str] | UnsetType = UNSET
    missing: list[str] | UnsetType = UNSET
    to_verify: list[str] | UnsetType = UNSET
    changes_on: date | UnsetType | None = UNSET


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person on a day. ``facts`` may name sources: whoever writes the example vouches for it."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    facts: Facts
    on: date
    expect: Expected


class Mismatch(msgspec.Struct, frozen=True):
    """Something that came out otherwise."""

    case: str
    what: str
    expected: Any
    found: Any


class InvalidCases(ValueError):
    """A file that has no cases."""


def parse_cases(raw: bytes) -> list[Case]:
    """Return the cases.

    Raises:
        InvalidCases: it has another form; the message says where and why.
    """
    try:
        return msgspec.json.decode(raw, type=list[Case])
    except msgspec.DecodeError as error:
        raise InvalidCases(str(error)) from None


def check(document: Document, cases: list[Case]) -> list[Mismatch]:
    """Return what came out otherwise than expected, in order of the cases."""
    evaluator = Evaluator(document)
    return [
        mismatch for case in cases for mismatch in _compared(case, found_in(evaluator.evaluate(case.facts, case.on)))
    ]


def found_in(evaluation: Evaluation) -> dict[str, Any]:
    """Return what came out, by the names of what can be expected."""
    return {
        "outcome": evaluation.outcome,
        "cohort": evaluation.cohort,
        "reasons": list(dict.fromkeys(branch.reason for branch in evaluation.decisive)),
        "missing": evaluation.missing,
        "to_verify": evaluation.to_verify,
        "changes_on": None if evaluation.changes_on is None else evaluation.changes_on.isoformat(),
    }


def _compared(case: Case, found: dict[str, Any]) -> list[Mismatch]:
    expected = msgspec.to_builtins(case.expect)
    return [
        Mismatch(case.name, name, value, found[name])
        for name, value in expected.items()
        if _in_order(value) != _in_order(found[name])
    ]


def _in_order(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
