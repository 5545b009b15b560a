"""Shown waits against real ones: was the first interval that a visitor was shown an honest one? Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import msgspec

from loadtest.drill.trail import Event
from loadtest.stats import median

IN_LINE = frozenset({"entered", "waiting"})


class Waited(msgspec.Struct, frozen=True):
    """The interval that a visitor was shown first, and how long it took from then until the call, in seconds.

    When the call came is known to ``known_to_s`` either way, and is taken as the middle.
    """

    p50_s: float
    p90_s: float
    real_s: float
    known_to_s: float


def waits(trails: Mapping[int, Sequence[Event]]) -> list[Waited]:
    """Return shown and real waits, in the order in which they were first shown.

    A visitor learns of the call with the next poll only, up to a third of the wait too late. So the whole crowd is
    asked: a place was not called yet when somebody at it or before it was still found waiting, and was called by the
    time that somebody at it or behind it was found called. What lies between is a poll of anybody, not of one. Taking
    the middle favours neither side; no answer is read as sooner than it was received. Whoever was called at once was
    shown no wait, and nothing is known of those behind the last who was found called.
    """
    waiting, called = _seen(event for trail in trails.values() for event in trail)
    order = sorted({*waiting, *called})
    not_before = dict(zip(order, accumulate((waiting.get(place, 0.0) for place in order), max), strict=True))
    found = accumulate((called.get(place, float("inf")) for place in reversed(order)), min)
    by = dict(zip(reversed(order), found, strict=True))
    known = []
    for trail in trails.values():
        shown = next((event for event in trail if event.state in IN_LINE and event.wait_p90_s is not None), None)
        place = next((event.place for event in reversed(trail) if event.place is not None), None)
        if shown is not None and place is not None and by[place] < float("inf"):
            known.append((shown.received, _waited(shown, max(not_before[place], shown.received), by[place])))
    return [waited for _, waited in sorted(known, key=lambda one: one[0])]


def accuracy(known: Sequence[Waited]) -> dict[str, object]:
    """Return how the first shown intervals compare with what came to pass; None where nobody was shown any."""
    if not known:
        return dict.fromkeys(("wait_within_p90", "wait_within_p50", "wait_ratio_p50", "wait_known_to_s"))
    return {
        "wait_within_p90": round(sum(one.real_s <= one.p90_s for one in known) / len(known), 4),
        "wait_within_p50": round(sum(one.real_s <= one.p50_s for one in known) / len(known), 4),
        "wait_ratio_p50": round(median([one.real_s / max(one.p50_s, 1.0) for one in known]), 3),
        "wait_known_to_s": round(median([one.known_to_s for one in known]), 3),
    }


def _seen(events: Iterable[Event]) -> tuple[dict[int, float], dict[int, float]]:
    """Return, by place, when it was last asked about and found waiting, and when it was first found called."""
    waiting: dict[int, float] = {}
    called: dict[int, float] = {}
    for event in events:
        if event.place is None:
            continue
        if event.state in IN_LINE:
            waiting[event.place] = max(event.sent, waiting.get(event.place, event.sent))
        else:
            called[event.place] = min(event.received, called.get(event.place, event.received))
    return waiting, called


def _waited(shown: Event, after: float, by: float) -> Waited:
    middle, half = (after + by) / 2, max(0.0, by - after) / 2
    return Waited(shown.wait_p50_s or 0.0, shown.wait_p90_s or 0.0, round(middle - shown.received, 2), round(half, 3))
