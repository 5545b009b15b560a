"""Decide whether a person is eligible, and keep the decision. The server decides; the visitor only declares."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from math import inf
from uuid import UUID

import msgspec

from origin import errors
from origin.admin.programmes import Programme
from origin.db.pool import Database
from origin.eligibility import again
from origin.eligibility.document import LANGUAGE, Document, in_language
from origin.eligibility.evaluator import EVALUATOR, Branch, Evaluation, Facts, Outcome
from origin.eligibility.evaluators.v2_tree import What
from origin.eligibility.facts import FactSealer, FactsLost
from origin.eligibility.keeping import Keeper
from origin.eligibility.observed import Observed, observed
from origin.eligibility.rulebook import RuleBook, RulesUnavailable
from origin.eligibility.store import DecisionStore, NewDecision
from origin.eligibility.versions import Rules
from shared.clock import Clock
from shared.ids import Ids
from shared.problem import Problem

_MOST_RULE_CHANGES = 3
_RULES_AGAIN_S = 30
_encode = msgspec.json.encode


class RulesMissing(Exception):
    """The programme has no rules in force."""


@contextmanager
def no_rules_refused() -> Iterator[None]:
    """Tell callers that there are no rules to decide by: 503 ``rules_missing`` or ``rules_unavailable``."""
    try:
        yield
    except RulesMissing:
        raise Problem(errors.RULES_MISSING, retry_after_s=_RULES_AGAIN_S) from None
    except RulesUnavailable:
        raise Problem(errors.RULES_UNAVAILABLE, retry_after_s=_RULES_AGAIN_S) from None


class Reason(msgspec.Struct, frozen=True):
    """A reason code with its text."""

    code: str
    text: str


class Granted(msgspec.Struct, frozen=True):
    """What an eligible person may book: the preferred product, all that are allowed (CVX codes), and the dose."""

    product: str
    products: list[str]
    dose: int


class Explained(msgspec.Struct, frozen=True):
    """One comparison, what was observed, and how it came out: ``met`` is null where the fact is missing.

    ``unit`` and ``at`` are an age's: years or months, on which day where that is not today. ``verified``: only a fact
    that was verified counts.
    """

    path: str
    fact: What
    op: str
    value: bool | int | str | list[str]
    observed: bool | int | str | list[str] | None
    met: bool | None
    reason: str
    unit: str | None = None
    at: str | None = None
    verified: bool = False


class WouldChange(msgspec.Struct, frozen=True):
    """Reason codes that, had all of them come out the other way, would have given another outcome."""

    outcome: Outcome
    reasons: list[str]


class Decision(msgspec.Struct, frozen=True):
    """A stored decision, as its person sees it.

    ``missing``: the facts that could still matter; ``would_change``: the smallest sets of reasons that would decide
    otherwise; ``changes_on``: the first later day with another outcome, if nothing changes but the day. ``stands_for``:
    the version in force that cannot be read, where the last known rules have decided instead.
    """

    decision_ref: UUID
    outcome: Outcome
    rule_version: int
    reasons: list[Reason]
    missing: list[str]
    grants: Granted | None
    explain: list[Explained]
    would_change: list[WouldChange]
    changes_on: date | None
    expires_at: datetime
    stands_for: int | None = None


@dataclass(frozen=True)
class Decisions:
    """Makes decisions under the rules in force."""

    database: Database
    rules: RuleBook
    store: DecisionStore
    keeper: Keeper
    sealer: FactSealer
    clock: Clock
    ids: Ids

    async def decide(
        self, programme: Programme, person: bytes, facts: Facts, language: str = LANGUAGE, *, asker: bytes | None = None
    ) -> Decision:
        """Evaluate ``facts`` under the rules in force, store the decision with its audit row, and return it.

        The reasons' texts come in ``language`` where the rules have it; what is stored is the same in every language.
        ``asker``: the holder who asks for one of their household; None, the person themselves.

        Raises:
            RulesMissing: there are no rules in force.
            RulesUnavailable: they cannot be loaded.
            Problem: 503 ``store_unavailable``.
        """
        for attempt in range(_MOST_RULE_CHANGES):
            rules = await self.rules.current(programme, facts.region, within_s=0.0 if attempt else inf)
            if rules is None:
                break
            now = self.clock.now()
            evaluation = rules.evaluator.evaluate(facts, now.date())
            new = self._new(programme, person, facts, rules, evaluation, now, asker)
            if await self.keeper.keep(new):
                return _decision(new, rules.document, facts, evaluation, language)
        raise RulesMissing(programme.id)

    async def redecide(self, programme: Programme, person: bytes, ref: UUID) -> Decision:
        """Decide again on the facts of an earlier decision of that person, under the rules in force now.

        Whoever asked for it then has asked for this one.

        Raises:
            FactsLost: the decision has expired, they were erased, or cannot be opened any more.
            RulesMissing, RulesUnavailable, Problem: as above.
        """
        async with self.database.connection() as connection:
            found = await self.store.facts_of(
                connection, ref, person=person, programme=programme.id, now=self.clock.now()
            )
        if found is None:
            raise FactsLost
        return await self.decide(programme, person, self.sealer.open(found.facts, ref), asker=found.asker)

    def _new(
        self,
        programme: Programme,
        person: bytes,
        facts: Facts,
        rules: Rules,
        evaluation: Evaluation,
        now: datetime,
        asker: bytes | None,
    ) -> NewDecision:
        ref = self.ids.uuid()
        grant = evaluation.grant
        return NewDecision(
            ref=ref,
            programme=programme.id,
            region=facts.region,
            person=person,
            outcome=evaluation.outcome,
            version=rules.version,
            stands_for=rules.stands_for,
            ruleset=rules.ruleset,
            evaluator=EVALUATOR,
            as_of=now.date(),
            products=None if grant is None else _encode(grant.products).decode(),
            dose=None if grant is None else grant.dose,
            inputs_hash=self.sealer.hash(facts),
            branches=again.branches(evaluation).decode(),
            facts_sealed=self.sealer.seal(facts, ref),
            now=now,
            expires_at=now + programme.decision_ttl,
            asker=asker,
        )


def _decision(new: NewDecision, document: Document, facts: Facts, evaluation: Evaluation, language: str) -> Decision:
    grant = evaluation.grant
    return Decision(
        decision_ref=new.ref,
        outcome=evaluation.outcome,
        rule_version=new.version,
        reasons=reasons(document, evaluation.decisive, language),
        missing=evaluation.missing,
        grants=None if grant is None else Granted(grant.products[0], grant.products, grant.dose),
        explain=_explain(evaluation, document, facts, new.as_of),
        would_change=[
            WouldChange(each.outcome, [turned.reason for turned in each.by]) for each in evaluation.would_change
        ],
        changes_on=evaluation.changes_on,
        expires_at=new.expires_at,
        stands_for=new.stands_for,
    )


def reasons(document: Document, branches: list[Branch], language: str = LANGUAGE) -> list[Reason]:
    """Return each reason once, with the text for how it came out; unknown reads as not met."""
    found: dict[str, Reason] = {}
    for branch in branches:
        if branch.reason not in found:
            text = document.texts[branch.reason]
            found[branch.reason] = Reason(branch.reason, in_language(text.met if branch.met else text.unmet, language))
    return list(found.values())


def reason_in(document: Document, reason: Reason, language: str) -> str:
    """Return the text of a reason that was given in English, in a language where the rules have it."""
    text = document.texts.get(reason.code)
    for each in () if text is None else (text.met, text.unmet):
        if each.get(LANGUAGE) == reason.text:
            return in_language(each, language)
    return reason.text


def _explain(evaluation: Evaluation, document: Document, facts: Facts, as_of: date) -> list[Explained]:
    seen: dict[tuple[What, str | None, str | None], Observed] = {}
    found = []
    for each in evaluation.branches:
        looked_at = each.fact, each.unit, each.at
        if looked_at not in seen:
            seen[looked_at] = observed(each, document, facts, as_of)
        found.append(
            Explained(
                each.path,
                each.fact,
                each.op,
                each.value,
                seen[looked_at],
                each.met,
                each.reason,
                each.unit,
                each.at,
                each.verified,
            )
        )
    return found
