"""``vestibule drill`` and ``vestibule bench``: a crowd, and a stack of its own for it where none is given."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict
from rich.console import Console

from deploy import demo
from deploy.datadir import DataDir
from deploy.errors import StackError
from deploy.issuer import LocalIssuer
from deploy.migrations import migrate
from deploy.seed import seed
from deploy.settings import PORT_FIELDS, StackSettings
from deploy.stack import Stack
from deploy.stores import free_port, postgres_program
from deploy.up import Narrator, Stopped, running
from shared.clock import SystemClock
from shared.settings import Settings

_TOKEN_TTL_S = 6 * 3600
_INTERRUPTED = 130


class CrowdSettings(Settings):
    """What ``make drill`` takes from its environment, without any prefix."""

    model_config = SettingsConfigDict(env_prefix="", frozen=True, extra="ignore")

    edge: HttpUrl | None = None
    origin: HttpUrl | None = None
    visitors: Annotated[int, Field(ge=1, le=1_000_000)] = 2000
    spike: Annotated[float, Field(gt=0)] = 10
    rate: Annotated[float, Field(gt=0)] = 50
    no_show: Annotated[float, Field(ge=0, lt=1)] = 0.2
    no_show_step: Annotated[float | None, Field(ge=0, lt=1)] = None
    no_show_step_at: Annotated[float, Field(ge=0)] = 60
    no_show_step_s: Annotated[float, Field(gt=0)] = 60
    kill_store: bool = False

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.edge is None) != (self.origin is None):
            raise ValueError("give both EDGE and ORIGIN, or none of them")
        if self.kill_store and self.edge is not None:
            raise ValueError("KILL_STORE needs a stack of the drill's own; leave EDGE and ORIGIN out")
        return self


@dataclass(frozen=True)
class Target:
    """A running stack that a crowd is let loose on."""

    edge_url: str
    origin_url: str
    database_url: str
    issuer: LocalIssuer
    fault: Callable[[], str] | None = None


def drill(settings: StackSettings, console: Console) -> int:
    """Run the drill; return its exit status.

    Raises:
        StackError, StoreError: it cannot be run as asked.
    """
    from loadtest.drill import DrillConfig, Step, run

    crowd = _crowd_settings()
    step = None
    if crowd.no_show_step is not None:
        step = Step(crowd.no_show_step, crowd.no_show_step_at, crowd.no_show_step_s)
    try:
        with _target(settings, crowd, console) as target:
            config = DrillConfig(
                edge_url=target.edge_url,
                origin_url=target.origin_url,
                database_url=target.database_url,
                mint=_mint(target.issuer),
                operator_token=_operator_token(target.issuer),
                psql=_psql(),
                room=demo.ROOM,
                programme=demo.PROGRAMME,
                visitors=crowd.visitors,
                spike_s=crowd.spike,
                rate_per_s=crowd.rate,
                no_show=crowd.no_show,
                no_show_step=step,
                fault=target.fault,
            )
            return run(config)
    except Stopped:
        return _INTERRUPTED


def bench(settings: StackSettings, console: Console, only: str | None) -> int:
    """Run the benchmarks on stores of their own; return their exit status.

    Raises:
        StackError, StoreError: they cannot be run as asked.
    """
    from loadtest.bench import BenchConfig, Service, run

    try:
        with _own_stack(settings, console, whole=False, demo_sites=20, demo_days=7) as stack:
            issuer = LocalIssuer(stack.data.issuer)
            environ = stack.service_environment()
            config = BenchConfig(
                edge=Service((sys.executable, "-m", "edge"), environ),
                origin=Service((sys.executable, "-m", "origin"), environ),
                redis_url=stack.redis_url,
                database_url=stack.database_url,
                fresh_database=partial(_fresh_database, stack.database_url),
                mint=_mint(issuer),
                operator_token=_operator_token(issuer),
                admission_keys=stack.data.key_file("admission"),
                facts=demo.ELIGIBLE_FACTS,
                psql=_psql(),
                pgbench=Path(postgres_program("pgbench")),
                programme=demo.PROGRAMME,
                store_pids=tuple(child.process.pid for child in stack.children),
                only=only,
                commit=_commit(),
            )
            return run(config)
    except Stopped:
        return _INTERRUPTED


def _crowd_settings() -> CrowdSettings:
    try:
        return CrowdSettings()
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        raise StackError("; ".join(_told(fault["loc"], fault["msg"]) for fault in faults)) from None


def _told(place: tuple[int | str, ...], message: str) -> str:
    name = "_".join(map(str, place)).upper()
    text = message.removeprefix("Value error, ")
    return f"{name}: {text}" if name else text


@contextmanager
def _target(settings: StackSettings, crowd: CrowdSettings, console: Console) -> Iterator[Target]:
    if crowd.edge is None or crowd.origin is None:
        with _own_stack(settings, console, persist_line=not crowd.kill_store) as stack:
            at = stack.addresses()
            fault = stack.lose_line if crowd.kill_store else None
            yield Target(at["edge_url"], at["origin_url"], at["database_url"], LocalIssuer(stack.data.issuer), fault)
        return
    data = DataDir(settings.data_dir)
    known = data.addresses()
    database_url = str(settings.database_url) if settings.database_url else known and known["database_url"]
    if not database_url:
        raise StackError("the drill checks the books: set VESTIBULE_DATABASE_URL to the database of EDGE and ORIGIN")
    yield Target(str(crowd.edge).rstrip("/"), str(crowd.origin).rstrip("/"), database_url, LocalIssuer(data.issuer))


@contextmanager
def _own_stack(
    settings: StackSettings, console: Console, *, whole: bool = True, persist_line: bool = True, **changes: object
) -> Iterator[Stack]:
    """Run a stack on free ports in a temporary directory; ``whole=False`` starts only its stores, seeded."""
    folder = Path(tempfile.mkdtemp(prefix="vestibule-"))
    ports = _free_ports()
    own = settings.model_copy(
        update={**ports, "data_dir": folder, "database_url": None, "redis_url": None, **changes},
    )
    narrator = Narrator(console)
    stack = Stack(own, narrator.say, lambda url: seed(url, own, SystemClock(), narrator.say), persist_line=persist_line)
    try:
        with running(stack, whole=whole):
            narrator.hush()
            yield stack
    finally:
        narrator.hush()
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports() -> dict[str, int]:
    found: set[int] = set()
    while len(found) < len(PORT_FIELDS):
        found.add(free_port())
    return dict(zip(PORT_FIELDS, found, strict=True))


def _fresh_database(beside: str, name: str) -> str:
    url = urlsplit(beside)._replace(path=f"/{name}").geturl()
    migrate(url)
    return url


def _mint(issuer: LocalIssuer) -> Callable[[str], str]:
    clock = SystemClock()
    return lambda sub: issuer.mint(sub=sub, roles=["visitor"], now=clock.unix(), ttl_s=_TOKEN_TTL_S)


def _operator_token(issuer: LocalIssuer) -> str:
    return issuer.mint(sub="drill", roles=["operator"], now=SystemClock().unix(), ttl_s=_TOKEN_TTL_S)


def _psql() -> Path:
    found = shutil.which("psql")
    return Path(found) if found else Path(postgres_program("psql"))


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip()
