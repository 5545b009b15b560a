"""Evaluator 2.0.0 against a second model that was written without looking at it, and against days one by one."""

import os
import subprocess
import sys
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from origin.eligibility.document import canonical, parse_v2
from origin.eligibility.evaluator import EVALUATOR, Evaluation, Evaluator, UnknownEvaluator, evaluator_of
from origin.eligibility.evaluators import v1, v2_ways
from origin.eligibility.formats import v2
from origin.eligibility.formats.v1 import parse as parse_v1
from origin.eligibility.person import Facts
from origin.eligibility.versions import DEMO
from tests.conftest import ROOT
from tests.rules_model import facts_of_people, model, ruleset, rulesets, same_as, turned

AS_OF = date(2024, 2, 29)
days = st.dates(date(2019, 1, 1), date(2027, 12, 31))


def read(raw: dict[str, Any]) -> v2.Document:
    return parse_v2(msgspec.json.encode(raw))


def convert(facts: dict[str, Any]) -> Facts:
    return msgspec.convert(facts, Facts)


def evaluate(raw: dict[str, Any], facts: dict[str, Any], day: date) -> Evaluation:
    return Evaluator(read(raw)).evaluate(convert(facts), day)


@given(rulesets, facts_of_people, days)
def test_the_outcome_the_cohort_and_every_branch_are_those_of_the_second_model(
    raw: dict[str, Any], facts: dict[str, Any], day: date
) -> None:
    evaluation = evaluate(raw, facts, day)
    outcome, cohort, branches = model(raw, facts, day)
    assert (evaluation.outcome, evaluation.cohort) == (outcome, cohort)
    assert [branch.met for branch in evaluation.branches] == branches


@given(rulesets, facts_of_people, days)
def test_the_same_inputs_give_the_same_bytes_whatever_was_decided_before(
    raw: dict[str, Any], facts: dict[str, Any], day: date
) -> None:
    evaluator = Evaluator(read(raw))
    first = msgspec.json.encode(evaluator.evaluate(convert(facts), day))
    evaluator.evaluate(Facts(), date(2030, 1, 1))
    assert msgspec.json.encode(evaluator.evaluate(convert(facts), day)) == first
    again = parse_v2(canonical(read(raw)))
    assert msgspec.json.encode(Evaluator(again).evaluate(convert(facts), day)) == first


@given(rulesets, facts_of_people, facts_of_people, days)
def test_answering_what_is_missing_never_turns_one_definite_answer_into_another(
    raw: dict[str, Any], facts: dict[str, Any], more: dict[str, Any], day: date
) -> None:
    """Read backwards: taking facts away never makes anyone eligible."""
    before = evaluate(raw, facts, day).outcome
    after = evaluate(raw, _completed(facts, more), day).outcome
    assert before in {"incomplete", after}


def _completed(facts: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Facts as they were, with others where there were none; inside the last dose too."""
    known = {name: value for name, value in facts.items() if value is not None}
    full = {**more, **known}
    full["sources"] = {**more.get("sources", {}), **facts.get("sources", {})}
    here, other = facts.get("last_dose"), more.get("last_dose")
    if here is not None and other is not None and here.get("number") != 0 and other.get("number") != 0:
        full["last_dose"] = {**other, **{name: value for name, value in here.items() if value is not None}}
    return full


@given(rulesets, facts_of_people, facts_of_people, days)
def test_what_is_not_named_as_missing_cannot_matter(
    raw: dict[str, Any], facts: dict[str, Any], more: dict[str, Any], day: date
) -> None:
    evaluation = evaluate(raw, facts, day)
    if evaluation.outcome != "incomplete":
        assert evaluation.missing == []
        return
    assert evaluation.missing
    assert set(evaluation.to_verify) <= set(evaluation.missing)
    others = _completed(facts, more)
    for name in evaluation.missing:
        others[name] = facts.get(name)
        others["sources"].pop(name, None)
        if name in facts.get("sources", {}):
            others["sources"][name] = facts["sources"][name]
    assert evaluate(raw, others, day).outcome == "incomplete"


@given(rulesets, facts_of_people, days)
def test_every_change_that_is_told_is_one_and_no_smaller_one_would_do(
    raw: dict[str, Any], facts: dict[str, Any], day: date
) -> None:
    evaluation = evaluate(raw, facts, day)
    _, _, branches = model(raw, facts, day)
    paths = [branch.path for branch in evaluation.branches]
    for change in evaluation.would_change:
        flips = {paths.index(each.path): each.met for each in change.by}
        assert turned(raw, branches, flips) == change.outcome != evaluation.outcome
        for fewer in range(len(flips)):
            for some in combinations(flips.items(), fewer):
                assert turned(raw, branches, dict(some)) == evaluation.outcome


@given(rulesets, facts_of_people, days)
def test_no_single_comparison_that_decides_is_left_out(raw: dict[str, Any], facts: dict[str, Any], day: date) -> None:
    evaluation = evaluate(raw, facts, day)
    _, _, branches = model(raw, facts, day)
    told = {(change.by[0].path, change.by[0].met) for change in evaluation.would_change if len(change.by) == 1}
    expected = set()
    for index, branch in enumerate(evaluation.branches):
        if evaluation.outcome == "incomplete" and branch.met is not None:
            continue
        for met in {True, False} - {branch.met}:
            if turned(raw, branches, {index: met}) != evaluation.outcome:
                first = min(same_as(raw, index))
                expected.add((evaluation.branches[first].path, met))
    if len(expected) <= 12:
        assert told >= expected


@given(rulesets, facts_of_people, st.dates(date(2023, 6, 1), date(2024, 6, 1)))
@settings(deadline=None)
def test_the_earliest_change_is_the_one_that_going_day_by_day_finds(
    raw: dict[str, Any], facts: dict[str, Any], day: date
) -> None:
    evaluator, known = Evaluator(read(raw)), convert(facts)
    evaluation = evaluator.evaluate(known, day)
    changes_on = evaluation.changes_on
    horizon = day + timedelta(days=1_500)
    last = horizon if changes_on is None else min(horizon, changes_on - timedelta(days=1))
    then = day
    while then < last:
        then += timedelta(days=1)
        assert model(raw, facts, then)[0] == evaluation.outcome
    if changes_on is not None:
        assert changes_on > day
        assert model(raw, facts, changes_on)[0] != evaluation.outcome
        assert evaluator.evaluate(known, changes_on).outcome != evaluation.outcome


@given(facts_of_people, st.dates())
def test_documents_of_the_first_format_are_decided_as_the_first_evaluator_did(facts: dict[str, Any], day: date) -> None:
    document, known = parse_v1(DEMO.read_bytes()), convert(facts)
    once, now = v1.Evaluator(document).evaluate(known, day), Evaluator(document).evaluate(known, day)
    assert (now.outcome, now.cohort) == (once.outcome, once.offer)
    assert [(b.path, b.reason, b.met, b.towards) for b in now.branches] == [
        (b.path, b.reason, b.met, b.towards) for b in once.branches
    ]
    assert set(now.missing) <= set(once.missing)


def test_evaluators_are_found_by_their_version() -> None:
    first = parse_v1(DEMO.read_bytes())
    second = read(ruleset({"is": "pregnant", "reason": "A"}))
    for version, document in (("1", first), (EVALUATOR, first), (EVALUATOR, second)):
        assert evaluator_of(version, document).evaluate(Facts(), AS_OF).outcome == "incomplete"
    for version in ("1", "3.0.0"):
        with pytest.raises(UnknownEvaluator):
            evaluator_of(version, second)


def test_the_bytes_do_not_depend_on_how_a_process_hashes() -> None:
    program = (
        "import msgspec, datetime\n"
        "from origin.eligibility.document import parse\n"
        "from origin.eligibility.evaluator import Evaluator\n"
        "from origin.eligibility.person import Facts\n"
        "from origin.eligibility.versions import DEMO\n"
        "e = Evaluator(parse(DEMO.read_bytes()))\n"
        "for year in (1950, 1962, 1990, 2020):\n"
        "    for conditions in (None, [], ['cancer', 'obesity', 'diabetes', 'pregnancy']):\n"
        "        facts = Facts(datetime.date(year, 3, 2), 'ES-MD', None, conditions)\n"
        "        print(msgspec.json.encode(e.evaluate(facts, datetime.date(2027, 3, 1))).decode())\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(said) == 1
    assert len(said.pop().splitlines()) == 12


@pytest.mark.parametrize(
    ("leaf", "facts", "met"),
    [
        ({"is": "age", "op": ">=", "value": 6, "unit": "months"}, {"birth_date": "2023-08-31"}, False),
        ({"is": "age", "op": "<", "value": 1}, {"birth_date": "2023-03-01"}, True),
        ({"is": "age", "op": "=", "value": 4}, {"birth_date": "2020-02-29"}, True),
        ({"is": "age", "op": ">=", "value": 65, "at": "end_of_year"}, {"birth_date": "1959-12-31"}, True),
        ({"is": "age", "op": ">=", "value": 65, "at": "end_of_year"}, {"birth_date": "1960-01-01"}, False),
        ({"is": "age", "op": ">=", "value": 65, "at": "end_of_season"}, {"birth_date": "1959-08-31"}, True),
        ({"is": "age", "op": ">=", "value": 65, "at": "end_of_season"}, {"birth_date": "1959-09-01"}, False),
        ({"is": "age", "op": "=", "value": 2, "on": "2023-08-31"}, {"birth_date": "2021-08-31"}, True),
        ({"is": "age", "op": "=", "value": 2, "on": "2023-08-31"}, {"birth_date": "2021-09-01"}, False),
        ({"is": "days_since_dose", "op": ">=", "value": 28}, {"last_dose": {"given_on": "2024-02-01"}}, True),
        ({"is": "days_since_dose", "op": ">=", "value": 28}, {"last_dose": {"given_on": "2024-02-02"}}, False),
        ({"is": "days_since_dose", "op": ">=", "value": 28}, {"last_dose": {"given_on": "2024-03-01"}}, None),
        ({"is": "days_since_dose", "op": ">=", "value": 28}, {"last_dose": {"number": 0}}, False),
        ({"is": "dose_number", "op": "=", "value": 0}, {"last_dose": {"number": 0}}, True),
        ({"is": "dose_number", "op": "=", "value": 1}, {"last_dose": {"given_on": "2024-02-01"}}, None),
        ({"is": "dose_product", "one_of": ["208"]}, {"last_dose": {"number": 1, "product": "208"}}, True),
        ({"is": "dose_product", "one_of": ["208"]}, {"last_dose": {"number": 1}}, None),
        ({"is": "dose_product", "one_of": ["208"]}, {"last_dose": {"number": 0}}, False),
        ({"is": "dose_date", "op": "<", "value": "2024-02-02"}, {"last_dose": {"given_on": "2024-02-01"}}, True),
        ({"is": "household", "one_of": ["weak"]}, {"household": ["other", "weak"]}, True),
        ({"is": "household", "one_of": ["weak"]}, {"household": []}, False),
        ({"is": "pregnant"}, {"pregnant": False}, False),
        ({"is": "region", "one_of": ["R1"], "verified": True}, {"region": "R1"}, None),
        ({"is": "region", "one_of": ["R1"], "verified": True}, {"region": "R2"}, None),
        (
            {"is": "region", "one_of": ["R1"], "verified": True},
            {"region": "R1", "sources": {"region": "register"}},
            True,
        ),
    ],
)
def test_comparisons_mean_what_they_say(leaf: dict[str, Any], facts: dict[str, Any], met: bool | None) -> None:
    raw = ruleset({**leaf, "reason": "A"}) | {"season_starts": "09-01"}
    assert [branch.met for branch in evaluate(raw, facts, AS_OF).branches] == [met]


def test_what_would_change_is_bounded() -> None:
    leaves = [{"is": "conditions", "one_of": [f"c{number}"], "reason": "A"} for number in range(240)]
    for when in ({"is": "any", "of": leaves}, {"is": "all", "of": leaves}, {"is": "all", "of": leaves[:3]}):
        for conditions in ([], None, [f"c{number}" for number in range(0, 240, 4)]):
            changes = evaluate(ruleset(when), {"conditions": conditions}, AS_OF).would_change
            assert len(changes) <= v2_ways.MOST
            assert all(1 <= len(change.by) <= v2_ways.TOGETHER for change in changes)


def test_a_declared_fact_that_must_be_verified_is_named() -> None:
    raw = ruleset({"is": "job_code", "one_of": ["nurse"], "verified": True, "reason": "A"})
    evaluation = evaluate(raw, {"job_code": "nurse"}, AS_OF)
    assert (evaluation.outcome, evaluation.missing, evaluation.to_verify) == ("incomplete", ["job_code"], ["job_code"])


def test_a_grant_begins_and_ends_by_itself() -> None:
    raw = ruleset({"is": "pregnant", "reason": "A"})
    raw["cohorts"][0]["grants"] |= {"from": "2024-09-01", "until": "2025-03-31", "reason": "B"}
    told = [
        (evaluation.outcome, evaluation.changes_on)
        for day in ("2024-08-31", "2024-09-01", "2025-03-31", "2025-04-01")
        for evaluation in [evaluate(raw, {"pregnant": True}, date.fromisoformat(day))]
    ]
    assert told == [
        ("not_eligible", date(2024, 9, 1)),
        ("eligible", date(2025, 4, 1)),
        ("eligible", date(2025, 4, 1)),
        ("not_eligible", None),
    ]


def test_an_exclusion_keeps_from_everything_and_says_so_first() -> None:
    raw = ruleset({"is": "pregnant", "reason": "A"})
    raw["exclusions"] = [{"id": "allergy", "when": {"is": "conditions", "one_of": ["allergy"], "reason": "B"}}]
    refused = evaluate(raw, {"pregnant": True, "conditions": ["allergy"]}, AS_OF)
    assert (refused.outcome, [branch.reason for branch in refused.decisive]) == ("not_eligible", ["B"])
    assert evaluate(raw, {"pregnant": True, "conditions": []}, AS_OF).outcome == "eligible"
    assert evaluate(raw, {"pregnant": True}, AS_OF).missing == ["conditions"]


def test_a_dose_that_was_never_given_has_no_date() -> None:
    with pytest.raises(msgspec.ValidationError, match="never given"):
        convert({"last_dose": {"number": 0, "given_on": "2024-02-01"}})
