"""The rows of the origin that say how fast it books, and how fast it refuses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from loadtest.bench.measure import Paired, Rate, paired
from loadtest.bench.origin_side import CONNECTIONS, OriginSide, Person
from loadtest.bench.rows import Figure, Table, ratio, ratio_to_database
from loadtest.bench.servers import Server
from loadtest.bench.wrk import request

TABLE: Table[OriginSide] = Table()

_HERE = Path(__file__).parent
_HERD = 64  # connections
_FEW_PAIRS = 5


@TABLE.row("origin.book_ratio", ">=", 0.75)
def book_ratio(origin: OriginSide) -> Figure:
    """201s per second over 1,000 slots, with all checks, against a bare endpoint that runs one statement.

    Ours does the whole path: admission verified, identity from its cache, key, rules, slot, appointment, audit, outbox
    and the stored answer. The bare one writes slot, appointment, audit and outbox rows of the same tables and sizes,
    and reads the same JSON body. A run that has sent all its prepared requests ends early and counts what it took.
    """
    people = origin.bookers
    ours = origin.wrk.prepare("book", _bookings(origin, people, origin.slots["bench"]))
    bare = origin.wrk.prepare("book-bare", _bare_bookings(origin, people))
    return ratio(
        _in_pairs(
            lambda: _book(origin, origin.origin, ours), lambda: _book(origin, origin.bare, bare), origin.config.pairs
        )
    )


@TABLE.row("origin.book_pg_ratio", ">=", 0.35)
def book_pg_ratio(origin: OriginSide) -> Figure:
    """The same 201s per second against the database by itself, running the bare endpoint's statement by pgbench."""
    return _against_pgbench(origin, "book-pg", origin.slots["bench"], origin.slots["bench-bare"])


@TABLE.row("origin.hot_ratio", ">=", 1.5)
def hot_ratio(origin: OriginSide) -> Figure:
    """201s per second on one slot that everybody wants, against pgbench with the same statement on one slot."""
    return _against_pgbench(origin, "hot", origin.slots["bench"][:1], origin.slots["bench-bare"][:1])


@TABLE.row("origin.refuse_ratio", ">=", 0.40)
def refuse_ratio(origin: OriginSide) -> Figure:
    """409s per second on a sold-out slot, each with its alternatives, against a bare JSON handler, 64 connections.

    Everybody asks once for each key, as a herd does; what is refused stays the answer to its key. Refusals share their
    trips to the database, so it matters how many come at once; the note has the ratio at the other rows' 16.
    """
    people = origin.bookers
    wanted = origin.wrk.prepare("refuse", _bookings(origin, people, origin.slots["bench"][:1]))
    bare = origin.wrk.prepare("refuse-bare", [request("GET", f"{origin.json.url}/bare")])
    seconds = origin.config.seconds

    def measured(connections: int, pairs: int) -> Paired:
        def ours() -> Rate:
            origin.reset()
            origin.sell_out(origin.slots["bench"][0])
            return origin.wrk.rate(origin.origin, wanted, 409, seconds=seconds, connections=connections, mode="once")

        def base() -> Rate:
            return origin.wrk.rate(origin.json, bare, 200, seconds=seconds, connections=connections)

        return _in_pairs(ours, base, pairs)

    few = measured(CONNECTIONS, _FEW_PAIRS)
    figure = ratio(measured(_HERD, origin.config.pairs))
    return replace(figure, note=f"{figure.note}; with {CONNECTIONS} connections {few.ratio:.2f}")


def _against_pgbench(origin: OriginSide, name: str, slots: Sequence[int], bare: Sequence[int]) -> Figure:
    people = origin.bookers
    ours = origin.wrk.prepare(name, _bookings(origin, people, slots))
    variables = {"first": str(bare[0]), "last": str(bare[-1]), "decision": people[0].decision}

    def insert() -> Rate:
        origin.reset()
        seconds = origin.config.seconds
        per_s = origin.pgbench.rate(_HERE / "book.sql", variables, seconds=seconds, connections=CONNECTIONS)
        return Rate(per_s, per_s)

    return ratio_to_database(_in_pairs(lambda: _book(origin, origin.origin, ours), insert, origin.config.pairs))


def _in_pairs(ours: Callable[[], Rate], base: Callable[[], Rate], pairs: int) -> Paired:
    """Measure, once both are warm."""
    base()
    ours()
    return paired(ours, base, pairs)


def _book(origin: OriginSide, server: Server, requests: Path) -> Rate:
    origin.reset()
    seconds = origin.config.seconds
    return origin.wrk.rate(server, requests, 201, seconds=seconds, connections=CONNECTIONS, mode="once")


def _bookings(origin: OriginSide, people: list[Person], slots: Sequence[int]) -> list[bytes]:
    url = f"{origin.origin.url}/v1/appointments"
    return [
        request(
            "POST",
            url,
            person.headers() | {"Idempotency-Key": f"bench-{number:08d}"},
            {"slot_id": slot, "decision_ref": person.decision},
        )
        for number, (person, slot) in enumerate(zip(people, cycle(slots), strict=False))
    ]


def _bare_bookings(origin: OriginSide, people: list[Person]) -> list[bytes]:
    url = f"{origin.bare.url}/book"
    return [
        request("POST", url, None, {"slot_id": slot, "decision_ref": person.decision})
        for person, slot in zip(people, cycle(origin.slots["bench-bare"]), strict=False)
    ]
