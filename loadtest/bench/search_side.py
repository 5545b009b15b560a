"""Two origins under measurement, one on an inventory of ten thousand slots, one on a hundred times as much.

Each inventory is a database of the benchmark's own, dropped at the end. They are equally dense: the larger one covers a
hundred times the country, so that a search finds as much in either. Searches begin at different places, all over it.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import httpx
import msgspec

from loadtest.bench.config import BenchConfig
from loadtest.bench.machine import BenchError, Cores
from loadtest.bench.servers import Server, free_port, serving
from loadtest.bench.wrk import Wrk, request
from loadtest.psql import Psql
from shared.keys import KeyRing
from shared.token import AdmissionTokens

CONNECTIONS = 16
MANY, FEW = 1_000_000, 10_000
_GROUP = 10_000  # slots of sites that lie together: what one search can reach
_SEARCHES = 2_000
_DAYS = 7
_PAGE = 50
_TOKEN_TTL_S = 3600
_HERE = Path(__file__).parent


class _Made(msgspec.Struct):
    slots: int
    sites: int


class _Found(msgspec.Struct):
    slots: list[msgspec.Raw]


@dataclass(frozen=True)
class Inventory:
    """An origin on so many slots, the processes of its database, and searches to send to it."""

    slots: int
    origin: Server
    backends: tuple[Server, ...]
    searches: Path

    def database_cpu_s(self) -> float:
        """Return the seconds of CPU time that its database has used."""
        return sum(backend.cpu_s() for backend in self.backends)


@dataclass(frozen=True)
class SearchSide:
    """What the rows of the search need."""

    config: BenchConfig
    wrk: Wrk
    many: Inventory
    few: Inventory


@contextmanager
def search_side(config: BenchConfig, cores: Cores) -> Iterator[SearchSide]:
    """Make both inventories, and start an origin on each."""
    wrk = Wrk(cores, config.work_dir)
    with ExitStack() as stack:
        many, few = (stack.enter_context(_inventory(config, cores, wrk, slots)) for slots in (MANY, FEW))
        yield SearchSide(config, wrk, many, few)


@contextmanager
def _inventory(config: BenchConfig, cores: Cores, wrk: Wrk, slots: int) -> Iterator[Inventory]:
    name = f"bench_{slots}"
    beside = Psql(config.psql, config.database_url)
    beside.run(_HERE / "search_teardown.sql", {"name": name})
    try:
        url = config.fresh_database(name)
        psql = Psql(config.psql, url)
        made = psql.read(_HERE / "search_setup.sql", _Made, {"slots": str(slots)})
        if made.slots != slots:
            raise BenchError(f"made {made.slots:,} slots instead of {slots:,}")
        port = free_port()
        env = {
            **config.origin.env,
            "VESTIBULE_DATABASE_URL": url,
            "VESTIBULE_ORIGIN_PORT": str(port),
            "VESTIBULE_ORIGIN_HOST": "127.0.0.1",
        }
        with serving(name, config.origin.command, env, port, cores, config.work_dir, "/readyz") as origin:
            searches = wrk.prepare(name, _searches(config, origin.url, slots // _GROUP))
            wrk.run(origin.url, searches, seconds=5, connections=CONNECTIONS)  # warm: connections, plans, pages
            backends = psql.read(_HERE / "search_backends.sql", list[int])
            yield Inventory(slots, origin, tuple(Server("", pid) for pid in backends), searches)
    finally:
        beside.run(_HERE / "search_teardown.sql", {"name": name})


def _searches(config: BenchConfig, url: str, groups: int) -> list[bytes]:
    """Return searches from somewhere in the middle of a group each, over the coming days.

    Raises:
        BenchError: the first of them does not find a full page.
    """
    now, random = datetime.now(UTC), Random(groups)
    token = AdmissionTokens(KeyRing.load(config.admission_keys)).issue(
        room="bench", ticket_id="bench-search", iat=int(time.time()), ttl_s=_TOKEN_TTL_S
    )
    headers, made = {"Admission-Token": token}, []
    for _ in range(_SEARCHES):
        group = random.randrange(groups)
        query = {
            "lat": f"{-45 + 2 * (group // 10) + random.uniform(-0.05, 0.05):.5f}",
            "lng": f"{-70 + 2 * (group % 10) + random.uniform(-0.05, 0.05):.5f}",
            "radius_km": "50",
            "to": (now + timedelta(days=_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        made.append(f"{url}/v1/slots?{urlencode(query)}")
    answer = httpx.get(made[0], headers=headers)
    if answer.status_code != 200 or len(msgspec.json.decode(answer.content, type=_Found).slots) != _PAGE:
        raise BenchError(f"the search does not find a page: {answer.status_code} {answer.content[:200]!r}")
    return [request("GET", address, headers) for address in made]
