"""Statistics, and the plan that is drawn by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.drill.config import DrillConfig
from loadtest.drill.plan import Home, Step, draw
from loadtest.psql import environment
from loadtest.stats import level, median, per_second, percentile, spread

HOME = Home("north", 1.0, 2.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9
    assert found in values


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentile([], 0.99) == 0.0
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], 0)


def test_median_and_spread() -> None:
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 2, 3]) == 2.5
    assert spread([9, 10, 12]) == pytest.approx(0.3)
    with pytest.raises(ValueError, match="no values"):
        median([])


def test_counting_per_second_and_levels() -> None:
    assert per_second([10.0, 10.9, 11.0, 9.9, 13.0], 10.0, 3) == [2, 1, 0]
    assert level([10.1, 10.2, 11.5], [11.9, 12.5], 10.0, 3) == [2, 2, 1]


@given(st.integers(1, 300), st.floats(0, 0.9), st.integers())
def test_the_plan_keeps_to_what_was_asked(visitors: int, no_show: float, seed: int) -> None:
    tokens = [str(n) for n in range(visitors)]
    people = draw(visitors=visitors, spike_s=10, no_show=no_show, homes=[HOME], tokens=tokens, seed=seed)
    assert len(people) == visitors
    assert sum(bool(person.leaving) for person in people) == round(visitors * no_show)
    assert all(0 <= person.arrives_s <= 10 for person in people)
    assert [person.arrives_s for person in people] == sorted(person.arrives_s for person in people)
    assert [person.token for person in people] == tokens


def test_the_same_seed_draws_the_same_day() -> None:
    def again(seed: int) -> object:
        return draw(visitors=50, spike_s=10, no_show=0.2, homes=[HOME], tokens=["t"] * 50, seed=seed)

    assert again(7) == again(7)
    assert again(7) != again(8)


def test_a_step_changes_who_leaves_while_it_lasts_and_nobody_else() -> None:
    step = Step(no_show=0.6, from_s=20, for_s=10)
    people = draw(
        visitors=3000, spike_s=10, no_show=0.2, homes=[HOME], tokens=["t"] * 3000, seed=1, rate_per_s=40, step=step
    )
    leaving = [bool(person.leaving) for person in people]
    assert sum(leaving[1000:2000]) == 600
    assert sum(leaving[:1000]) + sum(leaving[2000:]) == 400


def test_a_step_after_everybody_came_changes_nothing() -> None:
    def day(step: Step | None) -> object:
        return draw(visitors=50, spike_s=10, no_show=0.2, homes=[HOME], tokens=["t"] * 50, seed=1, step=step)

    assert day(Step(0.6, 60, 60)) == day(None)


def test_most_arrive_early() -> None:
    people = draw(visitors=1000, spike_s=10, no_show=0, homes=[HOME], tokens=["t"] * 1000, seed=1)
    assert sum(person.arrives_s < 5 for person in people) > 700


def test_a_database_url_becomes_environment_variables() -> None:
    url = "postgresql://ana:p%40ss@db.example:6432/vest?sslmode=require&other=1"
    assert environment(url) == {
        "PGHOST": "db.example",
        "PGPORT": "6432",
        "PGUSER": "ana",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "vest",
        "PGSSLMODE": "require",
    }


def test_a_drill_that_makes_no_sense_is_refused_with_every_fault() -> None:
    with pytest.raises(ValueError, match=r"visitors.*; rate.*; no-show"):
        DrillConfig("e", "o", "d", str, "t", visitors=0, rate_per_s=0, no_show=1)
