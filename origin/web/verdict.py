"""What rules say of somebody, in words: why, why not yet, from when, and what would change it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from origin.eligibility.decisions import Decision, reasons
from origin.eligibility.document import Document, in_language
from origin.eligibility.evaluator import Evaluation
from origin.eligibility.versions import Rules
from origin.web.visit import Turned, Verdict
from origin.words import day, product

_MOST_REASONS = 24
_MOST_WAYS = 6
_BY_TIME = frozenset({"age", "birth_date", "date", "dose_date", "days_since_dose"})
_FACT = {
    "age": "birth_date",
    "dose_number": "last_dose",
    "dose_product": "last_dose",
    "dose_date": "last_dose",
    "days_since_dose": "last_dose",
}
_QUESTION = {"birth_date": "birth", "job_code": "job", "last_dose": "dose"}
_NOT_CHOSEN = _BY_TIME | {"dose_number", "dose_product"}


@dataclass(frozen=True)
class Said:
    """A verdict in the language of its reader. ``until``: the last day on which somebody eligible can book."""

    outcome: str
    version: int
    reasons: list[str]
    missing: list[str]
    to_verify: list[str]
    products: list[str]
    dose: int
    from_day: str
    until: str
    becomes: str
    would: list[list[str]]


def of_decision(decision: Decision) -> Verdict:
    """Return the verdict of a stored decision."""
    looked_at = {each.reason: each for each in decision.explain}
    verified = {_FACT.get(each.fact, each.fact) for each in decision.explain if each.verified and each.met is None}
    ways = (
        [(code, not looked_at[code].met) for code in way.reasons]
        for way in decision.would_change
        if way.outcome == "eligible" and all(looked_at[code].met is not None for code in way.reasons)
    )
    return Verdict(
        outcome=decision.outcome,
        version=decision.rule_version,
        reasons=decision.reasons[:_MOST_REASONS],
        missing=decision.missing,
        products=[] if decision.grants is None else decision.grants.products,
        dose=0 if decision.grants is None else decision.grants.dose,
        to_verify=[name for name in decision.missing if name in verified],
        changes_on=decision.changes_on,
        would=_told(ways, {code: each.fact for code, each in looked_at.items()}),
    )


def of_evaluation(evaluation: Evaluation, rules: Rules) -> Verdict:
    """Return the verdict of an evaluation that is stored nowhere."""
    ways = (
        [(each.reason, each.met) for each in way.by] for way in evaluation.would_change if way.outcome == "eligible"
    )
    return Verdict(
        outcome=evaluation.outcome,
        version=rules.version,
        reasons=reasons(rules.document, evaluation.decisive)[:_MOST_REASONS],
        missing=evaluation.missing,
        products=[] if evaluation.grant is None else evaluation.grant.products,
        dose=0 if evaluation.grant is None else evaluation.grant.dose,
        to_verify=evaluation.to_verify,
        changes_on=evaluation.changes_on,
        would=_told(ways, {each.reason: each.fact for each in evaluation.branches}),
    )


def _told(ways: Iterable[list[Turned]], facts: Mapping[str, str]) -> list[list[Turned]]:
    """Return the ways to another outcome that rest on what people can tell us; what time does, ``changes_on`` says."""
    return [way for way in ways if not any(facts[code] in _NOT_CHOSEN for code, _ in way)][:_MOST_WAYS]


def said(verdict: Verdict, document: Document | None, given: list[str], language: str) -> Said:
    """Return the verdict in words; ``given``: its reasons in that language. Without the document, some are not told."""
    from_day = until = ""
    if verdict.changes_on is not None:
        from_day = day(verdict.changes_on, language)
        until = day(verdict.changes_on - timedelta(days=1), language)
    return Said(
        outcome=verdict.outcome,
        version=verdict.version,
        reasons=given,
        missing=[_QUESTION.get(name, name) for name in verdict.missing if name not in verdict.to_verify],
        to_verify=[_QUESTION.get(name, name) for name in verdict.to_verify],
        products=[product(code, language) for code in verdict.products],
        dose=verdict.dose,
        from_day=from_day,
        until=until if verdict.outcome == "eligible" else "",
        becomes=verdict.becomes,
        would=[] if document is None else [_texts(document, way, language) for way in verdict.would],
    )


def _texts(document: Document, way: list[Turned], language: str) -> list[str]:
    texts = [document.texts.get(code) for code, _ in way]
    return [
        in_language(text.met if met else text.unmet, language)
        for text, (_, met) in zip(texts, way, strict=True)
        if text is not None
    ]
