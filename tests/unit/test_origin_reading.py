"""What a rule asks, in words: every comparison that a document can have, in every language."""

from datetime import date
from typing import Any

import msgspec
import pytest

from origin.eligibility.document import parse
from origin.eligibility.evaluator import Evaluator, Facts, evaluator_of
from origin.eligibility.evaluators import v1
from origin.eligibility.reading import Reader
from origin.eligibility.versions import DEMO
from shared.web.languages import LANGUAGES

LABELS = {"job_code": {"nurse": {"en": "Nurse", "es": "Enfermera"}}}
CLAUSES: list[tuple[dict[str, Any], str]] = [
    ({"is": "age", "op": ">=", "value": 65}, "Age: at least 65"),
    ({"is": "age", "op": "<", "value": 6, "unit": "months"}, "Age: less than 6 months"),
    ({"is": "age", "op": "=", "value": 5, "at": "end_of_year"}, "Age at the end of the year: exactly 5"),
    ({"is": "age", "op": "<=", "value": 5, "at": "end_of_season"}, "Age at the end of the season: at most 5"),
    ({"is": "age", "op": ">", "value": 5, "on": "2027-03-31"}, "Age on March 31, 2027: more than 5"),
    ({"is": "birth_date", "op": "<", "value": "1960-01-01"}, "Born before January 1, 1960"),
    ({"is": "birth_date", "op": ">=", "value": "1960-01-01"}, "Born on or after January 1, 1960"),
    ({"is": "region", "one_of": ["A", "B"]}, "Lives in: A, B"),
    ({"is": "job_code", "one_of": ["nurse", "x"], "verified": True}, "Works as: Nurse, x, verified"),
    ({"is": "conditions", "one_of": ["asthma"]}, "Has one of: asthma"),
    ({"is": "household", "one_of": ["risk"]}, "Lives with somebody of whom one is true: risk"),
    ({"is": "pregnant"}, "Is pregnant"),
    ({"is": "dose_number", "op": "=", "value": 1}, "Doses until now: exactly 1"),
    ({"is": "dose_product", "one_of": ["140"]}, "Last dose was: Influenza vaccine"),
    ({"is": "dose_date", "op": ">", "value": "2026-09-01"}, "Last dose given after September 1, 2026"),
    ({"is": "days_since_dose", "op": ">=", "value": 90}, "Days since the last dose: at least 90"),
]


def document_of(clause: dict[str, Any], **grants: Any) -> Any:
    """A document that asks one thing."""
    return parse(
        msgspec.json.encode(
            {
                "v": 2,
                "programme": "p",
                "title": {"en": "P"},
                "season_starts": "09-01",
                "labels": LABELS,
                "texts": {code: {"met": {"en": "m"}, "unmet": {"en": "u"}} for code in ("R", *_reasons(grants))},
                "cohorts": [
                    {"id": "c", "when": clause | {"reason": "R"}, "grants": {"products": ["140"], "dose": 1} | grants}
                ],
            }
        )
    )


def _reasons(grants: dict[str, Any]) -> tuple[str, ...]:
    return ("W",) if "reason" in grants else ()


def said(document: Any, language: str = "en") -> list[str]:
    branches = Evaluator(document).evaluate(Facts(), date(2027, 3, 1)).branches
    return [Reader(document, language).branch(branch) for branch in branches]


@pytest.mark.parametrize(("clause", "expected"), CLAUSES, ids=[expected for _, expected in CLAUSES])
def test_each_comparison_says_what_it_asks(clause: dict[str, Any], expected: str) -> None:
    assert said(document_of(clause)) == [expected]


def test_who_wrote_the_rules_and_who_answers_for_a_decision_read_the_same() -> None:
    document = document_of({"is": "age", "op": ">=", "value": 65, "verified": True})
    assert Reader(document, "en").leaf(document.cohorts[0].when) == "Age: at least 65"
    assert said(document) == ["Age: at least 65, verified"]


def test_what_the_first_evaluator_asked_is_read_out_too() -> None:
    document = parse(DEMO.read_bytes())
    branches = evaluator_of(v1.VERSION, document).evaluate(Facts(), date(2027, 3, 1)).branches
    assert "Age: at least 65" in [Reader(document, "en").branch(each) for each in branches]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (
            {"from": "2026-09-01", "until": "2027-03-31"},
            "from September 1, 2026 until March 31, 2027",
        ),
        ({"from": "2026-09-01"}, "from September 1, 2026"),
        ({"until": "2027-03-31"}, "until March 31, 2027"),
    ],
)
def test_the_days_of_an_offer_are_said(days: dict[str, str], expected: str) -> None:
    document = document_of({"is": "pregnant"}, reason="W", **days)
    assert said(document) == ["Is pregnant", f"Day of the decision: {expected}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_we_ship_can_be_said_in_every_language(language: str) -> None:
    told = said(parse(DEMO.read_bytes()), language)
    assert len(told) > 20
    assert all(each and "%(" not in each for each in told)
    if language != "en":
        assert not set(told) & set(said(parse(DEMO.read_bytes())))
