"""The rows of the origin."""

import subprocess
import sys
from itertools import cycle
from pathlib import Path

import msgspec

from loadtest.bench.measure import Rate, paired
from loadtest.bench.origin_side import CONNECTIONS, OriginSide, Person
from loadtest.bench.rows import Figure, Table, ratio
from loadtest.bench.servers import Server
from loadtest.bench.wrk import request
from loadtest.stats import median

TABLE: Table[OriginSide] = Table()

_HERE = Path(__file__).parent
_PEOPLE = 8_000
_ASKING = 2_000
_EVALUATE_AT_MOST_S = 120


class _Speed(msgspec.Struct):
    us: float
    first_us: float
    ruleset: str


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

    def book(server: Server, requests: Path) -> Rate:
        origin.reset()
        seconds = origin.config.seconds
        return origin.wrk.rate(server, requests, 201, seconds=seconds, connections=CONNECTIONS, mode="once")

    def ours_once() -> Rate:
        return book(origin.origin, ours)

    def bare_once() -> Rate:
        return book(origin.bare, bare)

    bare_once()
    ours_once()
    return ratio(paired(ours_once, bare_once, origin.config.pairs))


@TABLE.row("origin.evaluate_us", "<=", 10)
def evaluate_us(origin: OriginSide) -> Figure:
    """One evaluation in µs with its full explanation, of the shipped ruleset that takes longest, in its own process.

    The mean over ten thousand different people, once every way that comparisons come out has been met; the note has the
    first meeting too.
    """
    command = origin.cores.on_server([sys.executable, "-m", "origin.eligibility.speed"])
    done = subprocess.run(command, capture_output=True, check=True, timeout=_EVALUATE_AT_MOST_S)
    told = msgspec.json.decode(done.stdout, type=_Speed)
    return Figure(told.us, f"{told.ruleset}; the first meeting {told.first_us:,.0f} µs")


@TABLE.row("origin.evaluate_ratio", ">=", 0.40)
def evaluate_ratio(origin: OriginSide) -> Figure:
    """Evaluations per second over HTTP against decision and audit rows per second by pgbench, same connections.

    Ours does the whole path: admission verified, identity from its cache, the rules, facts sealed and hashed, decision
    and audit row on disk, and the full explanation sent. pgbench inserts rows of the same sizes into the same tables,
    one pair a commit. People are of many ages; each comes several times.
    """
    ours = origin.wrk.prepare("evaluate", _questions(origin, origin.people(_ASKING)))
    stored = origin.psql.read(_HERE / "decided.sql", dict[str, str])
    seconds = origin.config.seconds

    def evaluate() -> Rate:
        return origin.wrk.rate(origin.origin, ours, 200, seconds=seconds, connections=CONNECTIONS)

    def insert() -> Rate:
        per_s = origin.pgbench.rate(_HERE / "decide.sql", stored, seconds=seconds, connections=CONNECTIONS)
        return Rate(per_s, per_s)

    insert()
    evaluate()
    pair = paired(evaluate, insert, origin.config.pairs)
    best = max(rate.per_s for rate in pair.ours), max(rate.per_s for rate in pair.base)
    note = (
        f"{min(pair.ratios):.2f} to {max(pair.ratios):.2f}; at best {best[0]:,.0f}/s against {best[1]:,.0f}/s; "
        f"{1e6 / median([rate.per_cpu_s for rate in pair.ours]):.0f} µs of CPU time each"
    )
    return Figure(pair.ratio, note, pair.probes)


def _questions(origin: OriginSide, people: list[Person]) -> list[bytes]:
    url = f"{origin.origin.url}/v1/eligibility:evaluate"
    return [
        request(
            "POST",
            url,
            person.headers(),
            {"facts": {**origin.config.facts, "birth_date": f"{1930 + number % 75}-{1 + number % 12:02}-17"}},
        )
        for number, person in enumerate(people)
    ]


def _bookings(origin: OriginSide, people: list[Person]) -> list[bytes]:
    url = f"{origin.origin.url}/v1/appointments"
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
    url = f"{origin.bare.url}/book"
    return [
        request("POST", url, None, {"slot_id": slot, "decision_ref": person.decision})
        for person, slot in zip(people, cycle(origin.slots["bench-bare"]), strict=False)
    ]
