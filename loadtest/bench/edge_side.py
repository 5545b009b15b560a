"""The edge under measurement, next to a bare Starlette handler, each a single process on the server's core.

What is warm: connections are kept alive, interpreters and the store's scripts are warmed up before the first pair,
tickets are verified anew with each request (the edge keeps no cache of them). wrk has 32 connections on one thread.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import httpx
import msgspec

from loadtest.bench import client
from loadtest.bench.config import BenchConfig
from loadtest.bench.machine import BenchError, Cores
from loadtest.bench.measure import Paired, Rate, paired
from loadtest.bench.places import Places
from loadtest.bench.servers import Server, bare_command, free_port, serving
from loadtest.bench.valkey import Valkey
from loadtest.bench.wrk import Wrk, request
from loadtest.drill.room import Operator

CONNECTIONS = 32
MOST = 100_000  # the edge's upper limit for rate and burst: out of the way
_UNREACHED = 10_000_000  # requests per minute from one address: counted as ever, and never refused


@dataclass(frozen=True)
class Meter:
    """How a room lets people through: tokens per second, tokens at once, seconds that the called have to answer."""

    rate_per_s: float
    burst: int
    window_s: int = 2


NOBODY_CALLED = Meter(0.01, 1)
UNLIMITED = Meter(MOST, MOST)
_ROOMS = {
    "bench-join": Meter(50, 10),
    "bench-standing": NOBODY_CALLED,
    "bench-claim": UNLIMITED,
    "bench-memory": UNLIMITED,
    "bench-pace": Meter(200, 20),
    "bench-crowd": Meter(50, 25, window_s=10),
}


class _Joined(msgspec.Struct):
    ticket: str
    place: int


@dataclass(frozen=True)
class EdgeSide:
    """What the edge's rows need."""

    config: BenchConfig
    cores: Cores
    edge: Server
    bare: Server
    wrk: Wrk
    valkey: Valkey
    work_dir: Path

    def places(self, room: str) -> Places:
        """Return the tickets of any place of a room, signed with the edge's own key."""
        return Places(Path(self.config.edge.env["VESTIBULE_TICKET_KEYS_FILE"]), room)

    def lengthen(self, room: str, places: int) -> None:
        """Make a line as long as ``places`` by a genuine ticket of its last place, as after a loss of the store.

        Joining ten million times takes a quarter of an hour.
        """
        status, body = client.send_all(self.edge_url, [self.places(room).asking(self.room(room), places)])[0]
        if status != 200:
            raise BenchError(f"cannot lengthen {room}: {status} {body[:200]!r}")

    @contextmanager
    def beside(self, rooms: Mapping[str, Meter]) -> Iterator["EdgeSide"]:
        """Run a further edge on the same store, with these rooms and no others."""
        with _an_edge(self.config, self.cores, "edge-beside", rooms) as edge:
            yield replace(self, edge=edge)

    def bare_served_as_ours(self) -> AbstractContextManager[Server]:
        """Run the bare handler under the protocol of edge and origin."""
        return _a_bare_one(self.config, self.cores, "ours")

    @property
    def edge_url(self) -> str:
        """The edge's address."""
        return self.edge.url

    def room(self, name: str) -> str:
        """Return the address of a room's API."""
        return f"{self.edge_url}/v1/rooms/{name}"

    def tickets(self, room: str, count: int) -> list[str]:
        """Join ``count`` times over HTTP; return the tickets in the order of their places."""
        join = request("POST", f"{self.room(room)}/tickets")
        answers = client.send_all(self.edge_url, [join] * count)
        refused = [(status, body) for status, body in answers if status != 201]
        if refused:
            raise BenchError(f"cannot join {room}: {refused[0][0]} {refused[0][1][:200]!r}")
        joined = [msgspec.json.decode(body, type=_Joined) for _, body in answers]
        return [one.ticket for one in sorted(joined, key=lambda one: one.place)]

    def against_bare(self, name: str, requests: Sequence[bytes], status: int) -> Paired:
        """Measure prepared requests, sent over and over, against the bare handler."""
        prepared = self.wrk.prepare(name, requests)
        return self.in_pairs(lambda: self.rate(self.edge, prepared, status))

    def rate(self, server: Server, prepared: Path, status: int, mode: Literal["loop", "once"] = "loop") -> Rate:
        """Return how many answers with ``status`` a server gives."""
        seconds = self.config.seconds
        return self.wrk.rate(server, prepared, status, seconds=seconds, connections=CONNECTIONS, mode=mode)

    def in_pairs(self, ours: Callable[[], Rate], pairs: int | None = None) -> Paired:
        """Pair our measurement with the bare handler's; a first, warming run of each is thrown away."""
        prepared = self.wrk.prepare("bare", [request("GET", f"{self.bare.url}/bare")])

        def base() -> Rate:
            return self.rate(self.bare, prepared, 200)

        base()
        ours()
        return paired(ours, base, pairs or self.config.pairs)

    def operator(self, room: str) -> Operator:
        """Return the operator's side of a room."""
        return Operator(self.edge_url, room, self.config.operator_token)

    def wait_until_called(self, room: str, called: int, timeout_s: float = 60) -> None:
        """Wait until the room has called that many.

        Raises:
            BenchError: it does not in time.
        """
        deadline = time.monotonic() + timeout_s
        while httpx.get(self.room(room)).json()["called"] < called:
            if time.monotonic() > deadline:
                raise BenchError(f"{room} has not called {called:,} within {timeout_s:.0f} s")
            time.sleep(0.1)


@contextmanager
def edge_side(config: BenchConfig, cores: Cores) -> Iterator[EdgeSide]:
    """Start the edge with rooms of its own, and the bare handler; at the end nothing is left of the rooms."""
    with closing(Valkey(config.redis_url)) as valkey:
        valkey.forget("*bench-*")
        try:
            with _an_edge(config, cores, "edge", _ROOMS) as edge, _a_bare_one(config, cores) as bare:
                yield EdgeSide(config, cores, edge, bare, Wrk(cores, config.work_dir), valkey, config.work_dir)
        finally:
            valkey.forget("*bench-*")


@contextmanager
def _an_edge(config: BenchConfig, cores: Cores, name: str, rooms: Mapping[str, Meter]) -> Iterator[Server]:
    port, rooms_file = free_port(), config.work_dir / f"{name}.json"
    rooms_file.write_text(json.dumps({"rooms": [_plan(room, meter) for room, meter in rooms.items()]}))
    env = {
        **config.edge.env,
        "VESTIBULE_EDGE_PORT": str(port),
        "VESTIBULE_EDGE_HOST": "127.0.0.1",
        "VESTIBULE_ROOMS_FILE": str(rooms_file.resolve()),
    }
    with serving(name, config.edge.command, env, port, cores, config.work_dir, "/readyz") as server:
        yield server


@contextmanager
def _a_bare_one(config: BenchConfig, cores: Cores, *options: str) -> Iterator[Server]:
    port, name = free_port(), "-".join(["bare", *options])
    command = bare_command("bare", port, *options)
    with serving(name, command, config.edge.env, port, cores, config.work_dir, "/bare") as server:
        yield server


def _plan(name: str, meter: Meter) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "rate_per_s": meter.rate_per_s,
        "burst": meter.burst,
        "enter_url": "http://127.0.0.1/enter",
        "token_ttl_s": 900,
        "call_window_s": meter.window_s,
        "state": "open",
        "limits": {"joins": _UNREACHED, "acts": _UNREACHED},
    }
