"""The drill from beginning to end: draw a plan, set the room, let the crowd loose, check the books, judge, report."""

import os
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
from rich.console import Console

from loadtest.drill.config import DrillConfig
from loadtest.drill.figures import Asked
from loadtest.drill.invariants import Books
from loadtest.drill.page import render
from loadtest.drill.plan import Home, Plan, draw
from loadtest.drill.progress import Progress
from loadtest.drill.report import Report, judge
from loadtest.drill.room import Operator, Room, RoomError
from loadtest.drill.trail import Event, Reader
from loadtest.drill.verdict import show
from loadtest.psql import Psql, SqlError

_HERE = Path(__file__).parent
_LOOK_EVERY_S = 0.25


class DrillError(Exception):
    """The drill cannot be held; the message says what is missing."""


def run(config: DrillConfig) -> int:
    """Hold the drill, write ``report.json`` and ``report.html``, print the verdict.

    Returns:
        0 when every invariant held, 1 when one is broken, 2 when the drill could not be held.
    """
    console = Console()
    try:
        report = hold(config, console)
    except (DrillError, RoomError, SqlError) as error:
        console.print(f"[bold]The drill could not be held:[/] {error}", highlight=False)
        return 2
    config.out_dir.mkdir(parents=True, exist_ok=True)
    (config.out_dir / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    (config.out_dir / "report.html").write_text(render(report), encoding="utf-8")
    show(report, config.out_dir, console)
    return 0 if report.passed else 1


def hold(config: DrillConfig, console: Console) -> Report:
    """Hold the drill and return the report; nothing is written but the crowd's own files.

    Raises:
        DrillError, RoomError, SqlError: it could not be held.
    """
    psql = Psql(config.psql, config.database_url)
    plan = make_plan(config, psql)
    console.print(
        f"Opening day in room [bold]{config.room}[/]: {config.visitors:,} visitors within {config.spike_s:g} s, "
        f"{config.rate_per_s:g} tokens per second, {config.no_show:.0%} leave while they wait",
        highlight=False,
    )
    with (
        closing(Operator(config.edge_url, config.room, config.operator_token)) as operator,
        operator.drill(config.rate_per_s, config.burst) as room,
    ):
        asked = _asked(config, room)
        since = psql.read(_HERE / "now.sql", str)
        events = let_loose(plan, config, console)
    books = psql.read(_HERE / "books.sql", Books, {"programme": config.programme, "since": since})
    return judge(events, books, asked)


def _asked(config: DrillConfig, room: Room) -> Asked:
    return Asked(
        room=config.room,
        rate_per_s=config.rate_per_s,
        burst=config.burst,
        spike_s=config.spike_s,
        no_show=config.no_show,
        visitors=config.visitors,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_ahead_s=time.time() - time.monotonic(),
        call_window_s=room.call_window_s,
        no_show_step=config.no_show_step,
    )


def make_plan(config: DrillConfig, psql: Psql) -> Plan:
    """Draw who comes; every drill brings new people, so that it can be held again on the same stack.

    Raises:
        DrillError: the programme has no supply.
    """
    variables = {"programme": config.programme, "seed": str(config.seed)}
    homes = psql.read(_HERE / "homes.sql", list[Home], variables)
    if not homes:
        raise DrillError(f"programme {config.programme} has no free slot in the next fortnight; seed it first")
    name = f"drill-{uuid4().hex[:12]}"
    people = draw(
        visitors=config.visitors,
        spike_s=config.spike_s,
        no_show=config.no_show,
        homes=homes,
        tokens=[config.mint(f"{name}-{number}") for number in range(config.visitors)],
        seed=config.seed,
        rate_per_s=config.rate_per_s,
        step=config.no_show_step,
    )
    return Plan(
        edge_url=config.edge_url,
        origin_url=config.origin_url,
        room=config.room,
        rate_per_s=config.rate_per_s,
        spike_s=config.spike_s,
        deadline_s=config.deadline_s,
        trail=str(config.out_dir / "trails.jsonl"),
        people=people,
    )


def let_loose(plan: Plan, config: DrillConfig, console: Console) -> list[Event]:
    """Run the crowd's process to its end, showing its progress; return all that happened.

    Raises:
        DrillError: the process failed.
    """
    config.out_dir.mkdir(parents=True, exist_ok=True)
    trail = Path(plan.trail)
    trail.write_bytes(b"")
    plan_file = config.out_dir / "plan.json"
    plan_file.touch(mode=0o600)
    plan_file.write_bytes(msgspec.json.encode(plan))
    try:
        with (config.out_dir / "crowd.log").open("wb") as log:
            process = subprocess.Popen(
                _command(config.edge_url),
                env={**os.environ, "VESTIBULE_DRILL_PLAN": str(plan_file)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            events = _watch(
                process, trail, Progress(console, config.visitors, config.rate_per_s), Breaking(config, console)
            )
    finally:
        plan_file.unlink()  # it holds bearer tokens
    if process.returncode:
        raise DrillError(f"the crowd ended with status {process.returncode}; see {config.out_dir / 'crowd.log'}")
    return events


def _command(edge_url: str) -> list[str]:
    quiet = ["--headless", "--only-summary", "--skip-log-setup", "--exit-code-on-error", "0"]
    return [sys.executable, "-m", "locust", "-f", str(_HERE / "crowd.py"), "--host", edge_url, *quiet]


class Breaking:
    """Breaks what the drill is told to break, once, when it is time."""

    def __init__(self, config: DrillConfig, console: Console) -> None:
        self._fault = config.fault
        self._after_s = config.fault_after_s
        self._console = console

    def when_due(self, elapsed_s: float) -> None:
        """Break it where ``elapsed_s`` since the first arrival says so."""
        if self._fault is not None and elapsed_s >= self._after_s:
            fault, self._fault = self._fault, None
            self._console.print(f"{elapsed_s:5.0f} s  {fault()}", highlight=False)


def _watch(process: subprocess.Popen[bytes], trail: Path, progress: Progress, breaking: Breaking) -> list[Event]:
    events: list[Event] = []
    started = time.monotonic()
    reader = Reader(trail)
    try:
        with progress:
            while True:
                over = process.poll() is not None
                new = list(reader.read())
                events += new
                now = time.monotonic()
                progress.show(new, now - started)
                if events:
                    breaking.when_due(now - events[0].sent)
                if over:
                    return events
                time.sleep(_LOOK_EVERY_S)
    finally:
        reader.close()
        if process.poll() is None:
            process.terminate()
            process.wait()
