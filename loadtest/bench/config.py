"""What a benchmark run is told: how to start the services, which stores they use, what to measure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Service:
    """How to start one of our services: its command and its whole environment.

    The benchmark adds the port (and, for the edge, a rooms file of its own) and pins the process to a core.
    """

    command: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class BenchConfig:
    """One run of the benchmarks. The stores are up and migrated; the services are started by the benchmark itself.

    Everything it writes belongs to rooms and programmes of its own (``bench-…``) and is removed at the end, so that it
    may run against the stores of a stack that is up (which then should be idle).

    Args:
        edge, origin: how to start them; their environments name the stores below.
        redis_url, database_url: the stores.
        psql, pgbench: the programs.
        fresh_database: makes an empty, migrated database of that name beside it, and returns its URL.
        mint: makes the bearer token of the person called so (first argument), for the origin's trusted issuer.
        operator_token: a bearer token with the role ``operator``.
        admission_keys: the key file that edge and origin share; admission tokens are made with it.
        programme: a seeded programme whose rules in force are copied for the benchmark's own programme.
        facts: facts that those rules find eligible, as ``POST /v1/eligibility:evaluate`` takes them.
        store_pids: processes of the stores, to keep off the server's core; may be empty.
        out_file: the flat JSON object. ``work_dir``: prepared requests, logs.
        only: ``edge``, ``origin``, ``search`` (a part of ``origin``) or None for all.
        commit: what was measured, for the record.
        pairs: how often each ratio is measured, at least 5; short runs in many pairs stand noise better than long ones
            in few. ``seconds``: how long each run takes, whole seconds.
    """

    edge: Service
    origin: Service
    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    fresh_database: Callable[[str], str] = field(repr=False)
    mint: Callable[[str], str] = field(repr=False)
    operator_token: str = field(repr=False)
    admission_keys: Path
    facts: Mapping[str, object]
    psql: Path = Path("psql")
    pgbench: Path = Path("pgbench")
    programme: str = "demo"
    store_pids: tuple[int, ...] = ()
    out_file: Path = Path("build/bench.json")
    work_dir: Path = Path("build/bench")
    only: str | None = None
    commit: str = ""
    pairs: int = 9
    seconds: float = 1.0
