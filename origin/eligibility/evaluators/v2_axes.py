"""Comparisons as bits: each fact is looked up once, and the answer has one bit per comparison that it decides. Pure.

Comparisons that ask the same share a bit. An axis is one fact, seen one way (an age today and an age at the year's end
are two), and knows for every value of its fact which of its comparisons hold.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from math import inf
from typing import Any, Literal

from origin.eligibility.evaluators import v2_days as days
from origin.eligibility.evaluators.v2_days import Measure, Reached
from origin.eligibility.formats import v2
from origin.eligibility.person import FactName, Facts

UNKNOWN = -1
Read = Callable[[Facts, date], int]
"""From facts and the day to the bits that hold, or UNKNOWN."""
NextDay = Callable[[Facts, date], date | None]
"""The first later day on which the bits may differ; None: they never will by themselves."""
Span = tuple[float, float]
"""From, and before."""


@dataclass(frozen=True)
class Axis:
    """One fact made ready. ``mask``: the bits of all its comparisons; ``next_day``: None where time changes nothing."""

    fact: FactName | Literal["date"]
    mask: int
    read: Read
    next_day: NextDay | None


@dataclass
class Dial:
    """An axis in the making, on which comparisons are spans of one number."""

    fact: FactName | Literal["date"]
    verified: bool
    told: Callable[[Facts], date | None] | None
    measure: Measure
    reached: Reached
    spans: dict[Span, int] = field(default_factory=dict)

    def build(self) -> Axis:
        """Return the axis."""
        cuts = sorted({bound for span in self.spans for bound in span if abs(bound) != inf})
        edges = [-inf, *cuts, inf]
        held = [
            sum(bit for (first, end), bit in self.spans.items() if first <= edges[i] and edges[i + 1] <= end)
            for i in range(len(edges) - 1)
        ]
        numbers = [int(cut) for cut in cuts]
        reader = _number(held, numbers) if self.told is None else _day(self.told, self.measure, held, numbers)
        next_day = None if self.told is None else _next(self.told, self.measure, self.reached, numbers)
        if self.fact == "last_dose" and self.told is not None:
            reader = _of_a_dose(reader)
        read = _verified(self.fact, reader) if self.verified else reader
        return Axis(self.fact, sum(self.spans.values()), read, next_day)


def _number(held: list[int], cuts: list[int]) -> Read:
    def read(facts: Facts, _: date) -> int:
        dose = facts.last_dose
        if dose is None or dose.number is None:
            return UNKNOWN
        return held[bisect_right(cuts, dose.number)]

    return read


def _day(told_in: Callable[[Facts], date | None], measure: Measure, held: list[int], cuts: list[int]) -> Read:
    def read(facts: Facts, day: date) -> int:
        told = told_in(facts)
        if told is None or told > day:  # nobody is born in the future: as good as not answered
            return UNKNOWN
        return held[bisect_right(cuts, measure(told, day))]

    return read


def _next(told_in: Callable[[Facts], date | None], measure: Measure, reached: Reached, cuts: list[int]) -> NextDay:
    def next_day(facts: Facts, day: date) -> date | None:
        told = told_in(facts)
        if told is None:
            return None
        if told > day:
            return told
        ahead = bisect_right(cuts, measure(told, day))
        return None if ahead == len(cuts) else reached(told, cuts[ahead])

    return next_day


def _of_a_dose(inner: Read) -> Read:
    """Let no comparison with the product or the date of a dose hold for those who had none."""

    def read(facts: Facts, day: date) -> int:
        dose = facts.last_dose
        return 0 if dose is not None and dose.number == 0 else inner(facts, day)

    return read


def _verified(fact: FactName | Literal["date"], inner: Read) -> Read:
    def read(facts: Facts, day: date) -> int:
        return inner(facts, day) if fact in facts.sources else UNKNOWN

    return read


@dataclass
class Choice:
    """An axis in the making, on which comparisons are sets of values; of ``several`` values one is enough."""

    fact: FactName
    verified: bool
    get: Callable[[Facts], Any]
    several: bool
    values: dict[frozenset[Any], int] = field(default_factory=dict)

    def build(self) -> Axis:
        """Return the axis."""
        held: dict[Any, int] = {}
        for values, bit in self.values.items():
            for value in values:
                held[value] = held.get(value, 0) | bit
        reader = _several(self.get, held) if self.several else _one(self.get, held)
        if self.fact == "last_dose":
            reader = _of_a_dose(reader)
        read = _verified(self.fact, reader) if self.verified else reader
        return Axis(self.fact, sum(self.values.values()), read, None)


def _one(get: Callable[[Facts], Any], held: dict[Any, int]) -> Read:
    def read(facts: Facts, _: date) -> int:
        value = get(facts)
        return UNKNOWN if value is None else held.get(value, 0)

    return read


def _several(get: Callable[[Facts], Any], held: dict[Any, int]) -> Read:
    def read(facts: Facts, _: date) -> int:
        values = get(facts)
        if values is None:
            return UNKNOWN
        bits = 0
        for value in values:
            bits |= held.get(value, 0)
        return bits

    return read


_TOLD: dict[str, Callable[[Facts], date | None]] = {
    "birth_date": lambda facts: facts.birth_date,
    "last_dose": lambda facts: None if facts.last_dose is None else facts.last_dose.given_on,
    "date": lambda _: date.min,
}


def dial_of(leaf: v2.Leaf, season: days.Season | None) -> tuple[object, Dial]:
    """Return what tells dials apart, and a new dial for an ordered comparison."""
    match leaf:
        case v2.AgeIs(on=date() as fixed):
            return fixed, Dial("birth_date", leaf.verified, _TOLD["birth_date"], days.age_on(fixed), days.never)
        case v2.AgeIs(at=at):
            measure, reached = _age(at, season)
            return at, Dial("birth_date", leaf.verified, _TOLD["birth_date"], measure, reached)
        case v2.BirthDateIs():
            return "born", Dial("birth_date", leaf.verified, _TOLD["birth_date"], days.ordinal, days.never)
        case v2.DoseDateIs():
            return "dose", Dial("last_dose", leaf.verified, _TOLD["last_dose"], days.ordinal, days.never)
        case v2.DaysSinceDose():
            return "since", Dial(
                "last_dose", leaf.verified, _TOLD["last_dose"], days.days_since, days.days_since_reached
            )
        case _:
            return "number", Dial("last_dose", leaf.verified, None, days.ordinal, days.never)


def _age(at: str, season: days.Season | None) -> tuple[Measure, Reached]:
    if at == "end_of_year":
        return days.age_at_end(days.year_end), days.age_at_end_reached(days.year_start)
    if at == "end_of_season" and season is not None:
        return days.age_at_end(season.end), days.age_at_end_reached(season.start)
    return days.months, days.months_reached


def window_dial() -> Dial:
    """Return a dial of the day that is decided about."""
    return Dial("date", verified=False, told=_TOLD["date"], measure=days.day_number, reached=days.day_number_reached)
