"""Clauses as nested closures: each tests a person and notes every comparison. Pure."""

import operator
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from origin.eligibility.formats.v1 import (
    AgeIs,
    All,
    AnyOf,
    BirthDateIs,
    Clause,
    ConditionsInclude,
    JobCodeIs,
    Leaf,
    Not,
    RegionIs,
)

Truth = bool | None
"""None: unknown."""
Fact = Literal["age", "birth_date", "region", "job_code", "conditions"]


class Branch(msgspec.Struct, frozen=True):
    """One comparison and how it came out.

    ``met``: whether the comparison holds; ``towards``: whether that speaks for the person (they differ below ``not``).
    It says nothing about the person's own facts, so that it can be stored.
    """

    path: str
    fact: Fact
    op: str
    value: int | str | list[str]
    reason: str
    met: Truth
    towards: Truth


class Subject(msgspec.Struct, frozen=True):
    """A person's facts as the comparisons need them."""

    age: int | None
    birth_date: date | None
    region: str | None
    job_code: str | None
    conditions: frozenset[str] | None


Test = Callable[[Subject, list[Branch]], Truth]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def compile_clause(clause: Clause, path: str, *, negated: bool = False) -> Test:
    """Return the clause as a function that returns its truth and appends a Branch for each comparison, in order."""
    match clause:
        case All(of=clauses):
            tests = [compile_clause(each, f"{path}.{index}", negated=negated) for index, each in enumerate(clauses)]
            return _all(tests)
        case AnyOf(of=clauses):
            tests = [compile_clause(each, f"{path}.{index}", negated=negated) for index, each in enumerate(clauses)]
            return _any(tests)
        case Not(of=inner):
            return _not(compile_clause(inner, f"{path}.not", negated=not negated))
        case _:
            return _leaf(clause, path, negated)


def _all(tests: list[Test]) -> Test:
    def test(subject: Subject, branches: list[Branch]) -> Truth:
        verdict: Truth = True
        for each in tests:
            met = each(subject, branches)
            if not met and verdict is not False:
                verdict = met
        return verdict

    return test


def _any(tests: list[Test]) -> Test:
    def test(subject: Subject, branches: list[Branch]) -> Truth:
        verdict: Truth = False
        for each in tests:
            met = each(subject, branches)
            if met is not False and verdict is not True:
                verdict = met
        return verdict

    return test


def _not(inner: Test) -> Test:
    def test(subject: Subject, branches: list[Branch]) -> Truth:
        met = inner(subject, branches)
        return None if met is None else not met

    return test


def _leaf(leaf: Leaf, path: str, negated: bool) -> Test:
    match leaf:
        case AgeIs(op=op, value=value):
            return _compare("age", op, value, _branches(leaf, path, "age", op, value, negated))
        case BirthDateIs(op=op, value=day):
            return _compare("birth_date", op, day, _branches(leaf, path, "birth_date", op, day.isoformat(), negated))
        case RegionIs(one_of=values):
            return _one_of("region", values, _branches(leaf, path, "region", "one_of", values, negated))
        case JobCodeIs(one_of=values):
            return _one_of("job_code", values, _branches(leaf, path, "job_code", "one_of", values, negated))
        case ConditionsInclude(one_of=values):
            return _include(values, _branches(leaf, path, "conditions", "include_one_of", values, negated))


_Outcomes = tuple[Branch, Branch, Branch]


def _branches(leaf: Leaf, path: str, fact: Fact, op: str, value: int | str | list[str], negated: bool) -> _Outcomes:
    """Return the three ways a comparison can come out, made once."""
    return (
        Branch(path, fact, op, value, leaf.reason, True, not negated),
        Branch(path, fact, op, value, leaf.reason, False, negated),
        Branch(path, fact, op, value, leaf.reason, None, None),
    )


def _compare(fact: Literal["age", "birth_date"], op: str, value: int | date, outcomes: _Outcomes) -> Test:
    compare, get = _COMPARE[op], operator.attrgetter(fact)
    met, unmet, unknown = outcomes

    def test(subject: Subject, branches: list[Branch]) -> Truth:
        observed = get(subject)
        if observed is None:
            branches.append(unknown)
            return None
        if compare(observed, value):
            branches.append(met)
            return True
        branches.append(unmet)
        return False

    return test


def _one_of(fact: Literal["region", "job_code"], values: list[str], outcomes: _Outcomes) -> Test:
    allowed, get = frozenset(values), operator.attrgetter(fact)
    met, unmet, unknown = outcomes

    def test(subject: Subject, branches: list[Branch]) -> Truth:
        observed = get(subject)
        if observed is None:
            branches.append(unknown)
            return None
        if observed in allowed:
            branches.append(met)
            return True
        branches.append(unmet)
        return False

    return test


def _include(values: list[str], outcomes: _Outcomes) -> Test:
    sought = frozenset(values)
    met, unmet, unknown = outcomes

    def test(subject: Subject, branches: list[Branch]) -> Truth:
        observed = subject.conditions
        if observed is None:
            branches.append(unknown)
            return None
        if sought.isdisjoint(observed):
            branches.append(unmet)
            return False
        branches.append(met)
        return True

    return test
