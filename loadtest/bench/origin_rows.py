"""The rows of the origin."""

from itertools import cycle

from loadtest.bench.measure import paired
from loadtest.bench.origin_side import CONNECTIONS, OriginSide, Person
from loadtest.bench.rows import Figure, Table, ratio
from loadtest.bench.wrk import request

TABLE: Table[OriginSide] = Table()

_PEOPLE = 8_000


@TABLE.row("origin.book_ratio", ">=", 0.75)
def book_ratio(origin: OriginSide) -> Figure:
    """201s per second over 1,000 slots, with all checks, against a bare endpoint that runs one statement.

    Ours does the whole path: admission verified, identity from its cache, key, rules, slot, appointment, audit, outbox
    and the stored answer. The bare one writes slot, appointment, audit and outbox rows of the same tables and sizes,
    and reads the same JSON body. A run that has sent all its prepared requests ends early and counts what it took.
    """
    people = origin.people(_PEOPLE)
    ours = origin.wrk.prepare("book", _bookings(origin, people))
    bare = origin.wrk.prepare("book-bare", _bare_bookings(origin, people))

    def book(url: str, prepared_for_ours: bool) -> float:
        origin.reset()
        load = origin.wrk.run(
            url,
            ours if prepared_for_ours else bare,
            seconds=origin.config.seconds,
            connections=CONNECTIONS,
            mode="once",
        )
        return load.rate(201)

    def ours_once() -> float:
        return book(origin.origin_url, True)

    def bare_once() -> float:
        return book(origin.bare_url, False)

    bare_once()
    ours_once()
    return ratio(paired(ours_once, bare_once, origin.config.pairs))


def _bookings(origin: OriginSide, people: list[Person]) -> list[bytes]:
    url = f"{origin.origin_url}/v1/appointments"
    return [
        request(
            "POST",
            url,
            person.headers() | {"Idempotency-Key": f"bench-{number:08d}"},
            {"slot_id": slot, "decision_ref": person.decision},
        )
        for number, (person, slot) in enumerate(zip(people, cycle(origin.slots["bench"]), strict=False))
    ]


def _bare_bookings(origin: OriginSide, people: list[Person]) -> list[bytes]:
    url = f"{origin.bare_url}/book"
    return [
        request("POST", url, None, {"slot_id": slot, "decision_ref": person.decision})
        for person, slot in zip(people, cycle(origin.slots["bench-bare"]), strict=False)
    ]
