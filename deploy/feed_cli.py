"""The commands of ``vestibule feed``: is what a publisher publishes a feed that others can read?

Exit status: 0 no errors; 1 errors; 2 it cannot be read.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.explained import explained
from shared.clock import SystemClock

if TYPE_CHECKING:
    from deploy.feed.check import Progress

app = typer.Typer(name="feed", help="Check public feeds of appointments, anybody's.", no_args_is_help=True)


@app.callback()
def feed() -> None:
    """Check public feeds of appointments, anybody's."""


@app.command()
def validate(
    where: Annotated[
        str, typer.Argument(metavar="URL|DIR", help="A manifest's address, or a folder with a manifest and its files.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    examples: Annotated[int, typer.Option(help="Places that are shown for each rule that is broken.", min=1)] = 5,
    max_mb: Annotated[int, typer.Option(help="Megabytes that one file may have, unpacked.", min=1)] = 4096,
) -> None:
    """Check a SMART Scheduling Links feed, every line of it; 1 when something is wrong, 2 when it cannot be read."""
    from deploy.feed import show
    from deploy.feed.check import check
    from deploy.feed.findings import Report
    from deploy.feed.sources import source_of

    report = Report(where, keep=examples)
    with explained(), source_of(where) as source, _progress() as progress:
        check(source, report, now=SystemClock().now(), max_mb=max_mb, progress=progress)
    sys.stdout.write(show.as_json(report) if as_json else show.as_text(report))
    if report.number("error"):
        raise typer.Exit(1)


@contextmanager
def _progress() -> "Iterator[Progress]":
    """Show on a terminal which file is being read, and how far."""
    with Console(stderr=True).status("Reading the manifest") as status:

        def tell(file: str, lines: int) -> None:
            status.update(f"{lines:,} lines of {file}")

        yield tell
