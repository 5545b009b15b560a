"""Example cases of a rule document: people, a day, and what must come out. Pure.

They lie beside a document as ``NAME.cases.json``, and are kept with the version that is drafted from it.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import msgspec
import rfc8785
from msgspec import UNSET, UnsetType

from origin.eligibility.document import Document
from origin.eligibility.evaluator import Evaluation, Evaluator, Facts, Outcome
from origin.eligibility.formats import shape
from origin.eligibility.formats.texts import Fault, Faulty

MAX_CASES_BYTES = 128 * 1024
MAX_CASES = 256
NO_CASES = b"[]"


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

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
    facts: Facts
    on: date
    expect: Expected


class Mismatch(msgspec.Struct, frozen=True):
    """Something that came out otherwise."""

    case: str
    what: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.what}: expected {_spelled(self.expected)}, found {_spelled(self.found)}"


class CaseResult(msgspec.Struct, frozen=True):
    """A case tried out. ``found``: all that came out, by the names of what can be expected."""

    case: Case
    found: dict[str, Any]
    mismatches: list[Mismatch]


class InvalidCases(Faulty):
    """What has no cases, or cases that cannot be taken."""


_Cases = Annotated[list[Case], msgspec.Meta(max_length=MAX_CASES)]


def parse_cases(raw: bytes) -> list[Case]:
    """Return the cases.

    Raises:
        InvalidCases: they are too large or too many, have another form, or share a name. The error has all faults at
            once, each with its JSON path.
    """
    if len(raw) > MAX_CASES_BYTES:
        raise InvalidCases(f"larger than {MAX_CASES_BYTES} bytes")
    try:
        cases = msgspec.json.decode(raw, type=_Cases)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidCases(*(_shape_faults(raw) or [_fault(error)])) from None
    if doubled := list(_doubled(cases)):
        raise InvalidCases(*doubled)
    return cases


def canonical_cases(raw: bytes) -> bytes:
    """Return the one spelling of cases (RFC 8785): what was left out stays left out.

    Raises:
        InvalidCases: as above.
    """
    parse_cases(raw)
    return rfc8785.dumps(msgspec.json.decode(raw))


def results(document: Document, cases: list[Case]) -> list[CaseResult]:
    """Return how each case comes out, in their order."""
    evaluator = Evaluator(document)
    found = [found_in(evaluator.evaluate(case.facts, case.on)) for case in cases]
    return [CaseResult(case, out, _compared(case, out)) for case, out in zip(cases, found, strict=True)]


def check(document: Document, cases: list[Case]) -> list[Mismatch]:
    """Return what came out otherwise than expected, in order of the cases."""
    return [mismatch for result in results(document, cases) for mismatch in result.mismatches]


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


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _doubled(cases: list[Case]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, case in enumerate(cases):
        if case.name in seen:
            yield Fault(f"$[{index}].name", f"two cases have the name {case.name}")
        seen.add(case.name)


def _shape_faults(raw: bytes) -> list[Fault]:
    try:
        value: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return list(shape.faults(value, _Cases))


def _fault(error: Exception) -> Fault:
    what, _, path = str(error).partition(" - at `")
    return Fault(path.removesuffix("`") or "$", what)
