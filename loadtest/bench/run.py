"""The benchmark run from beginning to end."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table as RichTable

from loadtest.bench import booking_rows, edge_rows, line_rows, origin_rows, search_rows
from loadtest.bench.config import BenchConfig
from loadtest.bench.edge_side import edge_side
from loadtest.bench.machine import BenchError, Cores, cores, describe, kept_off
from loadtest.bench.origin_side import origin_side
from loadtest.bench.rows import Figure, Row, S, Table
from loadtest.bench.search_side import search_side
from loadtest.psql import SqlError
from loadtest.stats import spread

EDGE = Table([*edge_rows.TABLE.rows, *line_rows.TABLE.rows])
ORIGIN = Table([*booking_rows.TABLE.rows, *origin_rows.TABLE.rows])
SEARCH = search_rows.TABLE
_PARTS = ("edge", "origin", "search")


@dataclass
class Results:
    """What has been measured so far."""

    measured: list[tuple[Row[Any], Figure]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def drift(self) -> float:
        """How much the machine's own speed changed over the run: (fastest - slowest) / median."""
        probes = [rounds for _, figure in self.measured for rounds in figure.probes]
        return spread(probes) if probes else 0.0


def run(config: BenchConfig) -> int:
    """Measure, print the table, write the JSON.

    Returns:
        0, or 2 when something it needs is missing. Goals that are not met are shown, and change nothing.
    """
    console = Console()
    if config.only not in {None, *_PARTS}:
        console.print(f"no such part: {config.only}; there are {', '.join(_PARTS)}", highlight=False)
        return 2
    started = time.monotonic()
    results = Results()
    try:
        measure(config, results, console)
    except (BenchError, SqlError) as error:
        console.print(f"[bold]The benchmarks cannot go on:[/] {error}", highlight=False)
        return 2
    finally:
        for prepared in config.work_dir.glob("*.requests"):
            prepared.unlink()  # they hold bearer tokens
        if results.measured:
            write(config, results)
            console.print(draw(results))
    console.print(
        f"{describe()}; machine.drift {results.drift:.2f}; {time.monotonic() - started:.0f} s; {config.out_file}",
        highlight=False,
    )
    return 0


def measure(config: BenchConfig, results: Results, console: Console) -> None:
    """Run the parts that are asked for.

    Raises:
        BenchError, SqlError: something that is needed is missing.
    """
    config.work_dir.mkdir(parents=True, exist_ok=True)
    found = cores()
    if found.server is None:
        console.print("One core, or no taskset: server and load share it, and ratios are rougher", highlight=False)
    with kept_off(found.server, config.store_pids):
        if config.only in {None, "edge"}:
            _part(edge_side, config, found, EDGE, results, console)
        if config.only in {None, "origin"}:
            _part(origin_side, config, found, ORIGIN, results, console)
        if config.only in {None, "origin", "search"}:
            _part(search_side, config, found, SEARCH, results, console)


def _part(
    side: Callable[[BenchConfig, Cores], AbstractContextManager[S]],
    config: BenchConfig,
    found: Cores,
    table: Table[S],
    results: Results,
    console: Console,
) -> None:
    with side(config, found) as measured:
        for row in table.rows:
            with console.status(f"measuring {row.name}"):
                figure = row.measure(measured)
            if figure is None:
                results.missing.append(row.name)
                continue
            results.measured.append((row, figure))
            console.print(f"{row.name:24} {figure.value:8.3f}  {figure.note}", highlight=False)


def write(config: BenchConfig, results: Results) -> None:
    """Write the flat JSON object."""
    figures: dict[str, object] = {row.name: round(figure.value, 4) for row, figure in results.measured}
    figures |= {"machine.drift": round(results.drift, 4), "machine": describe(), "commit": config.commit}
    config.out_file.parent.mkdir(parents=True, exist_ok=True)
    config.out_file.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")


def draw(results: Results) -> RichTable:
    """Return the table: each figure beside its goal."""
    table = RichTable(title="Benchmarks", title_justify="left")
    for heading in ("figure", "measured", "goal", "", "of"):
        table.add_column(heading, justify="right" if heading in {"measured", "goal"} else "left")
    for name, measured, goal, met, note in _lines(results):
        table.add_row(name, measured, goal, met, note)
    return table


def _lines(results: Results) -> Iterator[tuple[str, str, str, str, str]]:
    for row, figure in results.measured:
        met = {True: "[green]met[/]", False: "[bold red]missed[/]", None: ""}[row.meets(figure.value)]
        goal = "" if row.goal is None else f"{row.wanted} {row.goal:g}"
        yield row.name, f"{figure.value:.3f}", goal, met, figure.note
    for name in results.missing:
        yield name, "-", "", "", "nothing to measure yet"
