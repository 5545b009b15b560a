"""The rows of the origin that say how fast it decides."""

import subprocess
import sys
from pathlib import Path

import msgspec

from loadtest.bench.measure import Rate, paired
from loadtest.bench.origin_side import CONNECTIONS, OriginSide, Person
from loadtest.bench.rows import Figure, Table, ratio_to_database
from loadtest.bench.wrk import request

TABLE: Table[OriginSide] = Table()

_HERE = Path(__file__).parent
_ASKING = 2_000
_EVALUATE_AT_MOST_S = 120


class _Speed(msgspec.Struct):
    us: float
    first_us: float
    ruleset: str


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
    return ratio_to_database(paired(evaluate, insert, origin.config.pairs))


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
