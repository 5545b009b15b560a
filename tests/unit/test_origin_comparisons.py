"""What a rule asks, in words: every comparison that a document can have, in every language."""

from datetime import date
from typing import Any

import msgspec
import pytest

from origin.admin.comparisons import words
from origin.eligibility.document import parse
from origin.eligibility.evaluator import Evaluator, Facts
from origin.eligibility.formats.lift import lifted
from origin.eligibility.versions import DEMO
from origin.words import texts_in
from shared.web.languages import LANGUAGES

LABELS = {"job_code": {"nurse": {"en": "Nurse", "es": "Enfermera"}}}
CLAUSES: list[tuple[dict[str, Any], str]] = [
    ({"is": "age", "op": ">=", "value": 65}, "Age in years: at least 65"),
    ({"is": "age", "op": "<", "value": 6, "unit": "months"}, "Age in months: less than 6"),
    ({"is": "age", "op": "=", "value": 5, "at": "end_of_year"}, "Age in years: exactly 5, at the end of the year"),
    ({"is": "age", "op": "<=", "value": 5, "at": "end_of_season"}, "Age in years: at most 5, at the end of the season"),
    ({"is": "age", "op": ">", "value": 5, "on": "2027-03-31"}, "Age in years: more than 5, on 2027-03-31"),
    ({"is": "birth_date", "op": "<", "value": "1960-01-01"}, "Date of birth: before 1960-01-01"),
    ({"is": "birth_date", "op": ">=", "value": "1960-01-01"}, "Date of birth: on 1960-01-01 or later"),
    ({"is": "region", "one_of": ["A", "B"]}, "Region: one of: A; B"),
    ({"is": "job_code", "one_of": ["nurse", "x"], "verified": True}, "Work: one of: Nurse; x, verified"),
    ({"is": "conditions", "one_of": ["asthma"]}, "Health: one of: asthma"),
    ({"is": "household", "one_of": ["risk"]}, "People at home: one of: risk"),
    ({"is": "pregnant"}, "Pregnant: yes"),
    ({"is": "dose_number", "op": "=", "value": 1}, "Doses so far: exactly 1"),
    ({"is": "dose_product", "one_of": ["140"]}, "Product of the last dose: one of: 140"),
    ({"is": "dose_date", "op": ">", "value": "2026-09-01"}, "Day of the last dose: after 2026-09-01"),
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
    return [words(branch, lifted(document), language, texts_in(language).gettext) for branch in branches]


@pytest.mark.parametrize(("clause", "expected"), CLAUSES, ids=[expected for _, expected in CLAUSES])
def test_each_comparison_says_what_it_asks(clause: dict[str, Any], expected: str) -> None:
    assert said(document_of(clause)) == [expected]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({"from": "2026-09-01", "until": "2027-03-31"}, "Day of the decision: from 2026-09-01 to 2027-03-31"),
        ({"from": "2026-09-01"}, "Day of the decision: on 2026-09-01 or later"),
        ({"until": "2027-03-31"}, "Day of the decision: on 2027-03-31 or before"),
    ],
)
def test_the_days_of_an_offer_are_said(days: dict[str, str], expected: str) -> None:
    document = document_of({"is": "pregnant"}, reason="W", **days)
    assert said(document) == ["Pregnant: yes", expected]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_we_ship_can_be_said_in_every_language(language: str) -> None:
    told = said(parse(DEMO.read_bytes()), language)
    assert len(told) > 20
    assert all(each and "%(" not in each for each in told)
    if language != "en":
        assert not set(told) & set(said(parse(DEMO.read_bytes())))
