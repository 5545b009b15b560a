"""Decisions made again: by the evaluator and rules of their day, or by today's evaluator under other rules."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import msgspec

from origin.eligibility.document import parse
from origin.eligibility.evaluator import Evaluation, Evaluator, Facts, Replayed, evaluator_of
from origin.eligibility.facts import FactSealer, FactsLost

Evaluate = Callable[[Facts, date], Evaluation]
EvaluateOnce = Callable[[Facts, date], Replayed]

_encode = msgspec.json.encode


class EvaluatorUnknown(Exception):
    """No evaluator of this version is here."""


def made_ready(document: bytes) -> Evaluate:
    """Return a stored document, made ready by today's evaluator."""
    return Evaluator(parse(document)).evaluate


def as_on_its_day(document: bytes, evaluator: str) -> EvaluateOnce:
    """Return a stored document, made ready by the evaluator of a version.

    Raises:
        UnknownEvaluator: there is none.
    """
    return evaluator_of(evaluator, parse(document)).evaluate


def branches(evaluation: Replayed) -> bytes:
    """Return the branches as they are stored: path, reason code and truth of each comparison, in order."""
    return _encode([(branch.path, branch.reason, branch.met) for branch in evaluation.branches])


class Verdict(msgspec.Struct, frozen=True):
    """What a decision came to: its outcome and what may be booked with it."""

    outcome: str
    products: list[str] | None
    dose: int | None

    @classmethod
    def of(cls, evaluation: Replayed) -> "Verdict":
        """Return what an evaluation comes to."""
        grant = evaluation.grant
        return (
            cls(evaluation.outcome, None, None)
            if grant is None
            else cls(evaluation.outcome, grant.products, grant.dose)
        )


def reason_codes(evaluation: Evaluation) -> list[str]:
    """Return the decisive reason codes, each once, in order."""
    return list(dict.fromkeys(branch.reason for branch in evaluation.decisive))


def opened(sealer: FactSealer, sealed: bytes | None, ref: UUID) -> Facts | None:
    """Return the facts of a decision, or None where they are gone."""
    if sealed is None:
        return None
    try:
        return sealer.open(sealed, ref)
    except FactsLost:
        return None
