"""Shown waits are held against real ones as closely as the whole crowd's polls allow."""

import pytest

from loadtest.drill.trail import Event, by_visitor
from loadtest.drill.waits import Waited, accuracy, waits
from tests.unit.test_loadtest_invariants import event, standing


def joined(visitor: int, at: float, place: int | None, p50: float, p90: float, state: str = "waiting") -> Event:
    return event(visitor, "join", at, 201, took=0, place=place, state=state, wait_p50_s=p50, wait_p90_s=p90)


def found(visitor: int, at: float, place: int, state: str) -> Event:
    return standing(visitor, at, place, state, took=0)


def test_the_call_came_between_the_last_waiting_and_the_first_called_answer() -> None:
    trail = [joined(0, 1, 1, 4, 8), found(0, 5, 1, "waiting"), found(0, 7, 1, "called")]
    assert waits(by_visitor(trail)) == [Waited(4, 8, 5.0, 1.0)]


def test_others_in_line_narrow_down_when_the_call_came() -> None:
    ahead = [joined(1, 0, 1, 1, 1), found(1, 5.8, 1, "waiting")]
    behind = [joined(3, 0, 3, 1, 1), found(3, 6.2, 3, "called")]
    trail = [joined(2, 1, 2, 4, 8), found(2, 3, 2, "waiting"), found(2, 9, 2, "called")]
    assert waits(by_visitor(ahead + behind + trail))[-1] == Waited(4, 8, 5.0, 0.2)


def test_somebody_who_left_in_silence_is_known_to_have_been_called_by_those_behind() -> None:
    trail = [joined(0, 0, 1, 4, 8), joined(1, 0, 2, 4, 8), found(1, 6, 2, "called")]
    assert [one.real_s for one in waits(by_visitor(trail))] == [3.0, 3.0]


def test_nothing_is_known_of_those_behind_the_last_who_was_found_called() -> None:
    trail = [joined(0, 0, 1, 4, 8), found(0, 6, 1, "called"), joined(1, 0, 2, 4, 8)]
    assert len(waits(by_visitor(trail))) == 1


def test_whoever_was_called_at_once_was_shown_no_wait() -> None:
    assert waits(by_visitor([joined(0, 0, 1, 0, 0, state="called")])) == []


def test_an_entry_of_a_lottery_is_judged_by_the_place_it_drew() -> None:
    trail = [joined(0, 1, None, 10, 20, state="entered"), found(0, 9, 5, "waiting"), found(0, 13, 5, "called")]
    assert waits(by_visitor(trail)) == [Waited(10, 20, 10.0, 2.0)]


def test_accuracy_is_the_share_within_each_end_and_the_median_of_real_by_shown() -> None:
    known = [Waited(10, 20, real, 0.1) for real in (8.0, 10.0, 15.0, 20.0, 21.0)]
    assert accuracy(known) == {
        "wait_within_p90": 0.8,
        "wait_within_p50": 0.4,
        "wait_ratio_p50": 1.5,
        "wait_known_to_s": pytest.approx(0.1),
    }


def test_accuracy_of_nothing_is_not_known() -> None:
    assert set(accuracy([]).values()) == {None}
