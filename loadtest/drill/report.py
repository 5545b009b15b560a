"""The verdict: figures and broken invariants out of trails and books."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import msgspec

from loadtest.drill import invariants
from loadtest.drill.invariants import Books
from loadtest.drill.trail import Event, answered, by_visitor
from loadtest.stats import level, per_second, percentile

_STEPS = ("join", "standing", "claim", "exchange", "evaluate", "search", "book", "leave")
_SETTLED_S = 60.0
_ENOUGH_S = 20.0
_EXAMPLES = 5


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


class Report(msgspec.Struct, frozen=True):
    """``report.json``. Counts are visitors of this drill; the checks on the books cover the whole programme."""

    # what came to pass
    visitors: int
    joined: int
    called: int
    admitted: int
    exchanged: int
    evaluated: int
    attempted: int
    booked: int
    left: int
    errors: int
    # how fast
    tokens_per_s: list[int]
    overshoot: float
    rate_error: float
    # what must be 0
    double_bookings: int
    oversold_slots: int
    order_inversions: int
    lost_places: int
    audit_mismatches: int
    missing_bookings: int
    unseen_bookings: int
    missing_decisions: int
    missing_notices: int
    replay_mismatches: int
    token_doubles: int
    stranded: int
    # how it felt
    wait_p50_s: float
    wait_p99_s: float
    book_p50_ms: float
    book_p99_ms: float
    conflicts: int
    retried: int
    shown_wait_kept: float
    # the verdict
    passed: bool
    broken: list[str]
    # what was asked for
    room: str
    rate_per_s: float
    burst: int
    spike_s: float
    no_show: float
    started_at: str
    took_s: float
    rate_measured: str
    series: Series
    latencies: list[Latency]
    outcomes: dict[str, int]
    error_kinds: dict[str, int]
    retried_kinds: dict[str, int]


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


MUST_BE_ZERO = (
    "double_bookings",
    "oversold_slots",
    "order_inversions",
    "lost_places",
    "audit_mismatches",
    "missing_bookings",
    "unseen_bookings",
    "missing_decisions",
    "missing_notices",
    "replay_mismatches",
    "token_doubles",
    "stranded",
    "errors",
)


def judge(events: Sequence[Event], books: Books, asked: Asked) -> Report:
    """Return the report; ``passed`` says that no invariant is broken and that somebody was booked."""
    trails = by_visitor(events)
    found = _violations(events, trails, books)
    put_off = invariants.retried(events)
    counts = {name: len(broken) for name, broken in found.items()} | {
        "double_bookings": books.double_bookings,
        "oversold_slots": books.oversold_slots,
        "audit_mismatches": books.audit_mismatches,
        "missing_notices": books.bookings_without_notice,
    }
    claims = invariants.first_claims(trails)
    issued = [claim.issued_at for claim in claims if claim.issued_at is not None]
    over = invariants.overshoot(issued, asked.rate_per_s, asked.burst)
    broken = [_sentence(name, counts[name], found.get(name, [])) for name in MUST_BE_ZERO if counts[name]]
    if over > 1:
        broken.append(f"overshoot: {over:.3f} of what rate and burst allow in one second")
    booked = _visitors(answered(events, "book", 201))
    if not booked:
        broken.append("nobody was booked")
    return msgspec.convert(
        counts
        | _funnel(events)
        | _speed(events, trails, issued, asked)
        | _feelings(events, trails)
        | {
            "overshoot": round(over, 4),
            "passed": not broken,
            "broken": broken,
            "room": asked.room,
            "rate_per_s": asked.rate_per_s,
            "burst": asked.burst,
            "spike_s": asked.spike_s,
            "no_show": asked.no_show,
            "visitors": asked.visitors,
            "started_at": asked.started_at,
            "error_kinds": dict(Counter(found["errors"]).most_common(20)),
            "retried": len(put_off),
            "retried_kinds": dict(Counter(put_off).most_common(20)),
        },
        Report,
    )


def _violations(
    events: Sequence[Event], trails: Mapping[int, Sequence[Event]], books: Books
) -> dict[str, invariants.Broken]:
    return {
        "order_inversions": invariants.order_inversions(events),
        "lost_places": invariants.lost_places(trails),
        "token_doubles": invariants.token_doubles(trails),
        "missing_bookings": invariants.missing_bookings(events, books),
        "unseen_bookings": invariants.unseen_bookings(events, books),
        "missing_decisions": invariants.missing_decisions(events, books),
        "replay_mismatches": invariants.replay_mismatches(events),
        "stranded": invariants.stranded(trails),
        "errors": invariants.errors(events),
    }


def _sentence(name: str, count: int, examples: Sequence[str]) -> str:
    shown = "; ".join(list(dict.fromkeys(examples))[:_EXAMPLES])
    return f"{name}: {count}" + (f" ({shown})" if shown else "")


def _visitors(events: Sequence[Event]) -> int:
    return len({event.visitor for event in events})


def _funnel(events: Sequence[Event]) -> dict[str, object]:
    called = [event for event in events if event.state in {"called", "admitted"}] + answered(events, "claim", 201)
    left = [event for event in events if event.what == "vanish" or (event.what == "leave" and event.status == 204)]
    return {
        "joined": _visitors(answered(events, "join", 201) + answered(events, "join", 200)),
        "called": _visitors(called),
        "admitted": _visitors(answered(events, "claim", 201)),
        "exchanged": _visitors(answered(events, "exchange", 200)),
        "evaluated": _visitors(answered(events, "evaluate", 200)),
        "attempted": _visitors([event for event in events if event.what == "book"]),
        "booked": _visitors(answered(events, "book", 201)),
        "left": _visitors(left),
        "conflicts": sum(event.code == "slot_gone" for event in events),
        "outcomes": dict(Counter(event.code for event in events if event.what == "end")),
    }


def _speed(
    events: Sequence[Event], trails: Mapping[int, Sequence[Event]], issued: Sequence[float], asked: Asked
) -> dict[str, object]:
    opened = min((event.sent for event in events), default=0.0)
    closed = max((event.received for event in events), default=0.0)
    seconds = max(1, ceil(closed - opened))
    joins = answered(events, "join", 201)
    gone = [event.received for event in events if event.what in {"vanish", "leave"}]
    gone += [claim.received for claim in invariants.first_claims(trails)]
    claimed = sorted(claim.received for claim in invariants.first_claims(trails))
    waiting = [event.sent for event in events if event.state == "waiting"]
    error, measured = rate_error(claimed, waiting, asked.rate_per_s)
    return {
        "took_s": round(closed - opened, 2),
        "tokens_per_s": per_second(issued, float(int(opened + asked.wall_ahead_s)), seconds + 1),
        "rate_error": round(error, 4),
        "rate_measured": measured,
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


def _feelings(events: Sequence[Event], trails: Mapping[int, Sequence[Event]]) -> dict[str, object]:
    waits: list[float] = []
    kept: list[bool] = []
    for trail in trails.values():
        joins = [event for event in trail if event.what == "join" and event.place is not None]
        claims = answered(trail, "claim", 201)
        if joins and claims:
            waits.append(claims[0].received - joins[0].received)
            if joins[0].wait_p90_s is not None:
                # When exactly the call came is not in the trail; it was not before the visitor last found it missing.
                missing = [event.sent for event in trail if event.state == "waiting"]
                kept.append(max(missing, default=0.0) - joins[0].received <= joins[0].wait_p90_s)
    books = [event.took_s * 1000 for event in answered(events, "book", 201)]
    return {
        "wait_p50_s": round(percentile(waits, 0.5), 2),
        "wait_p99_s": round(percentile(waits, 0.99), 2),
        "book_p50_ms": round(percentile(books, 0.5), 2),
        "book_p99_ms": round(percentile(books, 0.99), 2),
        "shown_wait_kept": round(sum(kept) / len(kept), 4) if kept else 0.0,
        "latencies": [latency for step in _STEPS if (latency := _latency(events, step)).count],
    }


def _latency(events: Sequence[Event], step: str) -> Latency:
    took = [event.took_s * 1000 for event in events if event.what == step and event.status]
    p50, p95, p99 = (round(percentile(took, share), 2) for share in (0.5, 0.95, 0.99))
    return Latency(step, len(took), p50, p95, p99)
