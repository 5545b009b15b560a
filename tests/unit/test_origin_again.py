"""Who has lost a race asks again, but not for ever."""

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from origin.booking.again import ask_again
from origin.metrics import OriginMetrics


class Race:
    """Loses so many times."""

    def __init__(self, losses: int, error: type[Exception]) -> None:
        self.asked = 0
        self._losses = losses
        self._error = error

    async def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self._losses:
            raise self._error
        return "won"


@pytest.fixture
def metrics() -> OriginMetrics:
    return OriginMetrics(CollectorRegistry())


def conflicts(metrics: OriginMetrics) -> float | None:
    return metrics.registry.get_sample_value("vestibule_origin_conflicts_total")


@pytest.mark.parametrize("error", [asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError])
@pytest.mark.parametrize("losses", [0, 1, 2])
async def test_the_third_time_at_most_it_is_won(metrics: OriginMetrics, error: type[Exception], losses: int) -> None:
    assert await ask_again(metrics, Race(losses, error)) == "won"
    assert conflicts(metrics) == losses


@pytest.mark.parametrize(
    ("error", "asked"),
    [(asyncpg.UniqueViolationError, 3), (asyncpg.DeadlockDetectedError, 3), (asyncpg.CheckViolationError, 1)],
)
async def test_what_is_lost_each_time_or_no_race_at_all_is_said(
    metrics: OriginMetrics, error: type[Exception], asked: int
) -> None:
    race = Race(9, error)
    with pytest.raises(error):
        await ask_again(metrics, race)
    assert race.asked == asked
