"""``vestibule supply archive | partitions | detach``: slots that are over, out of the way."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.bars import bar
from deploy.explained import explained
from shared.clock import SystemClock
from shared.settings import load

if TYPE_CHECKING:
    from deploy.supply import SupplySettings

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]


def archive(
    days: Annotated[
        int | None,
        typer.Option(help="How many days a slot must be over; else VESTIBULE_SLOT_ARCHIVE_DAYS.", min=1, max=3650),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Move slots that are over, and that nobody had booked, into the archive. The worker does it every hour.

    Broken off, it goes on when it is run again. Bookings wait for nothing.
    """
    with explained():
        from deploy import archive

        settings, clock = _settings(), SystemClock()
        if dry_run:
            _out().print(f"[yellow]A dry run[/]: {archive.to_archive(settings, days, clock):,} slots to archive.")
            return
        with bar(counted=False) as progress:
            task = progress.add_task("archiving", total=None)
            number = archive.archive(
                settings, days, clock, lambda _, at, last: progress.update(task, completed=at, total=last)
            )
        _out().print(f"[green]Archived {number:,} slots.[/]")


def partitions() -> None:
    """List the partitions of the archive, and those that were detached and are still here: slots and size of each."""
    with explained():
        from deploy import archive

        archive.show(_out(), archive.partitions(_settings()))


def detach(
    before: Annotated[str, typer.Option(help="A month; older ones are detached.", metavar="YYYY-MM")],
    region: Annotated[str | None, typer.Option(help="Only this region's.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Take the partitions of earlier months out of the archive. They stay as tables, to be dumped and dropped."""
    with explained():
        from deploy import archive

        settings, until = _settings(), archive.month(before)
        wanted = archive.attached(archive.partitions(settings), until, region)
        if dry_run:
            archive.show(_out(), wanted)
            _out().print("[yellow]A dry run: nothing was detached.[/]")
            return
        archive.show_detached(_out(), archive.detach(settings, wanted))


def _settings() -> "SupplySettings":
    from deploy.supply import SupplySettings

    return load(SupplySettings)


def _out() -> Console:
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)
