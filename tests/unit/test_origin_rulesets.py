"""The rules that are shipped come out as their example cases say."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from origin.eligibility import speed
from origin.eligibility.cases import Case, InvalidCases, Mismatch, canonical_cases, check, parse_cases
from origin.eligibility.document import parse
from origin.eligibility.formats.lift import lifted
from origin.eligibility.person import encoded
from origin.eligibility.versions import DEMO

RULESETS = sorted(path for path in DEMO.parent.glob("*.json") if not path.name.endswith(".cases.json"))


def cases_of(path: Path) -> list[Case]:
    return parse_cases(path.with_suffix(".cases.json").read_bytes())


@pytest.mark.parametrize("path", RULESETS, ids=lambda path: path.stem)
def test_shipped_rules_decide_their_cases(path: Path) -> None:
    assert check(parse(path.read_bytes()), cases_of(path)) == []


@pytest.mark.parametrize("path", [path for path in RULESETS if path != DEMO], ids=lambda path: path.stem)
def test_every_cohort_is_granted_in_some_case(path: Path) -> None:
    granted = {case.expect.cohort for case in cases_of(path)}
    assert {cohort.id for cohort in lifted(parse(path.read_bytes())).cohorts} <= granted


@pytest.mark.parametrize("path", RULESETS, ids=lambda path: path.stem)
def test_shipped_rules_say_everything_in_several_languages(path: Path) -> None:
    document = lifted(parse(path.read_bytes()))
    spoken = set(document.title)
    assert {"en", "es"} <= spoken
    told = [each.name for each in document.cohorts if each.name is not None]
    told += [text for each in document.texts.values() for text in (each.met, each.unmet)]
    told += [text for named in msgspec.structs.asdict(document.labels).values() for text in named.values()]
    assert [text for text in told if set(text) != spoken] == []


def test_what_comes_out_otherwise_is_told() -> None:
    raw: list[dict[str, Any]] = msgspec.json.decode(DEMO.with_suffix(".cases.json").read_bytes())
    raw[0]["expect"] |= {"cohort": "sixty", "changes_on": "2028-01-01", "missing": []}
    mismatches = check(parse(DEMO.read_bytes()), parse_cases(msgspec.json.encode(raw[:1])))
    name = raw[0]["name"]
    assert mismatches == [
        Mismatch(name, "cohort", "sixty", "seniors"),
        Mismatch(name, "changes_on", "2028-01-01", None),
    ]


def test_a_file_without_cases_is_refused_with_the_place() -> None:
    with pytest.raises(InvalidCases, match=r"\$\[0\]"):
        parse_cases(b'[{"name": "x"}]')


def test_every_fault_of_cases_is_told_with_its_place() -> None:
    raw = [
        {"name": "", "facts": {"birth_date": "never"}, "on": "2027-01-01", "expect": {"outcome": "perhaps"}},
        {"name": "x", "facts": {"hair": 1}, "expect": {"outcome": "eligible", "cohort": 5}},
    ]
    with pytest.raises(InvalidCases) as refused:
        parse_cases(msgspec.json.encode(raw))
    assert {fault.path for fault in refused.value.faults} == {
        "$[0].name",
        "$[0].facts.birth_date",
        "$[0].expect.outcome",
        "$[1]",
        "$[1].facts.hair",
        "$[1].expect.cohort",
    }
    assert "missing required field `on` - at `$[1]`" in str(refused.value)


CASE = {"name": "x", "facts": {}, "on": "2027-01-01", "expect": {"outcome": "incomplete"}}
NEVER = {"number": 0, "product": "140"}


@pytest.mark.parametrize(
    ("raw", "path", "what"),
    [
        (b"", "$", "truncated"),
        (b"{}", "$", "Expected `array`"),
        (b"[" * 5000, "$[0]", ""),
        (b'["\xff"]', "$[0]", ""),
        (msgspec.json.encode([CASE | {"facts": {"last_dose": NEVER}}]), "$[0].facts.last_dose", "neither product"),
        (msgspec.json.encode([CASE, CASE]), "$[1].name", "two cases have the name x"),
        (msgspec.json.encode([CASE | {"name": "a\0"}]), "$[0].name", "matching regex"),
        (msgspec.json.encode([CASE | {"name": str(n)} for n in range(257)]), "$", "length <= 256"),
        (b"[]" + b" " * 131_072, "$", "larger than 131072 bytes"),
    ],
    ids=["empty", "object", "deep", "no text", "no dose", "twice", "nul", "many", "large"],
)
def test_cases_that_cannot_be_taken_say_where_and_why(raw: bytes, path: str, what: str) -> None:
    with pytest.raises(InvalidCases) as refused:
        parse_cases(raw)
    assert refused.value.faults[0].path == path
    assert what in refused.value.faults[0].what


def test_cases_have_one_spelling_in_which_nothing_is_added() -> None:
    respelled = msgspec.json.format(msgspec.json.encode([dict(reversed(CASE.items()))]), indent=4)
    assert canonical_cases(respelled) == canonical_cases(msgspec.json.encode([CASE]))
    assert msgspec.json.decode(canonical_cases(respelled)) == [CASE]
    assert parse_cases(canonical_cases(respelled)) == parse_cases(respelled)


def test_the_measured_people_are_different_and_their_speed_is_told() -> None:
    crowd = speed.people(parse(DEMO.read_bytes()), 200)
    assert len({encoded(person) for person in crowd}) > 190
    told = speed.measured(DEMO, number=50, rounds=1)
    assert told.ruleset == "demo"
    assert min(told.us, told.first_us) > 0
    assert len(speed.shipped()) == len(RULESETS) >= 5
