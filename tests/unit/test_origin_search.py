"""Cursors: opaque to clients, and never a way to make the origin do something else."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.inventory.bulk.cells import ACCESSIBILITY
from origin.inventory.search import Cursor, CursorUnknown, Position, digest, read_cursor
from origin.inventory.slots import Feature

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
AT = Position(0.1 + 0.2, 7, NOW, 2**62)
SEARCH = digest("demo", {"lat": 40.4})


def test_a_cursor_comes_back_to_the_last_bit() -> None:
    cursor = Cursor(SEARCH, 40.4168, -3.7038, NOW, AT)
    assert read_cursor(cursor.text(), SEARCH) == cursor


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda each: each.decode("latin-1")))
def test_what_is_no_cursor_is_refused_whatever_it_is(text: str) -> None:
    with pytest.raises(CursorUnknown):
        read_cursor(text, SEARCH)


@pytest.mark.parametrize(
    "changes",
    [{"lat": 91.0}, {"lng": float("inf")}, {"search": "0" * 16}, {"at": Position(-2.0)}, {"at": Position(1.0, -1)}],
)
def test_a_cursor_that_was_made_up_is_held_to_what_ours_hold(changes: dict[str, object]) -> None:
    parts: dict[str, object] = {"search": SEARCH, "lat": 1.0, "lng": 1.0, "starts_before": NOW, "at": AT}
    cursor = Cursor(**(parts | changes))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(CursorUnknown):
        read_cursor(cursor.text(), SEARCH)


def test_searches_are_told_apart() -> None:
    assert len({digest("demo", "x"), digest("demo", "y"), digest("other", "x"), digest("demo", "x", "y")}) == 4


def test_sites_can_be_asked_for_all_that_supply_files_may_say() -> None:
    assert get_args(Feature) == ACCESSIBILITY
