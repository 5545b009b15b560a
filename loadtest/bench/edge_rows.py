"""The rows of the edge."""

import time
from contextlib import closing
from itertools import islice
from random import Random

import httpx
import msgspec

from loadtest.bench import client
from loadtest.bench.edge_side import CONNECTIONS, EdgeSide
from loadtest.bench.machine import BenchError
from loadtest.bench.measure import Rate
from loadtest.bench.rows import Figure, Table, ratio
from loadtest.bench.wrk import read_answers, request
from loadtest.drill.answers import Answer, facts_of
from loadtest.drill.invariants import most_in_a_second
from shared.keys import KeyRing
from shared.signing import Sealer

TABLE: Table[EdgeSide] = Table()

_TICKETS = 4_000
_CLAIMS_PER_S = 12_000
_PLACES = 10_000_000
_SAMPLE = 20_000
_PACE_S = 10


@TABLE.row("edge.join_ratio", ">=", 0.70)
def join_ratio(edge: EdgeSide) -> Figure:
    """Joins of new visitors, each with a place and a signed ticket from the store, against the bare handler."""
    return ratio(edge.against_bare("join", [request("POST", f"{edge.room('bench-join')}/tickets")], 201))


@TABLE.row("edge.standing_ratio", ">=", 0.70)
def standing_ratio(edge: EdgeSide) -> Figure:
    """Standings of 4,000 waiting visitors in turn, each ticket verified and its place looked up in the store."""
    url = f"{edge.room('bench-standing')}/tickets/me"
    asked = [request("GET", url, _ticket(ticket)) for ticket in edge.tickets("bench-standing", _TICKETS)]
    return ratio(edge.against_bare("standing", asked, 200))


@TABLE.row("edge.status_ratio", ">=", 0.90)
def status_ratio(edge: EdgeSide) -> Figure:
    """The public status of a room with people in it, out of the edge's memory."""
    return ratio(edge.against_bare("status", [request("GET", edge.room("bench-standing"))], 200))


@TABLE.row("edge.claim_ratio", ">=", 0.35)
def claim_ratio(edge: EdgeSide) -> Figure:
    """First claims of called visitors, each admitted and given its token; the rate is out of the way.

    Each run claims tickets that nobody has claimed; should a run need more, it ends early and counts what it took.
    """
    url = f"{edge.room('bench-claim')}/admissions"
    runs = edge.config.pairs + 1
    each = round(_CLAIMS_PER_S * edge.config.seconds)
    tickets = edge.tickets("bench-claim", runs * each)
    edge.wait_until_called("bench-claim", len(tickets))
    asked = (request("POST", url, _ticket(ticket)) for ticket in tickets)
    files = iter([edge.wrk.prepare(f"claim-{run}", islice(asked, each)) for run in range(runs)])

    def ours() -> Rate:
        return edge.rate(edge.edge, next(files), 201, "once")

    return ratio(edge.in_pairs(ours))


@TABLE.row("edge.page_ratio", ">=", 0.70)
def page_ratio(edge: EdgeSide) -> Figure | None:
    """The waiting page of 4,000 waiting visitors in turn, with their place on it."""
    url = f"{edge.edge_url}/rooms/bench-standing"
    if httpx.get(url).status_code != 200:
        return None
    cookies = [
        {"Cookie": f"vestibule_ticket_bench-standing={ticket}"} for ticket in edge.tickets("bench-standing", _TICKETS)
    ]
    return ratio(edge.against_bare("page", [request("GET", url, cookie) for cookie in cookies], 200))


@TABLE.row("edge.bytes_per_waiting", "<=", 0.5)
def bytes_per_waiting(edge: EdgeSide) -> Figure:
    """Store memory that ten million places add, half of them called, the highest of these and a sample admitted.

    The line is made long by a genuine ticket of its last place, as after a loss of the store: joining ten million times
    takes a quarter of an hour. What is stored of a visitor is a bit by place, so the memory is that of the highest
    place that answered and was admitted, which here is the last one called.
    """
    room = "bench-memory"
    before = edge.valkey.used_memory()
    url, called = edge.room(room), _PLACES // 2
    sealed = _places(edge, room, [_PLACES])
    client.send_all(edge.edge_url, [request("GET", f"{url}/tickets/me", _ticket(sealed[0]))])
    edge.wait_until_called(room, called, timeout_s=120)
    highest = int(httpx.get(url).json()["called"])
    places = [*Random(1).sample(range(1, highest), _SAMPLE), min(highest, called)]
    claims = [request("POST", f"{url}/admissions", _ticket(ticket)) for ticket in _places(edge, room, places)]
    statuses = {status for status, _ in client.send_all(edge.edge_url, claims)}
    if statuses - {201, 429}:
        raise BenchError(f"claims in {room} were answered with {sorted(statuses)}")
    time.sleep(0.5)
    seen = httpx.get(url).json()
    added = edge.valkey.used_memory() - before
    note = f"{seen['joined']:,} joined, {seen['called']:,} called, {seen['admitted']:,} admitted: {added:,} bytes"
    return Figure(added / _PLACES, note)


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
        prepared = edge.wrk.prepare("pace", [request("POST", url, _ticket(ticket)) for ticket in tickets])
        answers = edge.work_dir / "pace.answers"
        edge.wrk.run(edge.edge_url, prepared, seconds=_PACE_S, connections=CONNECTIONS, answers=answers)
    issued: dict[str, float] = {}
    for status, body in read_answers(answers):
        if status == 201:
            seen = facts_of("claim", Answer(status, msgspec.json.decode(body)))
            issued.setdefault(seen["token_id"], seen["issued_at"])
    most = most_in_a_second(list(issued.values()))
    return Figure(most / 220, f"{most} of 220; {len(issued):,} tokens in {_PACE_S} s at 200/s")


def _ticket(ticket: str) -> dict[str, str]:
    return {"Authorization": f"Ticket {ticket}"}


class _Ticket(msgspec.Struct):
    """A ticket's payload, in the edge's order."""

    v: int
    kid: str
    room: str
    epoch: int
    place: int
    id: str
    iat: int


def _places(edge: EdgeSide, room: str, places: list[int]) -> list[str]:
    """Return genuine tickets of these places, signed with the edge's own key."""
    ring = KeyRing.load(edge.ticket_keys)
    sealer = Sealer(_Ticket, ring, "ticket")
    return [sealer.seal(_Ticket(1, ring.current, room, 1, place, f"bench-place-{place:012d}", 0)) for place in places]
