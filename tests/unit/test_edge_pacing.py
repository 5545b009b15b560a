"""How fast a room may go: the pacing model, pure."""

from hypothesis import given
from hypothesis import strategies as st

from edge.governor.pacing import (
    ACTIONS,
    BACK_AFTER,
    DECREASE,
    DOWN,
    DOWN_AFTER,
    INCREASE,
    MODES,
    SETTLE_S,
    Bounds,
    Course,
    Decision,
    Reading,
    Road,
    decide,
    reading_of,
)
from edge.line.room import HELD, Held
from shared.capacity import Capacity, Errors, Latency, ProgrammeSupply
from tests.capacity import told

AUTOMATIC = Bounds("automatic", 5, 100)
MANUAL = Bounds("manual", 5, 100)
FINE = Reading(health="ok", remaining=1000)
BUSY = Road(rate=50, held="", remaining=1000, waiting=10)


def turns(bounds: Bounds, road: Road, *readings: Reading, elapsed_s: float = 1) -> tuple[Road, list[Decision]]:
    """The room after some readings, a second apart, and what was decided on each."""
    course, decisions = Course(), []
    for reading in readings:
        course, decision = decide(bounds, course, road, reading, elapsed_s=elapsed_s)
        rate = road.rate if decision.rate is None else decision.rate
        road = Road(rate=rate, held=decision.held, remaining=decision.remaining, waiting=road.waiting)
        decisions.append(decision)
    return road, decisions


def test_while_people_wait_and_all_is_well_the_rate_grows_a_little_each_second() -> None:
    after, decisions = turns(AUTOMATIC, BUSY, FINE, FINE)
    assert after.rate == 50 + 2 * INCREASE * 100
    assert [decision.action for decision in decisions] == ["increase", "increase"]


def test_while_nobody_waits_the_rate_does_not_grow() -> None:
    idle = Road(rate=50, held="", remaining=1000, waiting=0)
    after, decisions = turns(AUTOMATIC, idle, *[FINE] * 100)
    assert after.rate == 50
    assert {decision.rate for decision in decisions} == {None}, "nothing is written"


def test_slow_or_failing_answers_take_a_good_part_at_once_and_then_wait_for_the_effect() -> None:
    for bad, why in [
        (Reading(health="degraded", slow=True), "latency"),
        (Reading(health="degraded", failing=True, slow=True), "errors"),
        (Reading(health="degraded"), "health"),
    ]:
        after, decisions = turns(AUTOMATIC, BUSY, *[bad] * int(SETTLE_S + 1))
        assert after.rate == round(50 * DECREASE**2, 4)
        assert [decision.action for decision in decisions] == [why, "none", "none", "none", "none", why]


def test_a_manual_rate_is_left_alone_whatever_the_figures_say() -> None:
    slow = Reading(health="degraded", slow=True, ceiling_per_s=1, inside=10**6)
    after, _ = turns(MANUAL, BUSY, slow, FINE, slow, DOWN, DOWN, DOWN, FINE, FINE)
    assert after == Road(rate=50, held="", remaining=1000, waiting=10)


def test_the_rate_stays_below_what_the_origin_can_take_and_below_the_cap_on_people_inside() -> None:
    after, decisions = turns(AUTOMATIC, BUSY, Reading(health="ok", ceiling_per_s=20))
    assert (after.rate, decisions[0].action) == (20, "ceiling")
    capped = Bounds("automatic", 5, 100, max_inside=300)
    after, decisions = turns(capped, BUSY, Reading(health="ok", ceiling_per_s=80, inside=290, time_inside_s=10))
    assert (after.rate, decisions[0].action) == (30, "inside"), "people inside = rate · time inside"


def test_when_full_nobody_is_called_until_a_tenth_has_left() -> None:
    capped = Bounds("automatic", 5, 100, max_inside=100)

    def inside(people: int) -> Reading:
        return Reading(health="ok", inside=people)

    _, decisions = turns(capped, BUSY, inside(99), inside(100), inside(95), inside(90), inside(89))
    assert [decision.held for decision in decisions] == ["", "full", "full", "full", ""]


def test_an_origin_that_is_down_holds_the_room_after_three_readings_until_two_good_ones() -> None:
    after, decisions = turns(AUTOMATIC, BUSY, DOWN, DOWN, DOWN, DOWN, FINE, DOWN, FINE, FINE)
    held = [decision.held for decision in decisions]
    down = "origin_down"
    assert held == ["", "", down, down, down, down, down, ""]
    assert [decisions[index].action for index in (2, 7)] == ["hold", "resume"]
    assert decisions[2].rate == 5, "whoever gets up again is not run over"
    assert after.rate == 5 + INCREASE * 100
    assert decisions[3].remaining == 1000, "what was known stays known"


def test_an_origin_without_its_database_is_named_unhealthy() -> None:
    _, decisions = turns(MANUAL, BUSY, *[Reading(health="unhealthy", remaining=7)] * DOWN_AFTER)
    assert [decision.held for decision in decisions] == ["", "", "origin_unhealthy"]


def test_frozen_and_sold_out_hold_at_once_and_end_at_once_in_manual_rooms_too() -> None:
    frozen, gone = Reading(health="ok", frozen=True, remaining=5), Reading(health="ok", remaining=0)
    _, decisions = turns(MANUAL, BUSY, frozen, FINE, gone, Reading(health="ok", frozen=True, remaining=0), FINE)
    assert [decision.held for decision in decisions] == ["frozen", "", "sold_out", "sold_out", ""]


def test_sold_out_outlives_an_outage_and_an_outage_outlives_nothing_else() -> None:
    gone = Reading(health="ok", remaining=0)
    _, decisions = turns(MANUAL, BUSY, gone, DOWN, DOWN, DOWN, FINE)
    assert [decision.held for decision in decisions] == ["sold_out"] * 4 + [""]


def test_off_follows_nothing_and_lets_go_of_a_room_that_was_held() -> None:
    held = Road(rate=50, held="origin_down", remaining=3, waiting=10)
    _, decisions = turns(Bounds("off", 5, 100), held, DOWN)
    assert decisions == [Decision("", None, None, "resume")]


def test_a_reading_is_about_the_programme_of_the_room() -> None:
    other = ProgrammeSupply("b", "other", 0, True, "recall")
    feed = told(
        bookings_per_s=80,
        inside=12,
        time_inside_s=60,
        latency=Latency(10, 1001, 1000, 20),
        errors=Errors(0.06, 0.05, 20),
        programmes=[other, ProgrammeSupply("a", "demo", 7, False, None)],
    )
    assert reading_of(feed, "demo") == Reading("ok", False, 7, 80, 12, 60, slow=True, failing=True)
    assert (reading_of(feed, "other").frozen, reading_of(feed, "other").remaining) == (True, 0)
    assert reading_of(feed, "third").remaining is None, "what is not named is not sold out"


def test_a_few_answers_are_nothing_to_judge_by() -> None:
    few: Capacity = told(latency=Latency(10, 5000, 1000, 19), errors=Errors(1, 0.05, 19))
    assert (reading_of(few, "demo").slow, reading_of(few, "demo").failing) == (False, False)


_maybe = st.none() | st.floats(0, 500)
_readings = st.builds(
    Reading,
    health=st.sampled_from(["ok", "degraded", "unhealthy", None]),
    frozen=st.booleans(),
    remaining=st.none() | st.integers(0, 3),
    ceiling_per_s=_maybe,
    inside=st.integers(0, 1000),
    time_inside_s=_maybe,
    slow=st.booleans(),
    failing=st.booleans(),
)
_bounds = st.builds(
    lambda mode, rates, cap: Bounds(mode, min(rates), max(rates), cap),
    st.sampled_from(MODES),
    st.tuples(st.floats(0.01, 200), st.floats(0.01, 200)),
    st.none() | st.integers(1, 1000),
)
_roads = st.builds(
    Road,
    rate=st.floats(0.01, 500),
    held=st.sampled_from(["", *HELD]),
    remaining=st.none() | st.integers(0, 3),
    waiting=st.integers(0, 5),
)


@given(_bounds, _roads, st.lists(st.tuples(_readings, st.floats(0, 3)), max_size=30))
def test_whatever_is_read_the_rate_keeps_to_the_bounds_and_nobody_is_sent_where_nothing_is_left(
    bounds: Bounds, road: Road, readings: list[tuple[Reading, float]]
) -> None:
    course, since_decrease = Course(), SETTLE_S
    bad = good = 0
    for reading, elapsed in readings:
        before = road
        course, decision = decide(bounds, course, road, reading, elapsed_s=elapsed)
        rate = road.rate if decision.rate is None else decision.rate
        road = Road(rate=rate, held=decision.held, remaining=decision.remaining, waiting=road.waiting)
        is_bad = reading.health in {"unhealthy", None}
        bad, good = (bad + 1, 0) if is_bad else (0, good + 1)
        since_decrease += elapsed
        assert decision.action in ACTIONS
        if bounds.mode != "automatic":
            assert decision.rate is None
        else:
            # The rate is rounded to a ten-thousandth.
            assert bounds.min_rate_per_s - 1e-4 <= rate <= bounds.max_rate_per_s + 1e-4
            grown = rate > max(before.rate, bounds.min_rate_per_s) + 1e-3
            assert not (grown and (is_bad or decision.held or not before.waiting))
            assert rate - max(before.rate, bounds.min_rate_per_s) <= INCREASE * bounds.max_rate_per_s * elapsed + 1e-3
            if decision.action in {"errors", "latency", "health"}:
                assert since_decrease >= SETTLE_S - 1e-9
                since_decrease = 0.0
        if bounds.mode != "off":
            assert decision.held in stops(bounds, reading, road.remaining, before.held, bad, good)


def stops(bounds: Bounds, reading: Reading, remaining: int | None, before: Held, bad: int, good: int) -> set[Held]:
    """What may be said, by the rules of the table in the documents, told the other way round."""
    if remaining == 0:
        return {"sold_out"}
    if bad >= DOWN_AFTER:
        return {"origin_down", "origin_unhealthy"}
    if bad:
        return {before}
    if reading.frozen:
        return {"frozen"}
    allowed: set[Held] = set() if before in {"origin_down", "origin_unhealthy"} and good < BACK_AFTER else {"", "full"}
    return allowed or {before}
