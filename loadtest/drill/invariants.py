"""What must hold, checked on what visitors saw and on what the books say. Pure: evidence in, what is broken out.

Every checker returns one sentence per violation; an empty list means that the evidence shows none.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from loadtest.drill.trail import Event, answered
from loadtest.drill.waits import IN_LINE

Broken = list[str]


class Booking(msgspec.Struct, frozen=True):
    """An appointment as the database holds it."""

    id: str
    admission: str
    slot: str


class Books(msgspec.Struct, frozen=True):
    """What ``books.sql`` prints."""

    double_bookings: int
    oversold_slots: int
    bookings_without_audit: int
    decisions_without_audit: int
    audit_without_cause: int
    bookings_without_notice: int
    bookings: list[Booking]
    decisions: list[str]

    @property
    def audit_mismatches(self) -> int:
        """Bookings or decisions without an audit row, and audit rows without either."""
        return self.bookings_without_audit + self.decisions_without_audit + self.audit_without_cause


def order_inversions(events: Iterable[Event]) -> Broken:
    """Nobody is called before a lower place.

    Sound whatever the polling's grain and the servers' clocks are: a violation is a request, sent after somebody with
    a higher place had already received that they are called, that still finds the lower place waiting.
    """
    called: list[tuple[float, int]] = []  # (received, highest place known to be called by then)
    waiting: list[Event] = []
    for event in sorted(_standings(events), key=lambda event: event.received):
        assert event.place is not None
        if event.state == "waiting":
            waiting.append(event)
        elif event.state in {"called", "admitted"} and (not called or event.place > called[-1][1]):
            called.append((event.received, event.place))
    times = [received for received, _ in called]
    broken = []
    for event in waiting:
        before = bisect_left(times, event.sent)
        if before and event.place is not None and event.place < called[before - 1][1]:
            broken.append(f"place {event.place} still waits after place {called[before - 1][1]} was called")
    return broken


def lost_places(trails: Mapping[int, Sequence[Event]]) -> Broken:
    """A place belongs to one visitor and never changes; the number of people ahead never rises.

    Args:
        trails: each visitor's events, in order.
    """
    broken = []
    owners: dict[int, set[int]] = defaultdict(set)
    for visitor, trail in trails.items():
        place: int | None = None
        ahead: int | None = None
        for event in _standings(trail):
            assert event.place is not None
            owners[event.place].add(visitor)
            if place is not None and event.place != place:
                broken.append(f"visitor {visitor} was moved from place {place} to {event.place}")
            if ahead is not None and event.ahead is not None and event.ahead > ahead:
                broken.append(f"visitor {visitor} had {ahead} ahead, then {event.ahead}")
            place, ahead = event.place, event.ahead
    broken += [f"place {place} was given to {len(who)} visitors" for place, who in owners.items() if len(who) > 1]
    return broken


def wait_rises(trails: Mapping[int, Sequence[Event]]) -> Broken:
    """A shown wait never grows, neither number of it, unless the answer says why it may have.

    Args:
        trails: each visitor's events, in order.
    """
    broken = []
    for visitor, trail in trails.items():
        shown: tuple[float, float] | None = None
        for event in trail:
            if event.state not in IN_LINE or event.wait_p50_s is None or event.wait_p90_s is None:
                continue
            if shown and not event.wait_reason and (event.wait_p50_s > shown[0] or event.wait_p90_s > shown[1]):
                now = f"{event.wait_p50_s:g} to {event.wait_p90_s:g} s"
                broken.append(f"visitor {visitor} was shown {shown[0]:g} to {shown[1]:g} s, then {now}")
            shown = (event.wait_p50_s, event.wait_p90_s)
    return broken


def token_doubles(trails: Mapping[int, Sequence[Event]]) -> Broken:
    """One ticket, one token id: claims of one visitor agree, claims of two never do."""
    owners: dict[str, set[int]] = defaultdict(set)
    broken = []
    for visitor, trail in trails.items():
        ids = {event.token_id for event in answered(trail, "claim", 201)}
        if len(ids) > 1:
            broken.append(f"visitor {visitor} was given {len(ids)} different tokens")
        for token in ids:
            owners[token].add(visitor)
    return broken + [f"one token for {len(who)} visitors" for who in owners.values() if len(who) > 1]


def first_claims(trails: Mapping[int, Sequence[Event]]) -> list[Event]:
    """Return each admitted visitor's first token, in order of issue."""
    claims = [claims[0] for trail in trails.values() if (claims := answered(trail, "claim", 201))]
    return sorted(claims, key=lambda event: event.issued_at or 0)


def most_in_a_second(issued: Sequence[float]) -> int:
    """Return the largest number of times, in seconds, within any half-open window [t, t + 1)."""
    times = sorted(issued)
    return max((bisect_left(times, start + 1) - index for index, start in enumerate(times)), default=0)


def overshoot(issued: Sequence[float], rate_per_s: float, burst: int) -> float:
    """Return the most tokens in any one-second window as a share of what is allowed there; above 1 is broken."""
    return most_in_a_second(issued) / (rate_per_s + burst)


def missing_bookings(events: Iterable[Event], books: Books) -> Broken:
    """A 201 means committed: every appointment that a visitor was promised is in the database."""
    there = {booking.id for booking in books.bookings}
    promised = {event.appointment for event in events if event.what == "book" and event.status == 201}
    return [f"appointment {missing} was promised and is not there" for missing in sorted(promised - there)]


def unseen_bookings(events: Collection[Event], books: Books) -> Broken:
    """What our visitors' admissions booked, a visitor was told. Other people's bookings are not judged."""
    ours = {event.token_id for event in events if event.token_id}
    told = {event.appointment for event in events if event.appointment}
    return [
        f"appointment {booking.id} was booked and nobody was told"
        for booking in books.bookings
        if booking.admission in ours and booking.id not in told
    ]


def missing_decisions(events: Iterable[Event], books: Books) -> Broken:
    """Every decision that a visitor was given is in the database."""
    told = {event.decision for event in events if event.decision}
    return [f"decision {missing} was given and is not there" for missing in sorted(told - set(books.decisions))]


def replay_mismatches(events: Iterable[Event]) -> Broken:
    """The same Idempotency-Key never made two appointments."""
    made: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.what == "book" and event.status == 201:
            made[event.key].add(event.appointment)
    return [f"one key booked {len(ids)} appointments" for ids in made.values() if len(ids) > 1]


_EXPECTED = {
    "join": {200, 201},
    "standing": {200},
    "claim": {201},
    "exchange": {200},
    "evaluate": {200},
    "search": {200},
    "book": {201},
    "leave": {204},
}
_POLITE = {"paced", "not_called", "slot_gone", "key_in_flight"}
"""Refusals that belong to a busy day and that a visitor's program can act on."""


def errors(events: Iterable[Event]) -> Broken:
    """Answers that no visitor should get, and faults of the drill itself.

    A 503 that says when to come again is no error, and neither is a connection that broke: nothing is lost by them, the
    visitor tries again, and ``retried`` counts them.
    """
    broken = []
    for event in events:
        if event.what == "crash":
            broken.append(f"visitor {event.visitor}: {event.code}")
        elif not _is_expected(event) and not _was_put_off(event):
            broken.append(f"{event.what}: {event.status} {event.code}".rstrip())
    return broken


def retried(events: Iterable[Event]) -> Broken:
    """Requests that came to nothing for the moment, and were made again."""
    return [
        f"{event.what}: {event.status or 'no answer'} {event.code}".rstrip()
        for event in events
        if event.what in _EXPECTED and _was_put_off(event)
    ]


def _is_expected(event: Event) -> bool:
    return event.what not in _EXPECTED or event.status in _EXPECTED[event.what] or event.code in _POLITE


def _was_put_off(event: Event) -> bool:
    return event.status == 0 or (event.status == 503 and event.retry_after_s is not None)


def stranded(trails: Mapping[int, Sequence[Event]]) -> Broken:
    """Whoever stayed in line is booked in the end, as long as there is supply."""
    broken = []
    for visitor, trail in trails.items():
        outcome = next((event.code for event in trail if event.what == "end"), "nothing")
        if outcome not in {"booked", "left", "no_supply"}:
            broken.append(f"visitor {visitor} ended with {outcome}")
    return broken


def tokens_before(issued: Sequence[float], until: float) -> int:
    """Return how many of the sorted times are at or before ``until``."""
    return bisect_right(issued, until)


def _standings(events: Iterable[Event]) -> Iterable[Event]:
    return (event for event in events if event.what in {"join", "standing"} and event.place is not None)
