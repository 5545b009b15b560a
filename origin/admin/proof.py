"""Whether a stored decision is what was recorded when it was made, and comes out the same when it is made again."""

from typing import Any, Literal

import msgspec

from origin.eligibility.again import Verdict, as_on_its_day, branches, opened
from origin.eligibility.digest import Decided, digest
from origin.eligibility.document import InvalidDocument, ruleset_id
from origin.eligibility.evaluator import UnknownEvaluator
from origin.eligibility.facts import FactSealer

Status = Literal[
    "same", "erased", "by_override", "undigested", "different", "altered", "rules_altered", "evaluator_unknown"
]
FAULTS: frozenset[Status] = frozenset({"different", "altered", "rules_altered"})
"""What must never be, and has to be reported."""


class Proof(msgspec.Struct, frozen=True):
    """Digests (SHA-256, hex) of a decision: as ``recorded`` in its audit row, as ``stored`` now, as ``recomputed``.

    ``same``: all three agree. ``erased``: the facts are gone, so that it cannot be made again; the other two agree.
    ``by_override``: made by people; likewise. ``undigested``: made before digests were recorded; it comes out the same,
    or its facts are gone. The others tell what is wrong. ``said``: the same in a sentence.
    """

    status: Status
    said: str
    recorded: str | None
    stored: str
    recomputed: str | None


def decided_in(row: Any) -> Decided:
    """Return what a row of ``decision`` says was decided."""
    return Decided(
        row["ref"],
        row["programme"],
        row["person"],
        row["outcome"],
        row["rule_version"],
        row["stands_for"],
        row["ruleset"],
        row["evaluator"],
        row["as_of"],
        row["products"],
        row["dose"],
        row["inputs_hash"],
        msgspec.Raw(msgspec.json.encode(msgspec.json.decode(row["branches"]))),
        row["override"],
    )


def prove(row: Any, document: bytes, recorded: str | None, sealer: FactSealer) -> tuple[Status, str, str | None]:
    """Return how a row of ``decision`` stands: its status, its digest now, and that of the decision made again.

    It is made again with the evaluator and the rules of its day; its facts do not leave this function.
    """
    decided = decided_in(row)
    stored = digest(decided)
    if recorded not in {None, stored}:
        return "altered", stored, None
    if ruleset_id(document) != decided.ruleset:
        return "rules_altered", stored, None
    if decided.override is not None:
        return "by_override", stored, None
    status, recomputed = _again(row, document, decided, sealer)
    if recomputed is not None and recomputed != stored:
        return "different", stored, recomputed
    return "undigested" if recorded is None and status != "evaluator_unknown" else status, stored, recomputed


def _again(row: Any, document: bytes, decided: Decided, sealer: FactSealer) -> tuple[Status, str | None]:
    """Return the digest of the decision made again, or why it cannot be."""
    facts = opened(sealer, row["facts_sealed"], decided.ref)
    if facts is None:
        return "erased", None
    try:
        made = as_on_its_day(document, decided.evaluator)(facts, decided.as_of)
    except (UnknownEvaluator, InvalidDocument):
        return "evaluator_unknown", None
    verdict = Verdict.of(made)
    again = msgspec.structs.replace(
        decided,
        outcome=verdict.outcome,
        products=verdict.products,
        dose=verdict.dose,
        inputs_hash=sealer.hash(facts),
        branches=msgspec.Raw(branches(made)),
    )
    return "same", digest(again)
