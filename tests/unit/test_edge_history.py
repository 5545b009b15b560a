"""When places were called, as one process has seen it."""

from hypothesis import given
from hypothesis import strategies as st

from edge.line.history import CallHistory


def history(*looks: tuple[int, int]) -> CallHistory:
    seen = CallHistory()
    for called, at_us in looks:
        seen.note(called, at_us)
    return seen


def test_a_place_was_called_when_it_was_first_seen_to_be() -> None:
    seen = history((0, 10), (5, 20), (5, 30), (9, 40))
    assert [seen.called_at_us(place) for place in (1, 5, 6, 9)] == [20, 20, 40, 40]


def test_what_was_called_before_the_first_look_is_not_known() -> None:
    seen = history((100, 10), (120, 20))
    assert [seen.called_at_us(place) for place in (1, 100, 101)] == [None, None, 20]


def test_what_is_not_called_has_no_moment() -> None:
    assert CallHistory().called_at_us(1) is None
    assert history((0, 10), (5, 20)).called_at_us(6) is None


def test_a_new_line_begins_a_new_history() -> None:
    seen = history((0, 10), (500, 20), (0, 30), (10, 40))
    assert [seen.called_at_us(place) for place in (10, 11, 400)] == [40, None, None]


def test_it_forgets_the_oldest_looks_first() -> None:
    seen = history(*((called, called * 10) for called in range(5_000)))
    assert seen.called_at_us(1) is None
    assert seen.called_at_us(4_999) == 49_990


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 1_000)), min_size=2, max_size=60))
def test_it_is_late_by_one_look_at_most(steps: list[tuple[int, int]]) -> None:
    seen, called, now, truth = CallHistory(), 0, 0, dict[int, int]()
    for more, passed in steps:
        now += passed
        truth |= dict.fromkeys(range(called + 1, called + more + 1), now)
        called += more
        seen.note(called, now)
    first = steps[0][0]
    for place, at_us in truth.items():
        assert seen.called_at_us(place) == (at_us if place > first else None)
