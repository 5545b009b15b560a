"""``vestibule supply``: bring sites and slots in bulk, make the slots of recurring clinics, fill the gazetteer."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy import archive_cli
from deploy.bars import bar
from deploy.errors import StackError
from deploy.explained import explained
from shared.clock import SystemClock
from shared.ids import SystemIds
from shared.settings import load

if TYPE_CHECKING:
    from deploy.supply import Asked
    from origin.inventory.bulk.merging import Tell
    from origin.inventory.bulk.report import Report

app = typer.Typer(name="supply", help="Bring sites and slots in bulk.", no_args_is_help=True)

Programme = Annotated[str | None, typer.Option(help="Whose slots; where there is only one, it is meant.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and count, and change nothing.")]
Booked = Annotated[
    str | None,
    typer.Option(help="Slots with people in them that this would cut: `cut` to what is booked or held, or `leave`."),
]
Who = Annotated[str | None, typer.Option("--as", help="In whose name; else yours on this machine.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV or NDJSON; what they hold is told by their columns.")],
    dry_run: DryRun = False,
    booked: Booked = None,
    programme: Programme = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Check files of regions, sites, slots, templates and exceptions, then bring what is in them.

    Status 1: something has to be mended or decided first. The same files again change nothing.
    """
    with explained():
        from deploy import supply

        settings, asked = load(supply.SupplySettings), _asked(programme, who, booked, dry_run)
        with _bar() as tell:
            report = supply.bring_files(settings, files, asked, SystemClock(), SystemIds(), tell)
        _tell(report, as_json)


@app.command("generate")
def generate_(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else today, at each site.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day behind the last one.")] = None,
    days: Annotated[int, typer.Option(help="How many days from today, without --until.", min=1, max=731)] = 56,
    dry_run: DryRun = False,
    booked: Booked = None,
    programme: Programme = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Make the slots of recurring clinics; those that clinics no longer make lose their free places.

    Status 1: something has to be mended or decided first. Once more on the same days, it changes nothing.
    """
    with explained():
        from deploy import supply

        settings, asked = load(supply.SupplySettings), _asked(programme, who, booked, dry_run)
        window = (_day(first), _day(until))
        with _bar() as tell:
            report = supply.make_slots(settings, window, days, asked, SystemClock(), SystemIds(), tell)
        _tell(report, as_json)


@app.command("gazetteer")
def gazetteer_(
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON of our columns, or GeoNames' postal codes of a country.")],
    dry_run: DryRun = False,
    region: Annotated[
        list[str] | None,
        typer.Option(help="CODE=REGION: which region a region or division in the file is, where not that of its code."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Replace the entries of all countries, not only of those in the file.")
    ] = False,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of towns and postal codes, then let it replace those of its countries, that searches begin at.

    Status 1: something has to be mended first. The same file again changes nothing.
    """
    with explained():
        from deploy import gazetteer, supply
        from origin.inventory.places.imports import PlacesWish

        wish = PlacesWish(who or getuser(), dry_run, everything, gazetteer.regions_of(region or ()))
        with _bar() as tell:
            settings = load(supply.SupplySettings)
            report = gazetteer.fill(settings, file, wish, SystemClock(), SystemIds(), tell)
        gazetteer.show(Console(file=sys.stdout, highlight=False, soft_wrap=True), report, as_json=as_json)
        if report.outcome == "refused":
            raise typer.Exit(1)


@app.command("reconcile")
def reconcile_() -> None:
    """Prove that every slot adds up: capacity less appointments less holds. Status 1: some do not; each is named.

    The worker does this all the time; this is for whoever has restored a backup, or wants to see it.
    """
    with explained():
        from deploy import supply

        faulty = supply.reconcile(load(supply.SupplySettings))
        supply.show_faulty(Console(file=sys.stdout, highlight=False, soft_wrap=True), faulty)
        if faulty:
            raise typer.Exit(1)


app.command()(archive_cli.archive)
app.command()(archive_cli.partitions)
app.command()(archive_cli.detach)


def _asked(programme: str | None, who: str | None, booked: str | None, dry_run: bool) -> "Asked":
    from deploy.supply import Asked

    match booked:
        case None | "cut" | "leave" as known:
            return Asked(programme, who or getuser(), known, dry_run)
        case _:
            raise StackError("--booked is cut or leave")


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _tell(report: "Report", as_json: bool) -> None:
    from deploy import supply

    supply.show(Console(file=sys.stdout, highlight=False, soft_wrap=True), report, as_json=as_json)
    if report.outcome in {"refused", "undecided", "incomplete"}:
        raise typer.Exit(1)


@contextmanager
def _bar() -> Iterator["Tell"]:
    with bar(counted=False) as progress:
        task = progress.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        yield tell
