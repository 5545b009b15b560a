"""Evaluator 2.0.0 against the Common Expression Language: the same rules as one expression, judged by Google's engine.

A fact that is missing is a variable that does not exist; CEL's ``&&`` and ``||`` keep such an error only where it
matters, which is Kleene's logic.
"""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from origin.eligibility.document import parse_v2
from origin.eligibility.evaluator import Evaluator
from origin.eligibility.person import Facts
from tests.rules_model import fact_of, facts_of_people, rulesets

TYPES = {
    "birth_date": cel.Type.TIMESTAMP,
    "region": cel.Type.STRING,
    "job_code": cel.Type.STRING,
    "conditions": cel.Type("list<string>"),
    "household": cel.Type("list<string>"),
    "pregnant": cel.Type.BOOL,
    "had": cel.Type.BOOL,
    "number": cel.Type.INT,
    "product": cel.Type.STRING,
    "given": cel.Type.TIMESTAMP,
}
ENV = cel.NewEnv(
    variables={
        "day": cel.Type.TIMESTAMP,
        "year_end": cel.Type.TIMESTAMP,
        "season_end": cel.Type.TIMESTAMP,
        **{f"{who}_{name}": type_ for name, type_ in TYPES.items() for who in ("told", "verified")},
    }
)
OUTCOME = {True: "eligible", False: "not_eligible", None: "incomplete"}


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def expression(raw: dict[str, Any]) -> str:
    """The whole document as one expression."""
    gates = [said(raw["requires"])] if "requires" in raw else []
    gates += [f"!({said(each['when'])})" for each in raw.get("exclusions", [])]
    return " && ".join([*gates, f"({' || '.join(offered(each) for each in raw['cohorts'])})"])


def offered(cohort: dict[str, Any]) -> str:
    window = [f"day >= {literal(cohort['grants']['from'])}"] if "from" in cohort["grants"] else []
    window += [f"day <= {literal(cohort['grants']['until'])}"] if "until" in cohort["grants"] else []
    return "(" + " && ".join([said(cohort["when"]), *window]) + ")"


def literal(day: str) -> str:
    return f'timestamp("{day}T00:00:00Z")'


def said(clause: dict[str, Any]) -> str:
    if clause["is"] == "not":
        return f"!({said(clause['of'])})"
    if clause["is"] in {"all", "any"}:
        return "(" + f" {'&&' if clause['is'] == 'all' else '||'} ".join(said(each) for each in clause["of"]) + ")"
    return f"({compared(clause, 'verified' if clause.get('verified') else 'told')})"


def compared(leaf: dict[str, Any], who: str) -> str:
    kind = leaf["is"]
    if "dose" in kind:
        return of_dose(leaf, who)
    if kind in {"age", "birth_date"}:
        return of_birth(leaf, f"{who}_birth_date")
    if kind in {"conditions", "household"}:
        return f"{who}_{kind}.exists(one, one in {leaf['one_of']})"
    return f"{who}_pregnant" if kind == "pregnant" else f"{who}_{kind} in {leaf['one_of']}"


def of_birth(leaf: dict[str, Any], born: str) -> str:
    if leaf["is"] == "age":
        return f"{age(leaf, born)} {sign(leaf)} {leaf['value']}"
    return f"{born} {sign(leaf)} {literal(leaf['value'])}"


def of_dose(leaf: dict[str, Any], who: str) -> str:
    if leaf["is"] == "dose_number":
        return f"{who}_number {sign(leaf)} {leaf['value']}"
    if leaf["is"] == "dose_product":
        return f"{who}_had && {who}_product in {leaf['one_of']}"
    if leaf["is"] == "dose_date":
        return f"{who}_had && {who}_given {sign(leaf)} {literal(leaf['value'])}"
    return f"{who}_had && (day - {who}_given).getHours() / 24 {sign(leaf)} {leaf['value']}"


def sign(leaf: dict[str, Any]) -> str:
    return "==" if leaf["op"] == "=" else str(leaf["op"])


def age(leaf: dict[str, Any], born: str) -> str:
    at = {"end_of_year": "year_end", "end_of_season": "season_end"}.get(leaf.get("at", ""), "day")
    on = literal(leaf["on"]) if "on" in leaf else at
    years = f"({on}.getFullYear() - {born}.getFullYear())"
    if leaf.get("unit") == "months":
        months = f"(12 * {years} + {on}.getMonth() - {born}.getMonth())"
        return f"({months} - ({on}.getDate() < {born}.getDate() ? 1 : 0))"
    before = f"{on}.getMonth() < {born}.getMonth()"
    same = f"{on}.getMonth() == {born}.getMonth() && {on}.getDate() < {born}.getDate()"
    return f"({years} - ({before} || ({same}) ? 1 : 0))"


def variables(facts: dict[str, Any], day: date) -> dict[str, Any]:
    season = date(day.year + (day >= date(day.year, 9, 1)), 8, 31)
    bound = {"day": moment(day), "year_end": moment(date(day.year, 12, 31)), "season_end": moment(season)}
    known = {name: facts[name] for name in ("region", "job_code", "conditions", "household", "pregnant")}
    known["birth_date"] = past(facts["birth_date"], day)
    dose = facts["last_dose"]
    if dose is not None:
        known |= {"had": dose["number"] != 0, "number": dose["number"], "product": dose.get("product")}
        known["given"] = past(dose.get("given_on"), day)
    for name, value in known.items():
        fact = fact_of("dose" if name in {"had", "number", "product", "given"} else name)
        if value is not None:
            bound[f"told_{name}"] = value
            if fact in facts["sources"]:
                bound[f"verified_{name}"] = value
    return bound


def past(told: str | None, day: date) -> datetime | None:
    return None if told is None or date.fromisoformat(told) > day else moment(date.fromisoformat(told))


@given(rulesets, facts_of_people, st.dates(date(2019, 1, 1), date(2027, 12, 31)))
def test_a_general_engine_judges_the_same(raw: dict[str, Any], facts: dict[str, Any], day: date) -> None:
    judged = ENV.compile(expression(raw)).eval(data=variables(facts, day))
    if judged.type() == cel.Type.BOOL:
        verdict = judged.value()
    else:
        assert "No value with name" in str(judged.value())
        verdict = None
    evaluation = Evaluator(parse_v2(msgspec.json.encode(raw))).evaluate(msgspec.convert(facts, Facts), day)
    assert evaluation.outcome == OUTCOME[verdict]
