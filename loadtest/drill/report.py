"""The verdict: figures and broken invariants out of trails and books."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from loadtest.drill import figures, invariants
from loadtest.drill.figures import Asked, Latency, Series
from loadtest.drill.invariants import Books
from loadtest.drill.plan import Step
from loadtest.drill.trail import Event, answered, by_visitor
from loadtest.drill.waits import Waited, accuracy, waits

_EXAMPLES = 5
_DRAWN = 150  # visitors whose waits are kept for the plot


class Report(msgspec.Struct, frozen=True):
    """``report.json``. Counts are visitors of this drill; the checks on the books cover the whole programme.

    ``rate_used`` is None for a day too short to have a full minute after two call windows; the figures on shown waits
    are None where nobody was shown any. ``waits`` is an even sample.
    """

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
    rate_used: list[float] | None
    # what must be 0
    double_bookings: int
    oversold_slots: int
    order_inversions: int
    lost_places: int
    wait_rises: int
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
    wait_within_p90: float | None
    wait_within_p50: float | None
    wait_ratio_p50: float | None
    wait_known_to_s: float | None
    # the verdict
    passed: bool
    broken: list[str]
    # what was asked for
    room: str
    rate_per_s: float
    burst: int
    spike_s: float
    no_show: float
    no_show_step: Step | None
    started_at: str
    took_s: float
    rate_measured: str
    rate_used_from_s: float
    series: Series
    waits: list[Waited]
    latencies: list[Latency]
    outcomes: dict[str, int]
    error_kinds: dict[str, int]
    retried_kinds: dict[str, int]


MUST_BE_ZERO = (
    "double_bookings",
    "oversold_slots",
    "order_inversions",
    "lost_places",
    "wait_rises",
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
    known = waits(trails)
    booked = figures.visitors(answered(events, "book", 201))
    if not booked:
        broken.append("nobody was booked")
    return msgspec.convert(
        counts
        | figures.funnel(events)
        | figures.speed(events, trails, issued, asked)
        | figures.feelings(events, trails)
        | accuracy(known)
        | {
            "overshoot": round(over, 4),
            "passed": not broken,
            "broken": broken,
            "room": asked.room,
            "rate_per_s": asked.rate_per_s,
            "burst": asked.burst,
            "spike_s": asked.spike_s,
            "no_show": asked.no_show,
            "no_show_step": asked.no_show_step,
            "waits": known[:: max(1, len(known) // _DRAWN)],
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
        "wait_rises": invariants.wait_rises(trails),
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
