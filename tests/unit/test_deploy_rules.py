"""`vestibule rules`: faults are named with their place, decisions explained, differences told by what they mean."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from origin.eligibility.differences import Difference, differences
from origin.eligibility.document import Document, canonical, parse, ruleset_id
from origin.eligibility.formats.schema import encoded
from origin.eligibility.versions import DEMO
from tests.conftest import ROOT
from tests.rules_model import ruleset

FLU = DEMO.with_name("england-flu-2024.json")
FACTS = {
    "birth_date": "1984-01-01",
    "region": "GB-ENG",
    "job_code": "none",
    "conditions": [],
    "last_dose": {"number": 0},
}
LEAF = {"is": "age", "op": ">=", "value": 65, "reason": "A"}


def run(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "240"}).invoke(app, ["rules", *(str(each) for each in arguments)])


def put(file: Path, value: Any) -> Path:
    file.write_bytes(msgspec.json.encode(value))
    return file


def read(raw: Any) -> Document:
    return parse(msgspec.json.encode(raw))


@pytest.mark.parametrize("file", [DEMO, FLU])
def test_lint_says_that_a_document_is_good_and_what_it_is_called(file: Path) -> None:
    result = run("lint", file)
    assert result.exit_code == 0, result.output
    assert f"good {ruleset_id(canonical(parse(file.read_bytes())))}" in result.stdout


def test_lint_names_every_fault_and_fails(tmp_path: Path) -> None:
    raw = ruleset(LEAF | {"value": "65"}) | {"programme": "No Id"}
    result = run("lint", put(tmp_path / "r.json", raw))
    assert result.exit_code == 1
    assert "fault $.cohorts[0].when.value: Expected `int`, got `str`" in result.stdout
    assert "fault $.programme" in result.stdout
    told = msgspec.json.decode(run("lint", "--json", tmp_path / "r.json").stdout)
    assert {fault["path"] for fault in told["faults"]} == {"$.cohorts[0].when.value", "$.programme"}


def test_a_warning_fails_only_where_it_is_asked_to(tmp_path: Path) -> None:
    file = put(tmp_path / "r.json", ruleset(LEAF))
    assert run("lint", file).exit_code == 0
    assert "warning $.texts.B: no comparison has this reason" in run("lint", file).stdout
    assert run("lint", "--strict", file).exit_code == 1


def test_explain_shows_every_branch_and_what_follows(tmp_path: Path) -> None:
    result = run("explain", FLU, "--facts", put(tmp_path / "f.json", FACTS), "--on", "2024-12-01")
    assert result.exit_code == 0, result.output
    for part in (
        "on 2024-12-01: incomplete",
        "✓ Lives in: England; is GB-ENG",
        "✗ Age on March 31, 2025: at least 65; is 41",
        "? Lives with somebody of whom one is true: Somebody with a weakened immune system; is not known",
        "missing pregnant, household",
        "would be eligible with PREGNANT met",
        "changes by itself on 2025-04-01",
    ):
        assert part in result.stdout, part
    assert result.stdout.count("cohort ") == 10


def test_explain_says_it_as_json_and_in_another_language(tmp_path: Path) -> None:
    facts = put(tmp_path / "f.json", {"birth_date": "1962-03-01", "region": "ES-MD", "conditions": []})
    options = ("--facts", facts, "--on", "2027-03-01", "--language", "es", "--json")
    told = msgspec.json.decode(run("explain", DEMO, *options).stdout)
    assert (told["outcome"], told["cohort"], told["evaluator"]) == ("eligible", "seniors", "2.0.0")
    senior = next(each for each in told["branches"] if each["path"] == "offers.seniors")
    assert (senior["observed"], senior["met"], senior["text"]) == (65, True, "Tiene 65 años o más.")
    assert len(told["branches"]) == 25


@pytest.mark.parametrize("facts", [b"[", b'{"birth_date": "1962-13-01"}', b'{"shoe_size": 43}'])
def test_facts_that_are_none_are_refused_in_one_line(tmp_path: Path, facts: bytes) -> None:
    (tmp_path / "f.json").write_bytes(facts)
    result = run("explain", DEMO, "--facts", tmp_path / "f.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("vestibule: ")


def test_the_cases_beside_a_document_are_tried_out(tmp_path: Path) -> None:
    assert run("test", FLU).exit_code == 0
    cases = msgspec.json.decode(FLU.with_suffix(".cases.json").read_bytes())
    cases[0]["expect"]["cohort"] = "school"
    result = run("test", FLU, "--cases", put(tmp_path / "c.json", cases))
    assert result.exit_code == 1
    assert f"✗ {cases[0]['name']}\n    cohort: expected school, found pregnant\n" in result.stdout
    assert f"{len(cases) - 1} of {len(cases)} cases came out as expected" in result.stdout


def test_a_document_without_cases_says_so(tmp_path: Path) -> None:
    result = run("test", put(tmp_path / "r.json", ruleset(LEAF)))
    assert result.exit_code == 2
    assert "r.cases.json" in result.stderr


def test_diff_tells_by_cohort_clause_and_text_what_changed(tmp_path: Path) -> None:
    before = ruleset({"is": "all", "of": [LEAF, {"is": "pregnant", "reason": "B"}]})
    after = copy.deepcopy(before)
    after["cohorts"][0]["when"]["of"][0]["value"] = 60
    after["cohorts"][0]["grants"]["products"] = ["168", "140"]
    after["cohorts"].append({"id": "new", "when": LEAF, "grants": {"products": ["140"], "dose": 1}})
    after["texts"]["A"]["met"]["es"] = "Sí."
    files = put(tmp_path / "a.json", before), put(tmp_path / "b.json", after)
    assert differences(read(before), read(after)) == [
        Difference("cohorts.only.when.of[0].value", "changed", 65, 60),
        Difference("cohorts.only.grants.products[0]", "added", None, "168"),
        Difference("cohorts.new", "added", None, after["cohorts"][1]),
        Difference("texts.A.met.es", "added", None, "Sí."),
    ]
    result = run("diff", *files)
    assert result.exit_code == 1
    assert "~ cohorts.only.when.of[0].value: 65 → 60" in result.stdout
    assert "+ texts.A.met.es: Sí." in result.stdout
    pregnant = put(tmp_path / "c.json", ruleset({"is": "pregnant", "verified": True, "reason": "A"}))
    told = run("diff", put(tmp_path / "d.json", ruleset(LEAF)), pregnant).stdout
    assert "~ cohorts.only.when: Age: at least 65 (A) → Is pregnant, verified (A)" in told
    assert len(msgspec.json.decode(run("diff", "--json", *files).stdout)) == 4


def test_diff_looks_at_what_is_meant_not_at_how_it_is_spelled(tmp_path: Path) -> None:
    raw = ruleset(LEAF)
    respelled = put(tmp_path / "b.json", dict(reversed(raw.items())) | {"exclusions": []})
    result = run("diff", put(tmp_path / "a.json", raw), respelled)
    assert (result.exit_code, result.stdout) == (0, "Both decide and say the same.\n")


def test_another_order_of_cohorts_is_a_difference_and_another_clause_is_told_whole() -> None:
    raw = ruleset(LEAF)
    raw["cohorts"].append(raw["cohorts"][0] | {"id": "other"})
    turned = raw | {"cohorts": raw["cohorts"][::-1]}
    assert differences(read(raw), read(turned)) == [
        Difference("cohorts", "moved", ["only", "other"], ["other", "only"])
    ]
    when = {"is": "pregnant", "reason": "A"}
    assert differences(read(ruleset(LEAF)), read(ruleset(when))) == [
        Difference("cohorts.only.when", "changed", LEAF, when)
    ]
    one, two = ({"is": "any", "of": [LEAF, each]} for each in (when, when | {"reason": "B"}))
    fewer = {"is": "any", "of": [LEAF]}
    assert differences(read(ruleset(one)), read(ruleset(two))) == [
        Difference("cohorts.only.when.of[1].reason", "changed", "A", "B")
    ]
    assert differences(read(ruleset(one)), read(ruleset(fewer))) == [
        Difference("cohorts.only.when.of[1]", "removed", when)
    ]


def test_schema_prints_what_is_published() -> None:
    assert run("schema").stdout.encode() == encoded()


def test_the_worked_example_of_the_documentation_works(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "rules.md").read_text()
    (tmp_path / "r.json").write_text(page.partition("```json\n")[2].partition("```")[0])
    cases = page.partition("leaves out is not looked at:\n\n")[2].partition("\n\n")[0]
    (tmp_path / "r.cases.json").write_text(cases)
    assert run("lint", "--strict", tmp_path / "r.json").exit_code == 0
    assert run("test", tmp_path / "r.json").exit_code == 0
    case = msgspec.json.decode(cases)[0]
    facts = put(tmp_path / "f.json", case["facts"])
    shown = run("explain", tmp_path / "r.json", "--facts", facts, "--on", case["on"]).stdout
    told = page.partition("on that person shows:\n\n")[2].partition("\n\n## ")[0].replace("\n    ", "\n").strip()
    assert " ".join(shown.split()).replace("│ ", "") == " ".join(told.split())
