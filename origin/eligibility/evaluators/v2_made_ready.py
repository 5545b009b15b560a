"""A document turned into axes and one tree: everybody's clause, no exclusion, and one of the cohorts. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from math import inf
from operator import attrgetter
from typing import Any

from origin.eligibility.evaluators.v2_axes import Axis, Choice, Dial, Span, dial_of, window_dial
from origin.eligibility.evaluators.v2_days import Season
from origin.eligibility.evaluators.v2_tree import Group, Leaf, Negation, Node, branch_of, leaves, outcomes
from origin.eligibility.formats import v1, v2
from origin.eligibility.formats.lift import lifted
from origin.eligibility.person import FactName, Facts

_GET: dict[FactName, Callable[[Facts], Any]] = {
    "region": attrgetter("region"),
    "job_code": attrgetter("job_code"),
    "conditions": attrgetter("conditions"),
    "household": attrgetter("household"),
    "pregnant": attrgetter("pregnant"),
    "last_dose": lambda facts: None if facts.last_dose is None else facts.last_dose.product,
}
_CHOICES: dict[type, FactName] = {
    v2.RegionIs: "region",
    v2.JobCodeIs: "job_code",
    v2.ConditionsInclude: "conditions",
    v2.HouseholdIncludes: "household",
    v2.IsPregnant: "pregnant",
    v2.DoseProductIs: "last_dose",
}


@dataclass(frozen=True)
class ReadyCohort:
    """A cohort's clause, its days included, and what it grants."""

    id: str
    node: Node
    grant: v2.Grant


@dataclass(frozen=True)
class Ready:
    """A document made ready. ``facts``: the fact behind each bit; ``dated``: axes that can turn by themselves."""

    root: Group
    gate: Group
    cohorts: tuple[ReadyCohort, ...]
    leaves: tuple[Leaf, ...]
    lasting: tuple[Axis, ...]
    dated: tuple[Axis, ...]
    dated_mask: int
    facts: dict[int, str]


def made_ready(document: v1.Document | v2.Document) -> Ready:
    """Return the document made ready; paths are those of the document's own format."""
    if isinstance(document, v1.Document):
        return _made_ready(lifted(document), "offers")
    return _made_ready(document, "cohorts")


def _made_ready(document: v2.Document, cohorts_name: str) -> Ready:
    forge = _Forge(None if document.season_starts is None else Season(document.season_starts))
    gates: list[Node] = []
    if document.requires is not None:
        gates.append(forge.node(document.requires, "requires"))
    gates.extend(Negation(forge.node(each.when, f"exclusions.{each.id}", negated=True)) for each in document.exclusions)
    cohorts = tuple(forge.cohort(each, f"{cohorts_name}.{each.id}") for each in document.cohorts)
    gate = Group(True, tuple(gates))
    root = Group(True, (*gates, Group(False, tuple(each.node for each in cohorts))))
    axes = [maker.build() for maker in forge.makers.values()]
    dated = tuple(axis for axis in axes if axis.next_day is not None)
    return Ready(
        root=root,
        gate=gate,
        cohorts=cohorts,
        leaves=tuple(leaves(root)),
        lasting=tuple(axis for axis in axes if axis.next_day is None),
        dated=dated,
        dated_mask=sum(axis.mask for axis in dated),
        facts=forge.facts,
    )


@dataclass
class _Forge:
    """Gives out bits: the same comparison gets the same bit."""

    season: Season | None
    makers: dict[object, Dial | Choice] = field(default_factory=dict)
    facts: dict[int, str] = field(default_factory=dict)

    def cohort(self, cohort: v2.Cohort, path: str) -> ReadyCohort:
        """Return the cohort made ready."""
        node, grant = self.node(cohort.when, path), cohort.grants
        if grant.reason is not None:
            first = -inf if grant.first is None else grant.first.toordinal()
            end = inf if grant.until is None else grant.until.toordinal() + 1
            bit = self._span("window", window_dial(), (first, end))
            days = [day.isoformat() if day is not None else "" for day in (grant.first, grant.until)]
            window = Leaf(bit, outcomes(f"{path}.grants", "date", "within", days, grant.reason, negated=False))
            node = Group(True, (node, window))
        return ReadyCohort(cohort.id, node, grant)

    def node(self, clause: v2.Clause, path: str, *, negated: bool = False) -> Node:
        """Return the clause over bits."""
        match clause:
            case v2.All(of=of) | v2.AnyOf(of=of):
                inner = tuple(self.node(each, f"{path}.{index}", negated=negated) for index, each in enumerate(of))
                return Group(isinstance(clause, v2.All), inner)
            case v2.Not(of=each):
                return Negation(self.node(each, f"{path}.not", negated=not negated))
            case _:
                return Leaf(self._bit(clause), branch_of(clause, path, negated=negated))

    def _bit(self, leaf: v2.Leaf) -> int:
        choice = _CHOICES.get(type(leaf))
        if choice is not None:
            return self._choice(choice, leaf.verified, frozenset(getattr(leaf, "one_of", (True,))))
        name, dial = dial_of(leaf, self.season)
        return self._span((name, leaf.verified), dial, _span_of(leaf))

    def _choice(self, fact: FactName, verified: bool, values: frozenset[object]) -> int:
        several = fact in {"conditions", "household"}
        maker = self.makers.setdefault((fact, verified), Choice(fact, verified, _GET[fact], several))
        assert isinstance(maker, Choice)
        if values not in maker.values:
            maker.values[values] = self._next_bit(fact)
        return maker.values[values]

    def _span(self, key: object, dial: Dial, span: Span) -> int:
        maker = self.makers.setdefault(key, dial)
        assert isinstance(maker, Dial)
        if span not in maker.spans:
            maker.spans[span] = self._next_bit(dial.fact)
        return maker.spans[span]

    def _next_bit(self, fact: str) -> int:
        bit = 1 << len(self.facts)
        self.facts[bit] = fact
        return bit


def _span_of(leaf: v2.Leaf) -> Span:
    """Return an ordered comparison as a span of whole numbers: ages in months, dates in days."""
    match leaf:
        case v2.AgeIs(op=op, value=number, unit=unit):
            size = 12 if unit == "years" else 1
            return _span(op, number * size, size)
        case v2.BirthDateIs(op=op, value=date() as day) | v2.DoseDateIs(op=op, value=date() as day):
            return _span(op, day.toordinal(), 1)
        case v2.DoseNumberIs(op=op, value=number) | v2.DaysSinceDose(op=op, value=number):
            return _span(op, number, 1)
        case _:
            raise AssertionError(leaf)


def _span(op: v2.Op, number: int, size: int) -> Span:
    """Return where a number that counts in steps of ``size`` meets the comparison."""
    return {
        "<": (-inf, number),
        "<=": (-inf, number + size),
        "=": (number, number + size),
        ">=": (number, inf),
        ">": (number + size, inf),
    }[op]
