"""How fast a room may go, from what the booking system says of itself. Pure: readings in, decisions out.

Two things are decided each time, once a second or so:

- whether people are called at all. Nobody is sent to a booking system that is down, unhealthy, frozen or sold out,
  whoever sets the rate; that ends by itself when its cause ends, and is no pause: what operators pause stays paused.
- in an automatic room, the rate: a little more each second while people wait and all is well, a good part less at once
  when answers get slow or fail (additive increase, multiplicative decrease: Chiu and Jain 1989), never outside the
  operator's bounds. People inside = rate · time inside (Little 1961), so a cap on people inside is a cap on the rate.
"""

from typing import Literal

import msgspec

from edge.line.room import Held
from shared.capacity import Capacity, Health, ProgrammeSupply

Mode = Literal["manual", "automatic", "off"]
MODES: tuple[Mode, ...] = ("manual", "automatic", "off")
Action = Literal["none", "hold", "resume", "increase", "errors", "latency", "health", "ceiling", "inside", "bounds"]
ACTIONS: tuple[Action, ...] = (
    "none",
    "hold",
    "resume",
    "increase",
    "errors",
    "latency",
    "health",
    "ceiling",
    "inside",
    "bounds",
)

INCREASE = 0.02  # of the highest rate, per second: from nothing to all in fifty seconds
DECREASE = 0.7
SETTLE_S = 5.0  # a decrease is seen in the origin's figures, which look back ten seconds, before there is another
DOWN_AFTER = 3  # readings in a row
BACK_AFTER = 2
FULL_UNTIL = 0.9  # of the cap: people are called again
FEWEST_SAMPLES = 20


class Bounds(msgspec.Struct, frozen=True):
    """What an operator allows.

    ``manual``: the rate is the operator's, and is left alone; ``off``: the feed is not followed at all.
    ``max_inside``: people inside the booking system at a time; None is no cap.
    """

    mode: Mode
    min_rate_per_s: float
    max_rate_per_s: float
    max_inside: int | None = None


class Reading(msgspec.Struct, frozen=True):
    """What a booking system said of itself, as far as one room is concerned; ``health`` None: nothing, it is down."""

    health: Health | None
    frozen: bool = False
    remaining: int | None = None
    ceiling_per_s: float | None = None
    inside: int = 0
    time_inside_s: float | None = None
    slow: bool = False
    failing: bool = False


DOWN = Reading(health=None)
_DOWN: frozenset[Held] = frozenset({"origin_down", "origin_unhealthy"})


class Road(msgspec.Struct, frozen=True):
    """The room as it is: rate, why nobody is called (empty: people are), doses left as last known, people waiting."""

    rate: float
    held: Held
    remaining: int | None
    waiting: int


class Course(msgspec.Struct, frozen=True):
    """What the one who steers remembers from reading to reading; whoever takes over begins with a fresh one."""

    bad: int = 0
    good: int = 0
    settled_s: float = SETTLE_S


class Decision(msgspec.Struct, frozen=True):
    """What to do now. ``rate`` None: leave it."""

    held: Held
    remaining: int | None
    rate: float | None
    action: Action


def reading_of(told: Capacity, room: str) -> Reading:
    """Return what a feed says of the programme that ``room`` leads to; a room that it does not name is not limited."""
    ours = next((each for each in told.programmes if each.room == room), ProgrammeSupply("", room, None, False, None))
    latency, errors = told.latency, told.errors
    return Reading(
        health=told.health,
        frozen=ours.frozen,
        remaining=ours.remaining,
        ceiling_per_s=told.bookings_per_s,
        inside=told.inside,
        time_inside_s=told.time_inside_s,
        slow=latency is not None and latency.samples >= FEWEST_SAMPLES and latency.p99_ms > latency.limit_ms,
        failing=errors is not None and errors.samples >= FEWEST_SAMPLES and errors.share > errors.limit,
    )


def decide(
    bounds: Bounds, course: Course, road: Road, reading: Reading, *, elapsed_s: float
) -> tuple[Course, Decision]:
    """Return what to do, and what to remember.

    Guarantees: the rate stays within the bounds; it is only touched in an automatic room; it never grows while nobody
    waits, while nobody is called, or on a bad reading; for slow or failing
    answers it falls once in five seconds at most.
    """
    course = _remembered(course, reading, elapsed_s)
    if bounds.mode == "off":
        return course, Decision("", None, None, "resume" if road.held else "none")
    remaining = reading.remaining if reading.health in {"ok", "degraded"} else road.remaining
    held = _held(bounds, course, road, reading, remaining)
    if bounds.mode == "manual":
        return course, Decision(held, remaining, None, _turn(road.held, held) or "none")
    rate, action = _rate(bounds, course, road, reading, held, elapsed_s)
    if action in {"errors", "latency", "health"}:
        course = msgspec.structs.replace(course, settled_s=0.0)
    changed = None if rate == road.rate else rate
    return course, Decision(held, remaining, changed, _turn(road.held, held) or action)


def _remembered(course: Course, reading: Reading, elapsed_s: float) -> Course:
    settled = course.settled_s + elapsed_s
    if reading.health in {"ok", "degraded"}:
        return Course(bad=0, good=course.good + 1, settled_s=settled)
    return Course(bad=course.bad + 1, good=0, settled_s=settled)


def _held(bounds: Bounds, course: Course, road: Road, reading: Reading, remaining: int | None) -> Held:
    """Return why nobody is called now. One bad reading is an accident; one good one, after several, may be too."""
    if remaining == 0:
        return "sold_out"
    if course.bad >= DOWN_AFTER:
        return "origin_down" if reading.health is None else "origin_unhealthy"
    if course.bad or (not reading.frozen and road.held in _DOWN and course.good < BACK_AFTER):
        return road.held
    if reading.frozen:
        return "frozen"
    cap = bounds.max_inside if bounds.mode == "automatic" else None
    most = None if cap is None else cap * (FULL_UNTIL if road.held == "full" else 1)
    return "full" if most is not None and reading.inside >= most else ""


def _turn(before: Held, after: Held) -> Action | None:
    if after and after != before:
        return "hold"
    return "resume" if before and not after else None


def _rate(
    bounds: Bounds, course: Course, road: Road, reading: Reading, held: Held, elapsed_s: float
) -> tuple[float, Action]:
    if held in _DOWN:
        return _within(bounds, bounds.min_rate_per_s), "none"  # whoever gets up again is not run over
    rate, action = road.rate, _pressure(reading)
    if action != "none":
        rate, action = (rate * DECREASE, action) if course.settled_s >= SETTLE_S else (rate, "none")
    elif road.waiting and not held and not course.bad:
        rate, action = rate + INCREASE * bounds.max_rate_per_s * elapsed_s, "increase"
    ceiling, which = _ceiling(bounds, reading)
    if rate > ceiling:
        rate, action = ceiling, which if action in {"none", "increase"} else action
    within = _within(bounds, rate)
    if within == road.rate and action in {"increase", "ceiling", "inside"}:
        action = "none"
    return within, "bounds" if action == "none" and within != road.rate else action


def _pressure(reading: Reading) -> Action:
    if reading.failing:
        return "errors"
    if reading.slow:
        return "latency"
    return "health" if reading.health == "degraded" else "none"


def _ceiling(bounds: Bounds, reading: Reading) -> tuple[float, Action]:
    ceiling = float("inf") if reading.ceiling_per_s is None else reading.ceiling_per_s
    if bounds.max_inside is not None and reading.time_inside_s:
        by_people = bounds.max_inside / reading.time_inside_s
        if by_people < ceiling:
            return by_people, "inside"
    return ceiling, "ceiling"


def _within(bounds: Bounds, rate: float) -> float:
    return round(max(bounds.min_rate_per_s, min(bounds.max_rate_per_s, rate)), 4)
