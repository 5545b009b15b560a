"""The rows of the edge that say how well it keeps a line: at which size, at which cost, how exactly."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from random import Random
from typing import NamedTuple

import httpx
import msgspec

from loadtest.bench import client
from loadtest.bench.crowd import Crowd
from loadtest.bench.edge_side import CONNECTIONS, MOST, NOBODY_CALLED, UNLIMITED, EdgeSide
from loadtest.bench.machine import BenchError
from loadtest.bench.measure import Paired, Rate, paired
from loadtest.bench.places import authorized
from loadtest.bench.rows import Figure, Table
from loadtest.bench.wrk import read_answers, request
from loadtest.drill.answers import Answer, facts_of
from loadtest.drill.invariants import most_in_a_second
from loadtest.stats import median

TABLE: Table[EdgeSide] = Table()

_PLACES = 10_000_000
_FEW = 1_000
_PAIRS = 15
_SAMPLE = 20_000
_PACE_S = 10
_CROWD_RATE, _NO_SHOW, _LEARN_S, _MEASURED_S = 50, 0.3, 60.0, 60.0


class _Run(NamedTuple):
    """What is asked of a room in one go."""

    room: str
    requests: Sequence[bytes]


@TABLE.row("edge.bytes_per_waiting", "<=", 0.5)
def bytes_per_waiting(edge: EdgeSide) -> Figure:
    """Store memory that ten million places add, half of them called, the highest of these and a sample admitted.

    The line is made long by a genuine ticket of its last place. What is stored of a visitor is a bit by place, so the
    memory is that of the highest place that answered and was admitted, which here is the last one called.
    """
    room = "bench-memory"
    before = edge.valkey.used_memory()
    url, called, tickets = edge.room(room), _PLACES // 2, edge.places(room)
    edge.lengthen(room, _PLACES)
    edge.wait_until_called(room, called, timeout_s=120)
    highest = int(httpx.get(url).json()["called"])
    places = [*Random(1).sample(range(1, highest), _SAMPLE), min(highest, called)]
    claims = [tickets.claiming(url, place) for place in places]
    statuses = {status for status, _ in client.send_all(edge.edge_url, claims)}
    if statuses - {201, 429}:
        raise BenchError(f"claims in {room} were answered with {sorted(statuses)}")
    time.sleep(0.5)
    seen = httpx.get(url).json()
    added = edge.valkey.used_memory() - before
    note = f"{seen['joined']:,} joined, {seen['called']:,} called, {seen['admitted']:,} admitted: {added:,} bytes"
    return Figure(added / _PLACES, note)


@TABLE.row("edge.join_growth", "<=", 1.1)
def join_growth(edge: EdgeSide) -> Figure:
    """What a join costs behind ten million waiting places ÷ what it costs behind a thousand; see ``_growth``.

    Each run takes a thousand places, the short runs in a room of their own each, so that its line stays that short.
    """
    short, long = [f"bench-short-{run}" for run in range(_PAIRS + 1)], "bench-long"
    with edge.beside(dict.fromkeys([*short, long], NOBODY_CALLED)) as beside:
        for room, places in [(long, _PLACES), *((room, _FEW) for room in short)]:
            beside.lengthen(room, places)

        def joins(room: str) -> _Run:
            return _Run(room, [request("POST", f"{beside.room(room)}/tickets")] * _FEW)

        return _growth(beside, [joins(room) for room in short], [joins(long)] * len(short))


@TABLE.row("edge.claim_growth", "<=", 1.1)
def claim_growth(edge: EdgeSide) -> Figure:
    """What a first claim costs among ten million places ÷ what it costs among a thousand; see ``_growth``.

    Each run claims a thousand called places: all of a short line, or a sample of the long line's called half. Tokens
    are there, out of buckets that have been filled before; then the rooms run at 50/s, as a real one does.
    """
    short, long = [f"bench-few-{run}" for run in range(_PAIRS + 1)], "bench-memory"
    sample = Random(2).sample(range(1, _PLACES // 2), _FEW * len(short))
    with edge.beside(dict.fromkeys([*short, long], UNLIMITED)) as beside:
        for room, places, called in [(long, _PLACES, _PLACES // 2), *((room, _FEW, _FEW) for room in short)]:
            beside.lengthen(room, places)
            beside.wait_until_called(room, called, timeout_s=120)
        time.sleep(1.0)  # buckets are full
        for room in [*short, long]:
            with closing(beside.operator(room)) as operator:
                operator.change(50, MOST, "bench")

        def claims(room: str, places: Sequence[int]) -> _Run:
            tickets, url = beside.places(room), beside.room(room)
            return _Run(room, [tickets.claiming(url, place) for place in places])

        few = Random(3).sample(range(1, _FEW + 1), _FEW)
        many = [sample[start : start + _FEW] for start in range(0, len(sample), _FEW)]
        return _growth(beside, [claims(room, few) for room in short], [claims(long, places) for places in many])


@TABLE.row("edge.rate_error", "<=", 0.02)
def rate_error(edge: EdgeSide) -> Figure:
    """abs(tokens − rate · time) ÷ (rate · time) in the second minute, while three in ten of the called never come.

    The others claim between 0.1 and 5 s after their call, in a room at 50/s with a call window of 10 s. The first
    minute is not counted: until then the call meter learns how many stay away. Tokens count when they arrive.
    """
    room = "bench-crowd"
    edge.lengthen(room, round(4 * _CROWD_RATE * (_LEARN_S + _MEASURED_S)))
    crowd = Crowd(edge.room(room), edge.places(room).ticket, _NO_SHOW, Random(1))
    tokens = asyncio.run(crowd.hold(_LEARN_S + _MEASURED_S))
    issued, wanted = sum(moment >= _LEARN_S for moment in tokens), _CROWD_RATE * _MEASURED_S
    note = f"{issued:,} tokens of {wanted:,.0f}; {len(tokens) - issued:,} in the first minute"
    return Figure(abs(issued - wanted) / wanted, note)


@TABLE.row("edge.overshoot", "<=", 1.0)
def overshoot(edge: EdgeSide) -> Figure:
    """Tokens in the busiest second ÷ (rate + burst), while everybody claims as fast as they can, after idling for 3 s.

    Seconds are those of the store's clock, to which a token's time of issue is rounded down.
    """
    room = "bench-pace"
    with closing(edge.operator(room)) as operator, operator.drill(200, 20):
        tickets = edge.tickets(room, 4_000)
        Random(1).shuffle(tickets)
        time.sleep(3)  # an idle room banks nothing beyond its burst
        url = f"{edge.room(room)}/admissions"
        prepared = edge.wrk.prepare("pace", [request("POST", url, authorized(ticket)) for ticket in tickets])
        answers = edge.work_dir / "pace.answers"
        edge.wrk.run(edge.edge_url, prepared, seconds=_PACE_S, connections=CONNECTIONS, answers=answers)
    issued: dict[str, float] = {}
    for status, body in read_answers(answers):
        if status == 201:
            seen = facts_of("claim", Answer(status, msgspec.json.decode(body)))
            issued.setdefault(seen["token_id"], seen["issued_at"])
    most = most_in_a_second(list(issued.values()))
    return Figure(most / 220, f"{most} of 220; {len(issued):,} tokens in {_PACE_S} s at 200/s")


def _growth(edge: EdgeSide, short: Sequence[_Run], long: Sequence[_Run]) -> Figure:
    """Measure the same request on short and on long lines in turn, a thousand of it each time.

    The figure is the worse of two medians of cost per answer: CPU time of the edge, and time in the room's scripts.
    Answers per second are only noted: so short a run tells more about the client. The first pair is thrown away.
    """
    runs = iter([run for pair in zip(short, long, strict=True) for run in pair])

    def measure() -> Rate:
        return _burst(edge, next(runs))

    with edge.valkey.logging():
        for _ in range(2):
            measure()
        pair = paired(measure, measure, len(short) - 1)
    return Figure(max(pair.cpu_ratio, pair.store_ratio), _costs(pair), pair.probes)


def _burst(edge: EdgeSide, run: _Run) -> Rate:
    edge.valkey.scripts_s(run.room)
    cpu, started = edge.edge.cpu_s(), time.perf_counter()
    answers = client.send_all(edge.edge_url, run.requests)
    took, cpu = time.perf_counter() - started, edge.edge.cpu_s() - cpu
    wrong = [answer for answer in answers if answer[0] != 201]
    if wrong:
        raise BenchError(f"expected 201, got {wrong[0][0]} {wrong[0][1][:200]!r}")
    count = len(answers)
    return Rate(count / took, count / cpu, count / edge.valkey.scripts_s(run.room))


def _costs(pair: Paired) -> str:
    cpu, store = (
        [1e6 * median([1 / getattr(rate, name) for rate in side]) for side in (pair.ours, pair.base)]
        for name in ("per_cpu_s", "per_store_s")
    )
    return (
        f"edge's CPU {pair.cpu_ratio:.2f} ({cpu[0]:.0f} to {cpu[1]:.0f} µs), "
        f"store's scripts {pair.store_ratio:.2f} ({store[0]:.1f} to {store[1]:.1f} µs), by the clock {pair.ratio:.2f}"
    )
