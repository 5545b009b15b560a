"""The second format: all faults at once with their paths, and a schema that says the same as the parser."""

import copy
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.eligibility.document import Fault, InvalidDocument, canonical, parse, parse_v2, ruleset_id
from origin.eligibility.formats import schema, shape, v2
from origin.eligibility.formats.check import warnings
from origin.eligibility.formats.lift import lifted
from origin.eligibility.versions import DEMO
from tests.conftest import ROOT
from tests.rules_model import ruleset, rulesets

LEAF = {"is": "age", "op": ">=", "value": 65, "reason": "A"}
RULESETS = sorted(path for path in DEMO.parent.glob("*.json") if not path.name.endswith(".cases.json"))
VALIDATOR = jsonschema_rs.Draft202012Validator(schema.schema())


def read(raw: Any) -> v2.Document:
    return parse_v2(msgspec.json.encode(raw))


def faults(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocument) as refused:
        read(raw)
    return [(fault.path, fault.what) for fault in refused.value.faults]


def test_all_faults_are_named_at_once_each_with_its_path() -> None:
    raw = ruleset(
        {"is": "all", "of": [LEAF | {"value": "65"}, {"is": "shoe_size"}, LEAF | {"op": "~", "surprise": 1}, 7]}
    )
    raw["cohorts"][0]["grants"] = {"products": [], "until": "2024-02-30"}
    raw["programme"] = "No Id"
    assert {path for path, _ in faults(raw)} == {
        "$.programme",
        "$.cohorts[0].when.of[0].value",
        "$.cohorts[0].when.of[1].is",
        "$.cohorts[0].when.of[2].surprise",
        "$.cohorts[0].when.of[2].op",
        "$.cohorts[0].when.of[3]",
        "$.cohorts[0].grants.products",
        "$.cohorts[0].grants",
        "$.cohorts[0].grants.until",
    }


def test_what_the_form_cannot_say_is_checked_too() -> None:
    raw = ruleset({"is": "any", "of": [LEAF | {"reason": "D"}, LEAF | {"at": "end_of_season", "on": "2024-01-01"}]})
    raw["cohorts"].append(copy.deepcopy(raw["cohorts"][0]) | {"when": LEAF})
    raw["cohorts"][1]["grants"] |= {"from": "2024-02-01", "until": "2024-01-01"}
    del raw["season_starts"]
    raw["texts"]["A"] = {"met": {"es": "Sí"}, "unmet": {"en": "No"}, "support": {"es": "Edad"}}
    assert faults(raw) == [
        ("$.cohorts[0].when.of[1]", "`at` and `on` exclude each other"),
        ("$.cohorts[0].when.of[1].at", "the document does not say when a season starts: `season_starts`"),
        ("$.cohorts[0].when.of[0].reason", "no text for D"),
        ("$.texts.A.met", "no text in 'en'"),
        ("$.texts.A.support", "no text in 'en'"),
        ("$.cohorts[1].id", "two cohorts have the id only"),
        ("$.cohorts[1].grants", "what begins or ends needs a `reason` that says so"),
        ("$.cohorts[1].grants", "ends before it begins"),
    ]


def test_depth_number_and_size_are_bounded() -> None:
    deep: Any = LEAF
    for _ in range(v2.MAX_DEPTH - 1):
        deep = {"is": "not", "of": deep}
    read(ruleset({"is": "not", "of": {"is": "any", "of": [LEAF] * v2.MAX_COMPARISONS}}))
    read(ruleset(deep))
    assert faults(ruleset({"is": "not", "of": deep}))[0][1] == f"nested deeper than {v2.MAX_DEPTH}"
    many = {"is": "any", "of": [{"is": "any", "of": [LEAF] * 200}, {"is": "any", "of": [LEAF] * 57}]}
    assert faults(ruleset(many)) == [("$", f"more than {v2.MAX_COMPARISONS} comparisons")]
    with pytest.raises(InvalidDocument, match="larger than"):
        parse(b" " * (v2.MAX_BYTES + 1))


@pytest.mark.parametrize("depth", [40, 70, 500, 3_000])
def test_however_deep_it_goes_it_is_refused_and_nothing_breaks(depth: int) -> None:
    raw = b'{"v":2,"requires":' + b'{"is":"not","of":' * depth + b"1" + b"}" * depth + b"}"
    with pytest.raises(InvalidDocument):
        parse(raw)


def test_a_document_is_named_by_its_content_not_by_its_spelling() -> None:
    raw = ruleset(LEAF)
    spelled = {**dict(reversed(raw.items())), "exclusions": [], "requires": None}
    assert ruleset_id(canonical(read(spelled))) == ruleset_id(canonical(read(raw)))
    assert read(msgspec.json.decode(canonical(read(raw)))) == read(raw)
    assert ruleset_id(canonical(read(raw | {"title": {"en": "Other"}}))) != ruleset_id(canonical(read(raw)))


def test_the_published_schema_is_up_to_date() -> None:
    """`vestibule rules schema > docs/rules.schema.json` brings it up to date."""
    assert (ROOT / "docs" / "rules.schema.json").read_bytes() == schema.encoded()


JUNK: list[Any] = [
    None,
    0,
    -1,
    2,
    1_000_000,
    True,
    "",
    "x",
    "2024-02-01",
    "A",
    [],
    ["x"],
    {},
    {"en": "x"},
    LEAF,
    {"is": "x"},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        found += places(each, (*path, key))
    return found


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A good document with something put somewhere, taken away, or added."""
    raw = copy.deepcopy(draw(rulesets))
    raw["source"] = [{"title": "A book", "year": 2020}]
    raw["labels"] = {"region": {"R1": {"en": "One"}}}
    path = draw(st.sampled_from([each for each in places(raw) if each]))
    holder = raw
    for key in path[:-1]:
        holder = holder[key]
    what = draw(st.sampled_from(["put", "take", "add"]))
    if what == "put":
        holder[path[-1]] = draw(st.sampled_from(JUNK))
    elif what == "take":
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder[draw(st.sampled_from(["extra", "verified", "op", "from", "until", "reason", "is"]))] = draw(
            st.sampled_from(JUNK)
        )
    return raw


@given(spoiled())
def test_schema_walker_and_parser_say_the_same(raw: Any) -> None:
    try:
        msgspec.json.decode(msgspec.json.encode(raw), type=v2.Document)
        good = True
    except msgspec.ValidationError:
        good = False
    assert VALIDATOR.is_valid(raw) is good
    assert (list(shape.faults(raw, v2.Document)) == []) is good


@pytest.mark.parametrize("path", RULESETS, ids=lambda path: path.stem)
def test_shipped_rules_fit_the_schema_and_leave_nothing_to_warn_of(path: Any) -> None:
    document = parse(path.read_bytes())
    if isinstance(document, v2.Document):
        VALIDATOR.validate(msgspec.json.decode(path.read_bytes()))
        assert document.source
    assert list(warnings(lifted(document))) == []


def test_what_may_not_be_meant_is_warned_of() -> None:
    raw = ruleset({"is": "region", "one_of": ["R1", "R2"], "reason": "A"}, labels={"region": {"R1": {"en": "One"}}})
    raw["cohorts"].append(raw["cohorts"][0] | {"id": "again"})
    raw["title"]["es"] = "T"
    del raw["texts"]["C"]
    assert sorted({fault.path for fault in warnings(read(raw))}) == [
        "$.cohorts[0].when",
        "$.cohorts[1]",
        "$.cohorts[1].when",
        "$.texts.A.met",
        "$.texts.A.unmet",
        "$.texts.B",
        "$.texts.B.met",
        "$.texts.B.unmet",
    ]


def test_a_fault_reads_as_what_and_where() -> None:
    assert str(Fault("$.v", "wrong")) == "wrong - at `$.v`"
