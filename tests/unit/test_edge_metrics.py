"""What the edge counts of waits."""

import pytest
from prometheus_client import CollectorRegistry

from edge.metrics import EdgeMetrics


@pytest.mark.parametrize(
    ("seconds", "within"),
    [(0.0, "p50"), (10.0, "p50"), (10.5, "p90"), (20.0, "p90"), (20.5, "neither")],
)
def test_a_wait_is_counted_by_the_first_bound_that_it_kept(seconds: float, within: str) -> None:
    registry = CollectorRegistry()
    EdgeMetrics(registry).waited(seconds, 10, 20)
    counts = {
        each: registry.get_sample_value("vestibule_edge_waits_told_total", {"within": each})
        for each in ("p50", "p90", "neither")
    }
    assert counts == {"p50": 0, "p90": 0, "neither": 0} | {within: 1}
    assert registry.get_sample_value("vestibule_edge_wait_ratio_sum") == pytest.approx(seconds / 10)
