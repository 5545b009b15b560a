"""The wait as an interval, and when to ask again."""

from hypothesis import given
from hypothesis import strategies as st

from edge.line.estimate import Wait, poll_after_s, retry_after_s, wait

_rates = st.floats(0.01, 10_000)
_ahead = st.integers(0, 20_000_000)


def test_the_wait_follows_the_line() -> None:
    assert wait(499, pace_per_s=50, least_per_s=50) == Wait(10, 16)
    assert wait(4999, pace_per_s=100, least_per_s=50) == Wait(50, 105), "at worst everybody turns up from now on"


def test_while_nobody_is_called_no_wait_is_made_up() -> None:
    assert wait(10, pace_per_s=0, least_per_s=50) is None


@given(_ahead, _rates, st.floats(0.25, 1))
def test_the_interval_is_one_and_shrinks_as_the_line_moves(ahead: int, rate: float, show: float) -> None:
    here = wait(ahead + 1, pace_per_s=rate / show, least_per_s=rate)
    nearer = wait(ahead, pace_per_s=rate / show, least_per_s=rate)
    assert here is not None
    assert nearer is not None
    assert 0 < here.p50_s <= here.p90_s
    assert nearer.p50_s <= here.p50_s
    assert nearer.p90_s <= here.p90_s


@given(_ahead, _rates, st.integers(0, 20_000_000), st.floats(0.9, 1.1))
def test_nobody_sleeps_through_the_call(ahead: int, rate: float, waiting: int, spread: float) -> None:
    expected = wait(ahead, pace_per_s=rate, least_per_s=rate)
    assert expected is not None
    after = poll_after_s(expected, waiting=waiting, spread=spread)
    assert 1.8 <= after <= 66
    assert after <= max(2.3, expected.p50_s)


@given(st.integers(0, 20_000_000))
def test_a_paused_room_is_asked_seldom_by_many(waiting: int) -> None:
    assert 5 <= poll_after_s(None, waiting=waiting, spread=1) <= 60


def test_a_crowd_spreads_its_questions() -> None:
    expected = wait(1_000_000, pace_per_s=100, least_per_s=100)
    assert {poll_after_s(expected, waiting=1_000_000, spread=spread) for spread in (0.9, 1, 1.1)} == {54, 60, 66}


def test_whoever_is_paced_comes_back_when_a_token_is_likely() -> None:
    assert retry_after_s(0, rate_per_s=50, open_now=True, spread=1) == 1
    assert retry_after_s(100, rate_per_s=50, open_now=True, spread=1) == 2
    assert retry_after_s(10_000, rate_per_s=50, open_now=True, spread=1) == 30
    assert retry_after_s(10_000, rate_per_s=50, open_now=True, spread=0.4) == 12, "a herd does not come back as one"
    assert retry_after_s(0, rate_per_s=50, open_now=False, spread=1) == 5
