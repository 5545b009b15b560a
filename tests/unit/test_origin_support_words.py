"""The form for an exception, as it was typed."""

from datetime import UTC, datetime

import pytest

from origin.web.staff.support_words import Wish, complaints

GOOD = Wish("6f1c2b7e-6d0f-4f6e-9a55-0b7a4b5c9f10", "140 1", "2027-03-01", "her doctor asks for it")


def test_a_day_means_until_its_end() -> None:
    form = GOOD.form()
    assert form is not None
    assert (form.product, form.dose, form.expires_at) == ("140", 1, datetime(2027, 3, 2, tzinfo=UTC))
    assert complaints(GOOD, "", str) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grant", ""),
        ("grant", "140"),
        ("grant", "140 x"),
        ("grant", "140 -1"),
        ("day", ""),
        ("day", "tomorrow"),
        ("day", "9999-12-31"),
        ("reason", ""),
        ("reason", "x" * 201),
        ("reason", "\x00"),
    ],
)
def test_what_cannot_be_read_is_complained_of_where_it_is(field: str, value: str) -> None:
    wish = Wish(**{"id": GOOD.id, "grant": GOOD.grant, "day": GOOD.day, "reason": GOOD.reason} | {field: value})
    assert wish.form() is None
    assert [each.field for each in complaints(wish, "", str)] == [field]


@pytest.mark.parametrize(("code", "field"), [("override_length", "day"), ("grant_unknown", "grant")])
def test_a_refusal_is_told_at_its_field(code: str, field: str) -> None:
    assert [each.field for each in complaints(GOOD, code, str)] == [field]
