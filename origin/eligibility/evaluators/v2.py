"""Evaluator 2.0.0: decides who may have what. Pure and total: no clock, no I/O; the same bytes for ever.

Three-valued (Kleene): a fact that is missing makes a comparison unknown, never met and never unmet, so that nothing
missing makes anyone eligible. Every branch is evaluated, none is skipped: the explanation is always complete.

It is quick because everything but the days follows from which comparisons are met and which are known: each such
picture is explained once, and kept. The first time costs some twenty times as much.
"""

from datetime import date
from typing import Literal

import msgspec

from origin.eligibility.evaluators import v2_tree as tree
from origin.eligibility.evaluators.v2_axes import UNKNOWN
from origin.eligibility.evaluators.v2_made_ready import Ready, made_ready
from origin.eligibility.evaluators.v2_tree import Branch, Group, Leaf, Truth, truth
from origin.eligibility.evaluators.v2_ways import Way, other_ways
from origin.eligibility.formats import v1, v2
from origin.eligibility.formats.v2 import Grant
from origin.eligibility.person import Facts

VERSION = "2.0.0"

Outcome = Literal["eligible", "not_eligible", "incomplete"]
_OUTCOME: dict[Truth, Outcome] = {True: "eligible", False: "not_eligible", None: "incomplete"}
_MOST_PICTURES = 8_192


class Turned(msgspec.Struct, frozen=True):
    """A comparison that would have come out another way."""

    path: str
    reason: str
    met: bool


class Change(msgspec.Struct, frozen=True):
    """Comparisons that, had all of them come out so, would have given another outcome."""

    outcome: Outcome
    by: list[Turned]


class Evaluation(msgspec.Struct, frozen=True):
    """An outcome with all that explains it.

    ``decisive``: the branches that speak for the granting cohort when eligible; else those that speak against
    (``not_eligible``) or are unknown and could still matter (``incomplete``). ``missing``: the facts behind the latter,
    ``to_verify``: those of them that must be verified. ``would_change``: the smallest sets of comparisons that decide
    otherwise, bounded. ``changes_on``: the first later day with another outcome, if nothing changes but the day.
    """

    outcome: Outcome
    cohort: str | None
    grant: Grant | None
    decisive: list[Branch]
    missing: list[str]
    to_verify: list[str]
    branches: list[Branch]
    would_change: list[Change]
    changes_on: date | None


class Picture(msgspec.Struct, frozen=True):
    """What follows from which comparisons are met and known. ``lasting``: the outcome is the same on any day."""

    outcome: Outcome
    cohort: str | None
    grant: Grant | None
    decisive: list[Branch]
    missing: list[str]
    to_verify: list[str]
    branches: list[Branch]
    would_change: list[Change]
    lasting: bool


class Evaluator:
    """A document made ready. Documents of the first format are read as if they were of the second."""

    def __init__(self, document: v1.Document | v2.Document) -> None:
        self._ready: Ready = made_ready(document)
        self._pictures: dict[tuple[int, int], Picture] = {}
        self._verdicts: dict[tuple[int, int], Truth] = {}

    def evaluate(self, facts: Facts, as_of: date) -> Evaluation:
        """Return the decision for a person with ``facts`` on the date ``as_of``."""
        held = known = 0
        for axis in self._ready.lasting:
            bits = axis.read(facts, as_of)
            if bits != UNKNOWN:
                held |= bits
                known |= axis.mask
        key = self._on(facts, as_of, held, known)
        picture = self._pictures.get(key)
        if picture is None:
            picture = self._keep(key)
        changes_on = None if picture.lasting else self._changes_on(facts, as_of, held, known, key)
        return Evaluation(
            picture.outcome,
            picture.cohort,
            picture.grant,
            picture.decisive,
            picture.missing,
            picture.to_verify,
            picture.branches,
            picture.would_change,
            changes_on,
        )

    def _on(self, facts: Facts, day: date, held: int, known: int) -> tuple[int, int]:
        """Add what depends on the day to what does not."""
        for axis in self._ready.dated:
            bits = axis.read(facts, day)
            if bits != UNKNOWN:
                held |= bits
                known |= axis.mask
        return held, known

    def _changes_on(self, facts: Facts, as_of: date, held: int, known: int, now: tuple[int, int]) -> date | None:
        """Go from one day on which a comparison may turn to the next, until the outcome is another."""
        day, verdict = as_of, self._verdict(now)
        waiting = [axis.next_day for axis in self._ready.dated if axis.next_day is not None]
        while True:
            ahead = [then for next_day in waiting if (then := next_day(facts, day)) is not None]
            if not ahead:
                return None
            day = min(ahead)
            if self._verdict(self._on(facts, day, held, known)) is not verdict:
                return day

    def _verdict(self, key: tuple[int, int]) -> Truth:
        if key in self._verdicts:
            return self._verdicts[key]
        if len(self._verdicts) >= _MOST_PICTURES:
            self._verdicts.clear()
        verdict = self._verdicts[key] = truth(self._ready.root, *key)
        return verdict

    def _keep(self, key: tuple[int, int]) -> Picture:
        if len(self._pictures) >= _MOST_PICTURES:
            self._pictures.clear()
        picture = self._pictures[key] = self._explain(*key)
        return picture

    def _explain(self, held: int, known: int) -> Picture:
        ready = self._ready
        verdict = truth(ready.root, held, known)
        granting = next((each for each in ready.cohorts if truth(each.node, held, known)), None) if verdict else None
        decisive = list(
            tree.grounds(self._blamed(verdict, held, known) if granting is None else granting.node, held, known)
        )
        unknown = decisive if verdict is None else []
        dated = ~ready.dated_mask
        return Picture(
            outcome=_OUTCOME[verdict],
            cohort=None if granting is None else granting.id,
            grant=None if granting is None else granting.grant,
            decisive=[leaf.branch(held, known) for leaf in decisive],
            missing=list(dict.fromkeys(ready.facts[leaf.bit] for leaf in unknown)),
            to_verify=list(dict.fromkeys(ready.facts[leaf.bit] for leaf in unknown if leaf.outcomes[2].verified)),
            branches=[leaf.branch(held, known) for leaf in ready.leaves],
            would_change=[self._change(way, held, known) for way in other_ways(ready.root, held, known)],
            lasting=verdict is not None and truth(ready.root, held & dated, known & dated) is verdict,
        )

    def _blamed(self, verdict: Truth, held: int, known: int) -> Group:
        """Return where to look for reasons: what everybody must meet goes before what cohorts ask."""
        gate = self._ready.gate
        return gate if verdict is False and truth(gate, held, known) is False else self._ready.root

    def _change(self, way: Way, held: int, known: int) -> Change:
        met, unmet = way
        verdict = truth(self._ready.root, (held | met) & ~unmet, known | met | unmet)
        by = [
            Turned(leaf.outcomes[0].path, leaf.outcomes[0].reason, bool(met & leaf.bit))
            for leaf in _first_of_each(self._ready.leaves)
            if (met | unmet) & leaf.bit
        ]
        return Change(_OUTCOME[verdict], by)


def _first_of_each(leaves: tuple[Leaf, ...]) -> list[Leaf]:
    seen: dict[int, Leaf] = {}
    for leaf in leaves:
        seen.setdefault(leaf.bit, leaf)
    return list(seen.values())
