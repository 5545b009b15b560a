"""Each checker passes on a good day's evidence and finds its own kind of bad one."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.drill import invariants
from loadtest.drill.invariants import Booking, Books
from loadtest.drill.trail import Event, What, by_visitor


def event(visitor: int, what: What, at: float, status: int = 200, took: float = 0.01, **seen: object) -> Event:
    return Event(visitor, what, at, at + took, status, **seen)  # type: ignore[arg-type]  # tests name what they set


def standing(visitor: int, at: float, place: int, state: str, ahead: int | None = None, took: float = 0.01) -> Event:
    return event(visitor, "standing", at, took=took, place=place, state=state, ahead=ahead)


@dataclass
class Evidence:
    """A good day of three visitors; tests spoil it."""

    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        for visitor, place in ((0, 1), (1, 2), (2, 3)):
            self.events += [
                event(visitor, "join", visitor, 201, place=place, state="waiting", ahead=place - 1),
                standing(visitor, 3 + visitor, place, "called", 0),
                event(visitor, "claim", 4 + visitor, 201, token_id=f"token-{visitor}", issued_at=4.0 + visitor),
                event(visitor, "evaluate", 5 + visitor, 200, decision=f"decision-{visitor}"),
                event(visitor, "book", 6 + visitor, 201, appointment=f"appointment-{visitor}", key=f"key-{visitor}"),
                event(visitor, "end", 7 + visitor, 0, code="booked"),
            ]


def books(**changes: object) -> Books:
    bookings = [Booking(f"appointment-{n}", f"token-{n}", "1") for n in range(3)]
    good: dict[str, object] = {
        "double_bookings": 0,
        "oversold_slots": 0,
        "bookings_without_audit": 0,
        "decisions_without_audit": 0,
        "audit_without_cause": 0,
        "bookings_without_notice": 0,
        "bookings": bookings,
        "decisions": [f"decision-{n}" for n in range(3)],
    }
    return Books(**(good | changes))  # type: ignore[arg-type]  # a test names the fields it spoils


@pytest.fixture
def day() -> list[Event]:
    return Evidence().events


def test_a_good_day_breaks_nothing(day: list[Event]) -> None:
    trails = by_visitor(day)
    assert invariants.order_inversions(day) == []
    assert invariants.lost_places(trails) == []
    assert invariants.token_doubles(trails) == []
    assert invariants.missing_bookings(day, books()) == []
    assert invariants.unseen_bookings(day, books()) == []
    assert invariants.missing_decisions(day, books()) == []
    assert invariants.replay_mismatches(day) == []
    assert invariants.errors(day) == []
    assert invariants.stranded(trails) == []


def test_a_lower_place_that_still_waits_after_a_higher_was_called_is_an_inversion() -> None:
    events = [standing(1, 1.0, 8, "called"), standing(0, 2.0, 7, "waiting")]
    assert invariants.order_inversions(events) == ["place 7 still waits after place 8 was called"]


def test_a_waiting_answer_that_was_asked_for_before_the_higher_call_arrived_proves_nothing() -> None:
    events = [standing(1, 1.0, 8, "called", took=0.5), standing(0, 1.4, 7, "waiting", took=5.0)]
    assert invariants.order_inversions(events) == []


def test_a_higher_place_that_waits_is_in_order() -> None:
    events = [standing(1, 1.0, 8, "called"), standing(0, 2.0, 9, "waiting")]
    assert invariants.order_inversions(events) == []


def test_an_inversion_is_found_when_a_lower_place_was_called_in_between() -> None:
    events = [standing(1, 1.0, 8, "called"), standing(2, 1.5, 3, "called"), standing(0, 2.0, 7, "waiting")]
    assert len(invariants.order_inversions(events)) == 1


@given(
    st.lists(st.tuples(st.integers(1, 20), st.booleans(), st.floats(0, 10), st.floats(0.001, 3)), max_size=40),
)
def test_inversions_agree_with_the_plain_definition(drawn: list[tuple[int, bool, float, float]]) -> None:
    events = [standing(n, at, place, "called" if c else "waiting", took=t) for n, (place, c, at, t) in enumerate(drawn)]
    plain = [
        low
        for low in events
        if low.state == "waiting"
        and any(
            high.state == "called" and (high.place or 0) > (low.place or 0) and high.received < low.sent
            for high in events
        )
    ]
    assert len(invariants.order_inversions(events)) == len(plain)


def test_a_place_that_changes_is_lost(day: list[Event]) -> None:
    day.append(standing(0, 3.5, 17, "called", 0))
    assert any("moved from place 1 to 17" in text for text in invariants.lost_places(by_visitor(day)))


def test_more_people_ahead_than_before_is_a_lost_place(day: list[Event]) -> None:
    day.append(standing(2, 2.5, 3, "waiting", 30))
    assert invariants.lost_places(by_visitor(day)) == ["visitor 2 had 2 ahead, then 30"]


def test_a_place_given_to_two_is_a_lost_place(day: list[Event]) -> None:
    day.append(event(9, "join", 9, 201, place=2, state="waiting", ahead=1))
    assert invariants.lost_places(by_visitor(day)) == ["place 2 was given to 2 visitors"]


def shown(at: float, p50: float, p90: float, state: str = "waiting", reason: str = "") -> Event:
    return event(0, "standing", at, state=state, place=1, wait_p50_s=p50, wait_p90_s=p90, wait_reason=reason)


@pytest.mark.parametrize("then", [shown(2, 11, 20), shown(2, 10, 21)])
def test_a_shown_wait_that_grows_is_a_rise(then: Event) -> None:
    assert len(invariants.wait_rises({0: [shown(1, 10, 20), then]})) == 1


def test_a_shown_wait_may_shrink_stay_or_grow_for_a_reason_and_counts_from_there() -> None:
    paused = event(0, "standing", 2.5, state="waiting", place=1)
    trail = [shown(1, 10, 20), shown(2, 10, 20), paused, shown(3, 30, 60, reason="rate_lowered"), shown(4, 30, 60)]
    assert invariants.wait_rises({0: trail}) == []
    assert len(invariants.wait_rises({0: [*trail, shown(5, 31, 60)]})) == 1


def test_the_last_shown_wait_counts_across_a_pause() -> None:
    paused = event(0, "standing", 2, state="waiting", place=1)
    assert len(invariants.wait_rises({0: [shown(1, 10, 20), paused, shown(3, 10, 30)]})) == 1


def test_once_called_nothing_is_promised_any_more() -> None:
    assert invariants.wait_rises({0: [shown(1, 0, 0), shown(2, 5, 5, state="called")]}) == []


def test_two_tokens_for_one_ticket_are_found(day: list[Event]) -> None:
    day.append(event(1, "claim", 5.5, 201, token_id="token-other", issued_at=5.5))
    assert invariants.token_doubles(by_visitor(day)) == ["visitor 1 was given 2 different tokens"]


def test_one_token_for_two_visitors_is_found(day: list[Event]) -> None:
    day.append(event(7, "claim", 5.5, 201, token_id="token-1", issued_at=5.5))
    assert invariants.token_doubles(by_visitor(day)) == ["one token for 2 visitors"]


def test_the_same_token_again_is_fine(day: list[Event]) -> None:
    day.append(event(1, "claim", 5.5, 201, token_id="token-1", issued_at=5.0))
    assert invariants.token_doubles(by_visitor(day)) == []
    assert len(invariants.first_claims(by_visitor(day))) == 3


def test_a_promised_appointment_that_is_not_there_is_missing(day: list[Event]) -> None:
    kept = books(bookings=books().bookings[1:])
    assert invariants.missing_bookings(day, kept) == ["appointment appointment-0 was promised and is not there"]


def test_our_appointment_that_nobody_was_told_of_is_found_and_a_strangers_is_not(day: list[Event]) -> None:
    ours, strangers = Booking("silent", "token-1", "1"), Booking("other", "token-of-somebody", "1")
    kept = books(bookings=[*books().bookings, ours, strangers])
    assert invariants.unseen_bookings(day, kept) == ["appointment silent was booked and nobody was told"]


def test_a_decision_that_is_not_there_is_missing(day: list[Event]) -> None:
    assert len(invariants.missing_decisions(day, books(decisions=["decision-0", "decision-2"]))) == 1


def test_one_key_with_two_appointments_is_found(day: list[Event]) -> None:
    day.append(event(0, "book", 6.5, 201, appointment="another", key="key-0"))
    assert invariants.replay_mismatches(day) == ["one key booked 2 appointments"]


def test_audit_mismatches_add_up() -> None:
    spoilt = books(bookings_without_audit=1, decisions_without_audit=2, audit_without_cause=4)
    assert spoilt.audit_mismatches == 7


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [("standing", 500, "internal"), ("join", 503, ""), ("book", 403, "ineligible"), ("standing", 401, "ticket_stale")],
)
def test_an_answer_that_nobody_should_get_is_an_error(what: What, status: int, code: str) -> None:
    assert len(invariants.errors([event(0, what, 1, status, code=code)])) == 1


@pytest.mark.parametrize(("what", "status", "code"), [("claim", 429, "paced"), ("book", 409, "slot_gone")])
def test_a_refusal_that_belongs_to_a_busy_day_is_no_error(what: What, status: int, code: str) -> None:
    assert invariants.errors([event(0, what, 1, status, code=code)]) == []


def test_being_put_off_is_counted_and_is_no_error() -> None:
    events = [event(0, "join", 1, 503, code="store_unavailable", retry_after_s=2.0), event(0, "book", 2, 0)]
    assert invariants.errors(events) == []
    assert invariants.retried(events) == ["join: 503 store_unavailable", "book: no answer"]


def test_a_fault_of_the_drill_is_an_error() -> None:
    assert invariants.errors([event(3, "crash", 1, 0, code="KeyError: 'place'")]) == ["visitor 3: KeyError: 'place'"]


@pytest.mark.parametrize("outcome", ["refused", "out_of_time", "ineligible"])
def test_whoever_stayed_and_is_not_booked_is_stranded(outcome: str) -> None:
    assert len(invariants.stranded({0: [event(0, "end", 1, 0, code=outcome)]})) == 1


def test_whoever_never_ended_is_stranded() -> None:
    assert invariants.stranded({4: [event(4, "arrive", 1, 0)]}) == ["visitor 4 ended with nothing"]


def test_overshoot_looks_at_every_window_not_only_at_whole_seconds() -> None:
    issued = [0.9] * 30 + [1.1] * 31
    assert invariants.most_in_a_second(issued) == 61
    assert invariants.overshoot(issued, 50, 10) > 1


def test_as_many_tokens_as_rate_and_burst_allow_are_no_overshoot() -> None:
    assert invariants.overshoot([0.0] * 10 + [n / 50 for n in range(1, 50)] + [1.0], 50, 10) <= 1


def test_a_window_is_half_open() -> None:
    assert invariants.most_in_a_second([0.0, 1.0]) == 1
    assert invariants.most_in_a_second([]) == 0
