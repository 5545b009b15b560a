"""The decision that a visit carries. It holds for as long as it lives, and as the rules it counts for are in force."""

import msgspec

from origin.eligibility.decisions import Decision, no_rules_refused
from origin.eligibility.facts import FactsLost
from origin.eligibility.rulebook import RulesUnavailable
from origin.gate import Admission
from origin.web import party
from origin.web.verdict import of_decision
from origin.web.visit import Outcome, Visit

RESULT = "/eligibility/result"
_QUESTIONS = "/eligibility"
_PARTY = "/household/party"


def outcome_of(decision: Decision, region: str | None, *, again: bool = False) -> Outcome:
    """Return as much of a decision as the pages need; ``again``: made again because the rules have changed."""
    return Outcome(
        ref=decision.decision_ref,
        expires_at=int(decision.expires_at.timestamp()),
        region=region,
        counts_for=decision.stands_for or decision.rule_version,
        again=again,
        **msgspec.structs.asdict(of_decision(decision)),
    )


def living(visit: Visit) -> Outcome | None:
    """Return the visit's decision, or None where there is none or its life is over; the rules may have changed."""
    outcome = visit.kept.outcome
    return None if outcome is None or visit.state.clock.unix() >= outcome.expires_at else outcome


async def standing(visit: Visit, admission: Admission) -> Outcome | None:
    """Return the visit's decision, whatever it is, or None where there is none that holds.

    Where the rules have changed since, it is made again, on the same facts, and the visit carries the new one. Where
    they cannot be loaded, those under the rules in force hold.

    Raises:
        Problem: 503 ``rules_unavailable`` where it cannot be made again; ``rules_missing``, ``store_unavailable``.
    """
    outcome = living(visit)
    if outcome is None or outcome.by_exception:
        return outcome
    try:
        if await visit.state.decisions.rules.hold(admission.programme, outcome.region, outcome.counts_for):
            return outcome
    except RulesUnavailable:
        return outcome
    visit.kept.outcome = await _again(visit, admission, outcome)
    if visit.kept.outcome is not None:
        party.note(visit, visit.kept.outcome)
    return visit.kept.outcome


async def may_book(visit: Visit, admission: Admission) -> Outcome | None:
    """Return the decision to book with alone, or None where there is none that holds; raises as ``standing``.

    What was decided about a member of a household is for the booking of all.
    """
    if _about_member(visit):
        return None
    outcome = await standing(visit, admission)
    return outcome if outcome is not None and outcome.outcome == "eligible" else None


def why_not(visit: Visit) -> str:
    """Return the address that says why there is nothing to book with, or asks."""
    if _about_member(visit):
        return _PARTY
    outcome = visit.kept.outcome
    return RESULT if outcome is not None and outcome.again else _QUESTIONS


def _about_member(visit: Visit) -> bool:
    about = party.guest(visit)
    return about is not None and about.member is not None


async def _again(visit: Visit, admission: Admission, outcome: Outcome) -> Outcome | None:
    person = await party.asked(visit)
    try:
        with no_rules_refused():
            decision = await visit.state.decisions.redecide(admission.programme, person.pseudonym, outcome.ref)
    except FactsLost:
        return None
    visit.state.metrics.evaluated.labels(decision.outcome, str(decision.rule_version)).inc()
    return outcome_of(decision, outcome.region, again=True)
