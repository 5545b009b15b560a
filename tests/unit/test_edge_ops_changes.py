"""What a change comes to, where a governor has the last word on the rate."""

import pytest

from edge.ops.changes import changed
from edge.ops.models import LaneChange, RoomChange
from shared.problem import Problem
from tests.edge_world import picture, plan


def test_floors_above_a_rate_that_a_governor_has_lowered_can_be_lowered_and_not_raised() -> None:
    governed = picture(rate=2.0, floor=10.0)
    lower = RoomChange(reason="less", lanes={"general": LaneChange(floor_per_s=5.0)})
    assert changed(plan(), governed, lower, "").settings == {"1.floor": 5.0}
    for wrong in (
        RoomChange(reason="more", lanes={"general": LaneChange(floor_per_s=11.0)}),
        RoomChange(reason="not enough for them", rate_per_s=9.0),
    ):
        with pytest.raises(Problem) as refused:
            changed(plan(), governed, wrong, "")
        assert "floors" in (refused.value.detail or "")
