"""Rule documents: typed, bounded, and named by their content."""

from typing import Any

import msgspec
import pytest

from origin.eligibility import versions
from origin.eligibility.document import InvalidDocument, canonical, parse, ruleset_id
from origin.eligibility.formats.v1 import MAX_CLAUSES, MAX_DEPTH

DEMO: dict[str, Any] = msgspec.json.decode(versions.DEMO.read_bytes())
LEAF = {"is": "age", "op": ">=", "value": 65, "reason": "AGE_65_OR_OLDER"}


def nested(depth: int) -> Any:
    clause: Any = LEAF
    for _ in range(depth - 1):
        clause = {"is": "not", "of": clause}
    return clause


def changed(**changes: Any) -> bytes:
    return msgspec.json.encode(DEMO | changes)


def offered(*clauses: Any) -> bytes:
    offers = [
        {"id": f"o{number}", "when": clause, "grants": {"products": ["140"], "dose": 1}}
        for number, clause in enumerate(clauses)
    ]
    return changed(offers=offers, requires=None)


def test_a_document_is_named_by_its_content_not_by_its_spelling() -> None:
    document = parse(versions.DEMO.read_bytes())
    respelled = msgspec.json.format(msgspec.json.encode(dict(reversed(DEMO.items()))), indent=7)
    assert ruleset_id(canonical(parse(respelled))) == ruleset_id(canonical(document))
    assert parse(canonical(document)) == document
    assert ruleset_id(canonical(parse(changed(title={"en": "Another"})))) != ruleset_id(canonical(document))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (changed(v=3), "Invalid enum value 3"),
        (changed(surprise=1), "unknown field `surprise`"),
        (changed(offers=[]), "length >= 1"),
        (offered({"is": "shoe_size", "value": 1}), "Invalid value 'shoe_size'"),
        (offered(LEAF | {"op": "~"}), "Invalid enum value '~'"),
        (offered(LEAF | {"value": "65"}), "Expected `int`"),
        (offered(LEAF | {"reason": "UNHEARD_OF"}), "no text for UNHEARD_OF"),
        (offered({"is": "region", "one_of": [], "reason": "AGE_65_OR_OLDER"}), "length >= 1"),
        (offered(nested(MAX_DEPTH + 1)), f"nested deeper than {MAX_DEPTH}"),
        (offered({"is": "any", "of": [LEAF] * 200}, {"is": "any", "of": [LEAF] * 60}), f"more than {MAX_CLAUSES}"),
        (
            changed(texts=DEMO["texts"] | {"X_Y": {"met": {"es": "Sí"}, "unmet": {"es": "No"}}}),
            "no text in 'en' for X_Y",
        ),
        (changed(offers=[DEMO["offers"][0]] * 2), "two offers have the same id"),
        (b" " * 70_000, "larger than"),
        (b'{"v":1,"requires":' + b'{"is":"not","of":' * 3_000, "maximum recursion depth"),
    ],
)
def test_what_is_no_rule_document_is_refused_with_the_place(raw: bytes, says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        parse(raw)


def test_the_largest_document_that_is_allowed_is_accepted() -> None:
    parse(offered(nested(MAX_DEPTH), {"is": "any", "of": [LEAF] * (MAX_CLAUSES - 1)}))


def test_the_demo_rules_have_a_label_for_every_value_that_they_compare() -> None:
    document = parse(versions.DEMO.read_bytes())
    labels = msgspec.to_builtins(document.labels)
    compared: list[tuple[str, str]] = []

    def collect(clause: Any) -> None:
        for inner in clause["of"] if isinstance(clause.get("of"), list) else [clause["of"]] if "of" in clause else []:
            collect(inner)
        compared.extend((clause["is"], value) for value in clause.get("one_of", []))

    for clause in (DEMO["requires"], *(offer["when"] for offer in DEMO["offers"])):
        collect(clause)
    assert compared
    assert [pair for pair in compared if pair[1] not in labels[pair[0]]] == []
