"""Where a pointer was, is and will be, out of its moves alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.eligibility.history import Act, Move, held, is_done, planned, standing, state_of, trail

START = datetime(2027, 3, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def move(id_: int, version: int | None, *, since: int, act: Act = "activated", scheduled: bool = False) -> Move:
    return Move(id_, act, None, version, scheduled, at(since), at(since), "x", "x")


def versions(*acts: tuple[Act, int | None]) -> list[Move]:
    return [move(number, version, since=number, act=act) for number, (act, version) in enumerate(acts)]


@pytest.mark.parametrize(
    ("acts", "regional", "expected"),
    [
        ([("activated", 1)], False, [1]),
        ([("activated", 1), ("activated", 2), ("activated", 2)], False, [1, 2]),
        ([("activated", 1), ("activated", 2), ("rolled_back", 1)], False, [1]),
        ([("activated", 1), ("activated", 2), ("activated", 3), ("rolled_back", 2)], False, [1, 2]),
        ([("activated", 1), ("activated", 2), ("activated", 3), ("rolled_back", 1)], False, [1]),
        ([("activated", 1), ("activated", 2), ("rolled_back", 1), ("rolled_back", 2)], False, [1, 2]),
        ([("activated", 5)], True, [None, 5]),
        ([("activated", 5), ("retired", None)], True, [None, 5, None]),
        ([("activated", 5), ("rolled_back", None)], True, [None]),
    ],
)
def test_a_rollback_shortens_the_trail_that_it_goes_back(
    acts: list[tuple[Act, int | None]], regional: bool, expected: list[int | None]
) -> None:
    assert trail(versions(*acts), regional=regional) == expected


def test_a_move_voids_what_earlier_ones_had_planned_for_later_and_no_more() -> None:
    first, soon, late = move(1, 1, since=0), move(2, 2, since=10, scheduled=True), move(3, 3, since=20, scheduled=True)
    assert standing([first, soon, late]) == [first, soon, late]
    assert held([first, soon, late], at(10)) == [first, soon]
    assert planned([first, soon, late], at(10)) == [late]
    now = move(4, 4, since=5)
    assert standing([first, soon, late, now]) == [first, now]
    between = move(4, 4, since=15, scheduled=True)
    assert standing([first, soon, late, between]) == [first, soon, between]


moves = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20), st.booleans()), min_size=1, max_size=8)


@given(moves, st.integers(0, 60))
def test_the_pointer_is_where_the_newest_move_whose_moment_has_come_has_put_it(
    given_: list[tuple[int, int, bool]], minute: int
) -> None:
    """As SQL reads it: the highest id out of those that came true; moves are made one minute after the other."""
    made = [
        Move(number, "activated", None, version, later, at(number + (ahead if later else 0)), at(number), "x", "x")
        for number, (version, ahead, later) in enumerate(given_)
    ]
    known = [each for each in made if each.made_at <= at(minute)]
    by_sql = [each for each in known if not each.scheduled or each.since <= at(minute)]
    came = held(known, at(minute))
    assert (came[-1] if came else None) == (by_sql[-1] if by_sql else None)
    assert [each.since for each in came] == sorted(each.since for each in came)


def test_what_a_version_is_follows_from_the_moves() -> None:
    active = [move(1, 1, since=0), move(2, 2, since=5), move(3, 3, since=9, scheduled=True)]
    shadow = [move(4, 4, since=1, act="shadowed")]
    told = [state_of(version, active, shadow, at(6)) for version in range(1, 6)]
    assert told == [("retired", at(5)), ("active", at(5)), ("scheduled", at(9)), ("shadow", at(1)), None]


def test_an_activation_that_is_sent_again_changes_nothing() -> None:
    moves = [move(1, 1, since=0), move(2, 2, since=9, scheduled=True)]
    assert is_done(moves, at(5), 2, at(9))
    assert not is_done(moves, at(5), 2, at(8))
    assert not is_done(moves, at(5), 1, None), "it would void what is planned"
    assert is_done(moves[:1], at(5), 1, None)
