"""The origin under measurement, next to a bare endpoint on the same database, each one process on the server's core.

What is warm: connections are kept alive; everybody has been evaluated over HTTP before, as real visitors are, so that
their bearer tokens have been seen once. Each run books for the same people under the same keys; between runs what was
booked is taken away again, keys included, and the tables are vacuumed. wrk has 16 connections on one thread.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from loadtest.bench import client
from loadtest.bench.config import BenchConfig
from loadtest.bench.machine import BenchError, Cores
from loadtest.bench.pgbench import Pgbench
from loadtest.bench.servers import Server, bare_command, free_port, serving
from loadtest.bench.wrk import Wrk, request
from loadtest.psql import Psql
from shared.keys import KeyRing
from shared.token import AdmissionTokens

CONNECTIONS = 16
SLOTS = 1_000
_CAPACITY = 1_000_000
_PRODUCT = "140"
_TOKEN_TTL_S = 6 * 3600
_BOOKERS = 8_000
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Person:
    """Somebody ready to book: admitted, signed in, found eligible."""

    bearer: str
    admission: str
    decision: str

    def headers(self) -> dict[str, str]:
        """Return what every request of theirs carries."""
        return {"Authorization": f"Bearer {self.bearer}", "Admission-Token": self.admission}


class _Decision(msgspec.Struct):
    decision_ref: str
    outcome: str


@dataclass(frozen=True)
class OriginSide:
    """What the origin's rows need. ``slots``: the slots of each programme."""

    config: BenchConfig
    origin: Server
    bare: Server
    json: Server
    wrk: Wrk
    psql: Psql
    pgbench: Pgbench
    slots: Mapping[str, Sequence[int]]
    cores: Cores

    @cached_property
    def bookers(self) -> list[Person]:
        """The same people for every row that books: what they have booked is taken away again between runs."""
        return self.people(_BOOKERS)

    def people(self, count: int) -> list[Person]:
        """Make people, and have the origin evaluate them over HTTP."""
        tokens = AdmissionTokens(KeyRing.load(self.config.admission_keys))
        now = int(time.time())
        name = f"bench-{now}"
        waiting = [
            Person(
                self.config.mint(f"{name}-{number}"),
                tokens.issue(room="bench", ticket_id=f"{name}-{number}", iat=now, ttl_s=_TOKEN_TTL_S),
                "",
            )
            for number in range(count)
        ]
        url = f"{self.origin.url}/v1/eligibility:evaluate"
        asked = [request("POST", url, one.headers(), {"facts": dict(self.config.facts)}) for one in waiting]
        answers = client.send_all(self.origin.url, asked)
        return [
            Person(one.bearer, one.admission, _eligible(*answer)) for one, answer in zip(waiting, answers, strict=True)
        ]

    def reset(self) -> None:
        """Take away what was booked."""
        self.psql.run(_HERE / "origin_reset.sql")

    def sell_out(self, slot: int) -> None:
        """Leave no place of a slot, until the next reset."""
        self.psql.run(_HERE / "origin_sell_out.sql", {"slot": str(slot)})


def _eligible(status: int, body: bytes) -> str:
    if status != 200:
        raise BenchError(f"the origin cannot evaluate: {status} {body[:200]!r}")
    decision = msgspec.json.decode(body, type=_Decision)
    if decision.outcome != "eligible":
        raise BenchError(f"the facts given to the benchmark are not eligible but {decision.outcome}")
    return decision.decision_ref


@contextmanager
def origin_side(config: BenchConfig, cores: Cores) -> Iterator[OriginSide]:
    """Start the origin and the bare endpoint on programmes of their own, which are taken away at the end."""
    psql = Psql(config.psql, config.database_url)
    psql.run(_HERE / "origin_teardown.sql")
    variables = {
        "programme": config.programme,
        "slots": str(SLOTS),
        "capacity": str(_CAPACITY),
        "product": _PRODUCT,
    }
    try:
        slots = psql.read(_HERE / "origin_setup.sql", dict[str, list[int]], variables)
        origin_port, bare_port, json_port = free_port(), free_port(), free_port()
        env = {**config.origin.env, "VESTIBULE_ORIGIN_PORT": str(origin_port), "VESTIBULE_ORIGIN_HOST": "127.0.0.1"}
        command = config.origin.command
        with (
            serving("origin", command, env, origin_port, cores, config.work_dir, "/readyz") as origin,
            serving(
                "baseline", bare_command("baseline", bare_port), env, bare_port, cores, config.work_dir, "/healthz"
            ) as bare,
            serving("json", bare_command("bare", json_port), env, json_port, cores, config.work_dir, "/bare") as json,
        ):
            pgbench = Pgbench(config.pgbench, config.database_url, cores)
            yield OriginSide(config, origin, bare, json, Wrk(cores, config.work_dir), psql, pgbench, slots, cores)
    finally:
        psql.run(_HERE / "origin_teardown.sql")
