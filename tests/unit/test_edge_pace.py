"""How often a process looks at its rooms."""

import pytest

from edge.line.pace import Pace
from edge.register import MOST_ROOMS


@pytest.mark.parametrize(("rooms", "every_s"), [(0, 0.15), (1, 0.15), (100, 0.15), (200, 0.3), (MOST_ROOMS, 0.6)])
def test_many_rooms_are_looked_at_less_often_and_each_within_a_second(rooms: int, every_s: float) -> None:
    pace = Pace()
    pace.rooms = rooms
    assert pace.every_s == pytest.approx(every_s)
