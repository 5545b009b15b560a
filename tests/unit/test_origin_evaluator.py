"""Rule evaluation: pure, total, three-valued, and explained branch by branch."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.eligibility import versions
from origin.eligibility.document import canonical, parse
from origin.eligibility.evaluator import Evaluation, Evaluator, Facts
from origin.eligibility.formats import v1 as rules

AS_OF = date(2027, 3, 1)
DEMO = rules.parse(versions.DEMO.read_bytes())
REGIONS, JOBS, CONDITIONS = ["ES-MD", "ES-AN", "FR-75"], ["none", "ISCO-221", "ISCO-612"], ["pregnancy", "diabetes"]


def texts(*codes: str) -> dict[str, Any]:
    return {code: {"met": {"en": "Yes."}, "unmet": {"en": "No."}} for code in codes}


def ruleset(when: Any, requires: Any = None) -> rules.Document:
    """One offer."""
    offer = {"id": "only", "when": when, "grants": {"products": ["140"], "dose": 1}}
    raw = {"v": 1, "title": {"en": "T"}, "offers": [offer], "texts": texts("A", "B", "AB"), "requires": requires}
    raw["texts"] |= texts("R1", "R2", "R3")
    return rules.parse(msgspec.json.encode(raw))


def decide(when: Any, facts: Facts, requires: Any = None) -> Evaluation:
    return Evaluator(ruleset(when, requires)).evaluate(facts, AS_OF)


def demo(**facts: Any) -> Evaluation:
    return Evaluator(DEMO).evaluate(msgspec.convert(facts, Facts), AS_OF)


@pytest.mark.parametrize(
    ("facts", "outcome", "offer"),
    [
        ({"birth_date": "1950-01-01", "region": "ES-MD", "conditions": []}, "eligible", "seniors"),
        ({"birth_date": "1962-03-01", "region": "ES-MD", "conditions": []}, "eligible", "seniors"),
        ({"birth_date": "1962-03-02", "region": "ES-MD", "conditions": []}, "eligible", "sixty"),
        ({"birth_date": "1995-01-01", "region": "ES-MD", "conditions": ["pregnancy"]}, "eligible", "pregnancy"),
        (
            {"birth_date": "1995-01-01", "region": "ES-CN", "job_code": "ISCO-222", "conditions": []},
            "eligible",
            "health-care",
        ),
        (
            {"birth_date": "1995-01-01", "region": "ES-GA", "job_code": "ISCO-612", "conditions": []},
            "eligible",
            "essential-work",
        ),
        (
            {"birth_date": "1995-01-01", "region": "ES-MD", "job_code": "ISCO-612", "conditions": []},
            "not_eligible",
            None,
        ),
        ({"birth_date": "1950-01-01", "region": "FR-75", "conditions": []}, "not_eligible", None),
        ({"birth_date": "1950-01-01", "region": "ES-MD", "conditions": ["severe-reaction"]}, "not_eligible", None),
        ({"birth_date": "2024-01-01", "region": "ES-MD", "conditions": ["diabetes"]}, "not_eligible", None),
        ({"birth_date": "1950-01-01", "region": "ES-MD"}, "incomplete", None),
        ({}, "incomplete", None),
    ],
)
def test_the_demo_rules_decide_as_they_read(facts: dict[str, Any], outcome: str, offer: str | None) -> None:
    decision = demo(**facts)
    assert (decision.outcome, decision.cohort) == (outcome, offer)


def test_the_answer_names_what_is_missing_and_what_stands_against() -> None:
    assert demo(birth_date="1990-01-01", region="ES-MD", conditions=[]).missing == ["job_code"]
    abroad = demo(birth_date="1950-01-01", region="FR-75", conditions=["severe-reaction"])
    assert [branch.reason for branch in abroad.decisive] == ["LIVES_IN_SERVED_REGION", "SEVERE_REACTION_BEFORE"]
    assert [branch.met for branch in abroad.decisive] == [False, True]


def test_every_branch_is_explained_whatever_came_before_it() -> None:
    number = sum(1 for offer in DEMO.offers for _ in rules.leaves(offer.when))
    assert DEMO.requires is not None
    number += sum(1 for _ in rules.leaves(DEMO.requires))
    for facts in ({}, {"region": "FR-75"}, {"birth_date": "1950-01-01", "region": "ES-MD", "conditions": []}):
        decision = demo(**facts)
        assert len(decision.branches) == number
        assert len({branch.path for branch in decision.branches}) == number


def test_a_birth_date_in_the_future_is_as_good_as_none() -> None:
    decision = decide({"is": "age", "op": ">=", "value": 0, "reason": "A"}, Facts(birth_date=date(2027, 3, 2)))
    assert (decision.outcome, decision.missing) == ("incomplete", ["birth_date"])


@pytest.mark.parametrize(
    ("op", "value", "born", "met"),
    [
        (">=", 65, "1962-03-01", True),
        (">=", 65, "1962-03-02", False),
        ("<", 18, "2009-03-02", True),
        ("<", 18, "2009-03-01", False),
        ("=", 27, "2000-02-29", True),
        ("=", 26, "2000-03-02", True),
    ],
)
def test_age_is_in_full_years_on_the_day(op: str, value: int, born: str, met: bool) -> None:
    decision = decide({"is": "age", "op": op, "value": value, "reason": "A"}, Facts(date.fromisoformat(born)))
    assert decision.branches[0].met is met


def test_texts_and_codes_below_not_speak_the_right_way() -> None:
    pregnant = {"is": "not", "of": {"is": "conditions", "one_of": ["pregnancy"], "reason": "A"}}
    refused = decide(pregnant, Facts(conditions=["pregnancy"]))
    assert (refused.outcome, [branch.reason for branch in refused.decisive]) == ("not_eligible", ["A"])
    granted = decide(pregnant, Facts(conditions=[]))
    assert (granted.outcome, [branch.reason for branch in granted.decisive]) == ("eligible", ["A"])


facts_of_people = st.builds(
    Facts,
    birth_date=st.none() | st.dates(),
    region=st.none() | st.sampled_from(REGIONS) | st.text(min_size=1, max_size=8),
    job_code=st.none() | st.sampled_from(JOBS) | st.text(min_size=1, max_size=8),
    conditions=st.none() | st.lists(st.sampled_from(CONDITIONS) | st.text(min_size=1, max_size=8), max_size=4),
)
ops = st.sampled_from(["<", "<=", "=", ">=", ">"])
reasons = st.sampled_from(["R1", "R2", "R3"])
comparisons = st.one_of(
    st.fixed_dictionaries({"is": st.just("age"), "op": ops, "value": st.integers(0, 120), "reason": reasons}),
    st.fixed_dictionaries(
        {"is": st.just("birth_date"), "op": ops, "value": st.dates().map(date.isoformat), "reason": reasons}
    ),
    *(
        st.fixed_dictionaries(
            {"is": st.just(fact), "one_of": st.lists(st.sampled_from(values), min_size=1), "reason": reasons}
        )
        for fact, values in (("region", REGIONS), ("job_code", JOBS), ("conditions", CONDITIONS))
    ),
)
clauses = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"is": st.sampled_from(["all", "any"]), "of": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"is": st.just("not"), "of": inner}),
    ),
    max_leaves=8,
).filter(lambda clause: _depth(clause) <= rules.MAX_DEPTH)


def _depth(clause: Any) -> int:
    inner = clause.get("of", [])
    return 1 + max((_depth(each) for each in (inner if isinstance(inner, list) else [inner])), default=0)


@given(clauses, st.none() | clauses, facts_of_people, st.dates())
def test_evaluation_is_total_and_gives_the_same_bytes_for_ever(
    when: Any, requires: Any, facts: Facts, as_of: date
) -> None:
    document = ruleset(when, requires)
    first = msgspec.json.encode(Evaluator(document).evaluate(facts, as_of))
    again = parse(canonical(document))
    assert msgspec.json.encode(Evaluator(again).evaluate(facts, as_of)) == first


@given(clauses, st.none() | clauses, facts_of_people, st.dates())
def test_what_is_missing_never_makes_anyone_eligible(when: Any, requires: Any, facts: Facts, as_of: date) -> None:
    """Eligible with facts missing means eligible whatever those facts are; the same for not eligible."""
    evaluator = Evaluator(ruleset(when, requires))
    told = evaluator.evaluate(facts, as_of).outcome
    if told == "incomplete":
        return
    possible: list[dict[str, Any]] = [{"birth_date": date(1, 1, 1)}, {"birth_date": as_of}]
    possible += [{"region": region} for region in REGIONS] + [{"job_code": job} for job in JOBS]
    possible += [{"conditions": []}, {"conditions": CONDITIONS}]
    for known in possible:
        open_facts = {name: value for name, value in known.items() if getattr(facts, name) is None}
        more = msgspec.structs.replace(facts, **open_facts)
        assert evaluator.evaluate(more, as_of).outcome == told


@given(clauses, facts_of_people)
def test_the_branches_alone_tell_the_outcome(when: Any, facts: Facts) -> None:
    """Recompute the verdict from the explanation by Kleene's tables; it must be the one that was given."""
    evaluation = Evaluator(ruleset(when)).evaluate(facts, AS_OF)
    met = iter([branch.met for branch in evaluation.branches])
    expected = {True: "eligible", False: "not_eligible", None: "incomplete"}[_kleene(when, met)]
    assert evaluation.outcome == expected
    assert next(met, "end") == "end"


def _kleene(clause: Any, met: Any) -> bool | None:
    order = {False: 0, None: 1, True: 2}
    back = (False, None, True)
    match clause:
        case {"is": "all", "of": inner}:
            return back[min(order[_kleene(each, met)] for each in inner)]
        case {"is": "any", "of": inner}:
            return back[max(order[_kleene(each, met)] for each in inner)]
        case {"is": "not", "of": inner}:
            return back[2 - order[_kleene(inner, met)]]
        case _:
            verdict: bool | None = next(met)
            return verdict
