"""Clauses as a tree over bits, judged in three values (Kleene), and what a judgement rests on. Pure.

What is known is two numbers: ``held`` has the bits of what is met, ``known`` also those of what is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from origin.eligibility.formats import v2

Truth = bool | None
"""None: unknown."""
What = Literal[
    "age",
    "birth_date",
    "region",
    "job_code",
    "conditions",
    "household",
    "pregnant",
    "dose_number",
    "dose_product",
    "dose_date",
    "days_since_dose",
    "date",
]


class Branch(msgspec.Struct, frozen=True, omit_defaults=True):
    """One comparison and how it came out.

    ``met``: whether the comparison holds; ``towards``: whether that speaks for the person (they differ below ``not``).
    It says nothing about the person's own facts, so that it can be stored. ``at``: the day of an age, where that is not
    the day that is decided about; a ``date`` is compared with first and last day.
    """

    path: str
    fact: What
    op: str
    value: bool | int | str | list[str]
    reason: str
    met: Truth
    towards: Truth
    unit: str | None = None
    at: str | None = None
    verified: bool = False


@dataclass(frozen=True)
class Leaf:
    """A comparison in its place. ``outcomes``: the branch when it is met, when it is not, and when nobody knows."""

    bit: int
    outcomes: tuple[Branch, Branch, Branch]

    def branch(self, held: int, known: int) -> Branch:
        """Return how it came out."""
        return self.outcomes[0 if held & self.bit else 1 if known & self.bit else 2]


@dataclass(frozen=True)
class Group:
    """Clauses of which all must be met, or one."""

    every: bool
    of: "tuple[Node, ...]"


@dataclass(frozen=True)
class Negation:
    """A clause that must not be met."""

    of: "Node"


Node = Leaf | Group | Negation


def truth(node: Node, held: int, known: int) -> Truth:
    """Judge a clause."""
    if isinstance(node, Leaf):
        return True if held & node.bit else False if known & node.bit else None
    if isinstance(node, Negation):
        inner = truth(node.of, held, known)
        return None if inner is None else not inner
    verdict: Truth = node.every
    for each in node.of:
        met = truth(each, held, known)
        if met is not node.every:
            if met is not None:
                return met
            verdict = None
    return verdict


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield every comparison, in order."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Negation):
        yield from leaves(node.of)
    else:
        for each in node.of:
            yield from leaves(each)


def grounds(node: Node, held: int, known: int) -> Iterator[Leaf]:
    """Yield the comparisons that a judgement rests on: whatever the others were, it would be the same.

    Of an unknown clause they are the unknown comparisons that could still matter.
    """
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Negation):
        yield from grounds(node.of, held, known)
    else:
        verdict = truth(node, held, known)
        for each in node.of:
            if truth(each, held, known) is verdict:
                yield from grounds(each, held, known)


def branch_of(leaf: v2.Leaf, path: str, *, negated: bool) -> tuple[Branch, Branch, Branch]:
    """Return the three ways a comparison can come out, made once."""
    op, value = _compared(leaf)
    unit = leaf.unit if isinstance(leaf, v2.AgeIs) else None
    day = _day_of(leaf) if isinstance(leaf, v2.AgeIs) else None
    return outcomes(path, _WHAT[type(leaf)], op, value, leaf.reason, negated, unit=unit, at=day, verified=leaf.verified)


def outcomes(
    path: str,
    fact: What,
    op: str,
    value: bool | int | str | list[str],
    reason: str,
    negated: bool,
    *,
    unit: str | None = None,
    at: str | None = None,
    verified: bool = False,
) -> tuple[Branch, Branch, Branch]:
    """Return a branch for met, unmet and unknown."""
    return (
        Branch(path, fact, op, value, reason, True, not negated, unit, at, verified),
        Branch(path, fact, op, value, reason, False, negated, unit, at, verified),
        Branch(path, fact, op, value, reason, None, None, unit, at, verified),
    )


def _compared(leaf: v2.Leaf) -> tuple[str, bool | int | str | list[str]]:
    match leaf:
        case (
            v2.AgeIs(op=op, value=number) | v2.DoseNumberIs(op=op, value=number) | v2.DaysSinceDose(op=op, value=number)
        ):
            return op, number
        case v2.BirthDateIs(op=op, value=day) | v2.DoseDateIs(op=op, value=day):
            return op, day.isoformat()
        case v2.IsPregnant():
            return "=", True
        case v2.ConditionsInclude(one_of=values) | v2.HouseholdIncludes(one_of=values):
            return "include_one_of", values
        case v2.RegionIs(one_of=values) | v2.JobCodeIs(one_of=values) | v2.DoseProductIs(one_of=values):
            return "one_of", values


def _day_of(leaf: v2.AgeIs) -> str | None:
    if leaf.on is not None:
        return leaf.on.isoformat()
    return None if leaf.at == "as_of" else leaf.at


_WHAT: dict[type, What] = {
    v2.AgeIs: "age",
    v2.BirthDateIs: "birth_date",
    v2.RegionIs: "region",
    v2.JobCodeIs: "job_code",
    v2.ConditionsInclude: "conditions",
    v2.HouseholdIncludes: "household",
    v2.IsPregnant: "pregnant",
    v2.DoseNumberIs: "dose_number",
    v2.DoseProductIs: "dose_product",
    v2.DoseDateIs: "dose_date",
    v2.DaysSinceDose: "days_since_dose",
}
