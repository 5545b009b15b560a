"""What is written of a created room, and what is understood of it."""

import pytest

from edge import register
from edge.register import Creation, Unreadable
from tests.edge_world import plan

CREATED = Creation(at=1_800_000_000.0, actor="olga", why="a second programme")


def test_an_entry_says_what_differs_from_the_defaults_and_is_read_back_whole() -> None:
    room = plan(
        id="spring",
        limits={"joins": None},
        capacity_url="https://book.example.org/v1/capacity",
        opens_at="2027-03-01T09:00:00+01:00",
        lanes=[{"lane": "general"}, {"lane": "phone", "weight": 0.5, "access": "assisted"}],
    )
    entry = register.written(room, CREATED)
    assert b"call_window_s" not in entry, "an older edge reads it too, as long as nothing new is asked for"
    assert register.read("spring", entry) == (room, CREATED)


@pytest.mark.parametrize("entry", [b"", b"{}", b'{"v": 2}', register.written(plan(id="other"), CREATED)])
def test_an_entry_that_is_not_understood_opens_nothing(entry: bytes) -> None:
    with pytest.raises(Unreadable):
        register.read("spring", entry)
