"""The first evaluator, kept to replay what it decided. Pure and total: no clock, no I/O.

Three-valued (Kleene): a fact that is missing makes a comparison unknown, never met and never unmet, so that nothing
missing makes anyone eligible. Every branch is evaluated, none is skipped: the explanation is always complete.
"""

from datetime import date
from typing import Literal

import msgspec

from origin.eligibility.evaluators.v1_clauses import Branch, Subject, Truth, compile_clause
from origin.eligibility.formats.v1 import Document, Grant
from origin.eligibility.person import Facts

VERSION = "1"

Outcome = Literal["eligible", "not_eligible", "incomplete"]


class Evaluation(msgspec.Struct, frozen=True):
    """An outcome with all that explains it.

    ``decisive``: the branches that speak for the granted offer when eligible; else those that speak against
    (``not_eligible``) or are unknown (``incomplete``). ``missing``: the facts that are unknown, only when incomplete.
    """

    outcome: Outcome
    offer: str | None
    grant: Grant | None
    decisive: list[Branch]
    missing: list[str]
    branches: list[Branch]
    age: int | None


class Evaluator:
    """A document made ready: its clauses as nested closures."""

    def __init__(self, document: Document) -> None:
        self._requires = None if document.requires is None else compile_clause(document.requires, "requires")
        self._offers = [
            (offer.id, offer.grants, compile_clause(offer.when, f"offers.{offer.id}")) for offer in document.offers
        ]

    def evaluate(self, facts: Facts, as_of: date) -> Evaluation:
        """Return the decision for a person with ``facts`` on the date ``as_of``."""
        subject = _subject(facts, as_of)
        branches: list[Branch] = []
        required: Truth = True if self._requires is None else self._requires(subject, branches)
        common = len(branches)
        offered: Truth = False
        granted: tuple[str, Grant] | None = None
        why: list[Branch] = []
        for offer, grant, test in self._offers:
            first = len(branches)
            met = test(subject, branches)
            if met:
                if granted is None:
                    granted, why = (offer, grant), branches[first:]
                offered = True
            elif met is None and not offered:
                offered = None
        if required is False or offered is False:
            blamed = branches[:common] if required is False else branches[common:]
            return Evaluation("not_eligible", None, None, _counting(blamed, False), [], branches, subject.age)
        if required is None or granted is None:
            unknown = [branch for branch in branches if branch.met is None]
            return Evaluation("incomplete", None, None, unknown, _missing(unknown), branches, subject.age)
        return Evaluation("eligible", *granted, _counting(why, True), [], branches, subject.age)


def _subject(facts: Facts, as_of: date) -> Subject:
    born = facts.birth_date
    if born is None or born > as_of:  # nobody is born in the future: as good as not answered
        age = born = None
    else:
        age = as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))
    conditions = None if facts.conditions is None else frozenset(facts.conditions)
    return Subject(age, born, facts.region, facts.job_code, conditions)


def _counting(branches: list[Branch], towards: bool) -> list[Branch]:
    return [branch for branch in branches if branch.towards is towards]


def _missing(unknown: list[Branch]) -> list[str]:
    return list(dict.fromkeys("birth_date" if branch.fact == "age" else branch.fact for branch in unknown))
