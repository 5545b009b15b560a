"""Fills the gazetteer of a database from a file, and shows what came of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.markup import escape

from deploy.errors import StackError
from deploy.supply import SupplySettings, opened, show_faults
from deploy.tables import table
from origin.inventory.bulk.merging import Tell
from origin.inventory.places.imports import PlacesWish, RegionUnknown, import_places
from origin.inventory.places.report import PlacesReport
from shared.clock import Clock
from shared.ids import Ids

_SHOWN = 20
_VERDICTS = {
    "previewed": "[yellow]A dry run: nothing was changed.[/]",
    "unchanged": "Everything is so already: nothing was changed.",
    "done": "[green]Done.[/]",
}


def fill(settings: SupplySettings, file: Path, wish: PlacesWish, clock: Clock, ids: Ids, tell: Tell) -> PlacesReport:
    """Import a file of places.

    Raises:
        StackError: no database, a region that is not there, another file is being imported.
    """

    async def run() -> PlacesReport:
        async with opened(settings) as connection:
            return await import_places(connection, file, wish, clock=clock, ids=ids, tell=tell)

    try:
        return asyncio.run(run())
    except RegionUnknown as refused:
        raise StackError(str(refused)) from None


def regions_of(given: Sequence[str]) -> dict[str, str]:
    """Read `--region ES-07=ES-IB`; raises StackError where it is not written so."""
    pairs = {name: region for name, equals, region in (each.partition("=") for each in given) if equals and name}
    if len(pairs) != len(given) or not all(pairs.values()):
        raise StackError("write each --region once, as NAME=REGION: --region FR-84=FR-ARA")
    return pairs


def show(console: Console, report: PlacesReport, *, as_json: bool) -> None:
    """Print what came of it."""
    if as_json:
        console.print(msgspec.json.encode(report).decode(), markup=False, soft_wrap=True)
        return
    if report.source is not None:
        digest = (report.source.sha256 or "")[:16]
        console.print(f"{escape(report.source.name)}: {report.source.rows:,} rows of places, sha256 {digest}…")
    _show_left_out(console, report)
    if report.outcome == "refused":
        show_faults(console, report.faults, report.fault_counts)
        return
    console.print(f"entries of {', '.join(report.countries) or 'all countries'}:")
    rows = [
        (kind, f"{entries.added:,}", f"{entries.removed:,}", f"{entries.same:,}")
        for kind, entries in (("towns", report.towns), ("postal codes", report.postcodes))
    ]
    titles = ("", "come", "go", "stay")
    console.print(table(titles, rows, numbers=titles[1:]))
    console.print(_VERDICTS[report.outcome])


def _show_left_out(console: Console, report: PlacesReport) -> None:
    """Say which rows lie in no region that there is, the most first."""
    if not report.left_out:
        return
    console.print(f"[yellow]rows left out: {sum(report.left_out.values()):,}[/], in divisions that are no region here:")
    most = sorted(report.left_out.items(), key=lambda each: (-each[1], each[0]))
    for division, number in most[:_SHOWN]:
        console.print(f"    {escape(division)}: {number:,}")
    if len(most) > _SHOWN:
        console.print(f"    … and {len(most) - _SHOWN:,} more divisions; --json names them")
    console.print("Say which region is meant by --region CODE=REGION, the code as it stands here.")
