"""Figures out of the trails: how many came how far, how fast, and how it felt. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import msgspec

from loadtest.drill import invariants
from loadtest.drill.plan import Step
from loadtest.drill.trail import Event, answered
from loadtest.stats import level, per_second, percentile

_STEPS = ("join", "standing", "claim", "exchange", "evaluate", "search", "book", "leave")
_MINUTE_S = 60.0
_SETTLED_S = 60.0
_ENOUGH_S = 20.0


class Latency(msgspec.Struct, frozen=True):
    """How long one kind of request took, over all its answers, in milliseconds."""

    step: str
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Series(msgspec.Struct, frozen=True):
    """Per whole second since the doors opened."""

    arrivals: list[int]
    waiting: list[int]
    bookings: list[int]


@dataclass(frozen=True)
class Asked:
    """What the drill was told, as the report repeats it. ``wall_ahead_s``: Unix time minus the monotonic clock."""

    room: str
    rate_per_s: float
    burst: int
    spike_s: float
    no_show: float
    visitors: int
    started_at: str
    wall_ahead_s: float
    call_window_s: float = 30
    no_show_step: Step | None = None


def visitors(events: Sequence[Event]) -> int:
    """Return how many visitors these events are of."""
    return len({event.visitor for event in events})


def funnel(events: Sequence[Event]) -> dict[str, object]:
    """Return how many visitors reached each step."""
    called = [event for event in events if event.state in {"called", "admitted"}] + answered(events, "claim", 201)
    left = [event for event in events if event.what == "vanish" or (event.what == "leave" and event.status == 204)]
    return {
        "joined": visitors(answered(events, "join", 201) + answered(events, "join", 200)),
        "called": visitors(called),
        "admitted": visitors(answered(events, "claim", 201)),
        "exchanged": visitors(answered(events, "exchange", 200)),
        "evaluated": visitors(answered(events, "evaluate", 200)),
        "attempted": visitors([event for event in events if event.what == "book"]),
        "booked": visitors(answered(events, "book", 201)),
        "left": visitors(left),
        "conflicts": sum(event.code == "slot_gone" for event in events),
        "outcomes": dict(Counter(event.code for event in events if event.what == "end")),
    }


def speed(
    events: Sequence[Event], trails: Mapping[int, Sequence[Event]], issued: Sequence[float], asked: Asked
) -> dict[str, object]:
    """Return the figures over time."""
    opened = min((event.sent for event in events), default=0.0)
    closed = max((event.received for event in events), default=0.0)
    seconds = max(1, ceil(closed - opened))
    joins = answered(events, "join", 201)
    gone = [event.received for event in events if event.what in {"vanish", "leave"}]
    gone += [claim.received for claim in invariants.first_claims(trails)]
    claimed = sorted(claim.received for claim in invariants.first_claims(trails))
    waiting = [event.sent for event in events if event.state == "waiting"]
    error, measured = rate_error(claimed, waiting, asked.rate_per_s)
    used_from = (claimed[0] if claimed else opened) + 2 * asked.call_window_s
    used = rate_used(claimed, waiting, asked.rate_per_s, used_from)
    return {
        "took_s": round(closed - opened, 2),
        "tokens_per_s": per_second(issued, float(int(opened + asked.wall_ahead_s)), seconds + 1),
        "rate_error": round(error, 4),
        "rate_measured": measured,
        "rate_used": used,
        "rate_used_from_s": round(used_from - opened, 2),
        "series": Series(
            per_second([event.received for event in events if event.what == "arrive"], opened, seconds),
            level([join.received for join in joins], gone, opened, seconds),
            per_second([event.received for event in answered(events, "book", 201)], opened, seconds),
        ),
    }


def rate_error(issued: Sequence[float], waiting: Sequence[float], rate_per_s: float) -> tuple[float, str]:
    """Return abs(tokens - rate · time) / (rate · time) while people waited, and over which time that is.

    The time ends when somebody was last known to wait. It begins one minute after the first token where that leaves
    at least 20 s, for until then the call meter is still learning how many leave; else with the first token.

    Args:
        issued: when tokens came, sorted. waiting: when somebody was found waiting. All in seconds on one clock.
    """
    if not issued or not waiting or max(waiting) - issued[0] < 1:
        return 0.0, "nobody waited"
    end = max(waiting)
    settled = end - issued[0] - _SETTLED_S >= _ENOUGH_S
    start = issued[0] + (_SETTLED_S if settled else 0.0)
    tokens = invariants.tokens_before(issued, end) - invariants.tokens_before(issued, start)
    allowed = rate_per_s * (end - start)
    since = "from the second minute on" if settled else "from the first token on, while the call meter still learns"
    return abs(tokens - allowed) / allowed, f"{end - start:.0f} s, {since}"


def rate_used(issued: Sequence[float], waiting: Sequence[float], rate_per_s: float, since: float) -> list[float] | None:
    """Return tokens ÷ (rate · 60 s) of each full minute from ``since`` on while people waited; None without any.

    Args:
        issued: when tokens came, sorted. waiting: when somebody was found waiting. since: two call windows after the
            first token, when the call meter has learned. All in seconds on one clock.
    """
    minutes = int((max(waiting, default=since) - since) // _MINUTE_S)
    marks = [invariants.tokens_before(issued, since + _MINUTE_S * minute) for minute in range(minutes + 1)]
    used = [round((after - before) / (rate_per_s * _MINUTE_S), 4) for before, after in pairwise(marks)]
    return used or None


def feelings(events: Sequence[Event], trails: Mapping[int, Sequence[Event]]) -> dict[str, object]:
    """Return the figures that a visitor would ask for."""
    waits: list[float] = []
    for trail in trails.values():
        joins = [event for event in trail if event.what == "join" and event.status in {200, 201}]
        claims = answered(trail, "claim", 201)
        if joins and claims:
            waits.append(claims[0].received - joins[0].received)
    books = [event.took_s * 1000 for event in answered(events, "book", 201)]
    return {
        "wait_p50_s": round(percentile(waits, 0.5), 2),
        "wait_p99_s": round(percentile(waits, 0.99), 2),
        "book_p50_ms": round(percentile(books, 0.5), 2),
        "book_p99_ms": round(percentile(books, 0.99), 2),
        "latencies": [latency for step in _STEPS if (latency := _latency(events, step)).count],
    }


def _latency(events: Sequence[Event], step: str) -> Latency:
    took = [event.took_s * 1000 for event in events if event.what == step and event.status]
    p50, p95, p99 = (round(percentile(took, share), 2) for share in (0.5, 0.95, 0.99))
    return Latency(step, len(took), p50, p95, p99)
