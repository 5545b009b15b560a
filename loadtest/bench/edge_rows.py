"""The rows of the edge that say how fast it answers, against a bare handler."""

from itertools import islice

import httpx

from loadtest.bench.edge_side import EdgeSide
from loadtest.bench.measure import Rate
from loadtest.bench.places import authorized
from loadtest.bench.rows import Figure, Table, ratio
from loadtest.bench.wrk import request

TABLE: Table[EdgeSide] = Table()

_TICKETS = 4_000
_FEW_PAIRS = 5
_CLAIMS_PER_S = 12_000


@TABLE.row("edge.server_ratio")
def server_ratio(edge: EdgeSide) -> Figure:
    """The bare handler served as edge and origin are, against the same under uvicorn as it comes."""
    with edge.bare_served_as_ours() as server:
        prepared = edge.wrk.prepare("bare-ours", [request("GET", f"{server.url}/bare")])
        return ratio(edge.in_pairs(lambda: edge.rate(server, prepared, 200), _FEW_PAIRS))


@TABLE.row("edge.join_ratio", ">=", 0.70)
def join_ratio(edge: EdgeSide) -> Figure:
    """Joins of new visitors, each with a place and a signed ticket from the store, against the bare handler."""
    return ratio(edge.against_bare("join", [request("POST", f"{edge.room('bench-join')}/tickets")], 201))


@TABLE.row("edge.standing_ratio", ">=", 0.70)
def standing_ratio(edge: EdgeSide) -> Figure:
    """Standings of 4,000 waiting visitors in turn, each ticket verified and its place looked up in the store."""
    url = f"{edge.room('bench-standing')}/tickets/me"
    asked = [request("GET", url, authorized(ticket)) for ticket in edge.tickets("bench-standing", _TICKETS)]
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
    asked = (request("POST", url, authorized(ticket)) for ticket in tickets)
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
