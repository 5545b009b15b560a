"""Brings supply into a database, and shows what came of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
from pydantic import Field, PostgresDsn
from rich.console import Console
from rich.markup import escape

from deploy.datadir import DataDir
from deploy.errors import StackError
from deploy.tables import table
from origin.booking.reconcile import Faulty, faulty_slots
from origin.db.pool import AWAY, connect
from origin.db.sql import Connection
from origin.inventory.bulk.faults import Fault
from origin.inventory.bulk.generation import generate
from origin.inventory.bulk.imports import import_files, programme_meant
from origin.inventory.bulk.merging import ImportUnderWay, ProgrammeUnclear, Tell, Wish
from origin.inventory.bulk.report import Booked, InTheWay, Report
from origin.inventory.bulk.store import SupplyStore
from shared.clock import Clock
from shared.ids import Ids
from shared.settings import Settings

_SHOWN = 20


class SupplySettings(Settings):
    """Which database; that of the stack in the data directory where nothing is said."""

    data_dir: Path = Path("build/local")
    database_url: PostgresDsn | None = None
    slot_archive_days: int = Field(default=30, ge=0, le=3650)


@dataclass(frozen=True)
class Asked:
    """What a command line asks for, whatever it brings."""

    programme: str | None
    actor: str
    booked: Booked | None
    dry_run: bool


@asynccontextmanager
async def opened(settings: SupplySettings) -> AsyncIterator[Connection]:
    """Lend a connection to the database.

    Raises:
        StackError: there is none, it does not answer, or what it was asked cannot be begun.
    """
    running = DataDir(settings.data_dir).addresses()
    url = str(settings.database_url) if settings.database_url else running and running["database_url"]
    if not url:
        raise StackError("no database: set VESTIBULE_DATABASE_URL, or start the stack with `make up`")
    try:
        connection = await connect(url)
    except AWAY as fault:
        raise StackError(f"the database does not answer ({type(fault).__name__})") from None
    try:
        yield connection
    except AWAY as fault:
        raise StackError(f"the database went away ({type(fault).__name__}); run the same command again") from None
    except (ImportUnderWay, ProgrammeUnclear) as refused:
        raise StackError(str(refused)) from None
    finally:
        await connection.close()


async def _wish(connection: Connection, asked: Asked) -> Wish:
    programme = await programme_meant(connection, asked.programme, SupplyStore())
    return Wish(programme, asked.actor, asked.booked, asked.dry_run)


def bring_files(
    settings: SupplySettings, files: Sequence[Path], asked: Asked, clock: Clock, ids: Ids, tell: Tell
) -> Report:
    """Import files.

    Raises:
        StackError: no database, no programme, another import is under way.
    """

    async def run() -> Report:
        async with opened(settings) as connection:
            wish = await _wish(connection, asked)
            return await import_files(connection, files, wish, clock=clock, ids=ids, tell=tell)

    return asyncio.run(run())


def make_slots(
    settings: SupplySettings,
    window: tuple[date | None, date | None],
    days: int,
    asked: Asked,
    clock: Clock,
    ids: Ids,
    tell: Tell,
) -> Report:
    """Make the slots of recurring clinics.

    Raises:
        StackError: no database, no programme, another import is under way.
    """

    async def run() -> Report:
        async with opened(settings) as connection:
            wish = await _wish(connection, asked)
            return await generate(connection, *window, days, wish, clock=clock, ids=ids, tell=tell)

    return asyncio.run(run())


def reconcile(settings: SupplySettings) -> list[Faulty]:
    """Return the slots that do not add up, of all there are.

    Raises:
        StackError: no database.
    """

    async def look() -> list[Faulty]:
        async with opened(settings) as connection:
            return await faulty_slots(connection)

    return asyncio.run(look())


def show_faulty(console: Console, faulty: Sequence[Faulty]) -> None:
    """Print the slots that do not add up."""
    if not faulty:
        console.print("Every slot adds up: what remains is the capacity less appointments less holds.")
        return
    titles = Faulty.__struct_fields__
    console.print(f"{len(faulty):,} slots do not add up:")
    console.print(table(titles, map(msgspec.structs.astuple, faulty), numbers=titles))


def show(console: Console, report: Report, *, as_json: bool) -> None:
    """Print what came of it."""
    if as_json:
        console.print(msgspec.json.encode(report).decode(), markup=False, soft_wrap=True)
        return
    for source in report.sources:
        digest = "" if source.sha256 is None else f", sha256 {source.sha256[:16]}…"
        console.print(f"{escape(source.name)}: {source.rows:,} {_rows_of(source.kind)}{digest}")
    if report.outcome == "refused":
        show_faults(console, report.faults, report.fault_counts)
        return
    _show_counts(console, report)
    _show_people(console, report)
    for site, people in report.people_to_tell.items():
        console.print(
            f"[yellow]{site} gets another name or place[/]: nobody tells the {people:,} people who are to come"
        )
    console.print(_LEFT if report.outcome == "unchanged" and report.in_the_way else _VERDICTS[report.outcome])


_LEFT = "Nothing was changed: all but the slots above is so already."
_VERDICTS = {
    "undecided": "[red]Nothing was changed.[/] People have booked, or hold a place, in slots that this would cut or end"
    " at another time. Decide: --booked cut takes every place that nobody has, --booked leave leaves these slots as"
    " they are. No appointment is cancelled by either, and no held place is taken away.",
    "previewed": "[yellow]A dry run: nothing was changed.[/]",
    "unchanged": "Everything is so already: nothing was changed.",
    "done": "[green]Done.[/]",
    "incomplete": "[yellow]Done, but for the slots above[/]: somebody has booked or holds a place meanwhile. Run the"
    " same command with --booked cut or --booked leave.",
}


def _rows_of(kind: str) -> str:
    return "slots" if kind == "clinic" else f"rows of {kind}"


def show_faults(console: Console, faults: Sequence[Fault], counts: Mapping[str, int]) -> None:
    """Print what is to be mended, a line each."""
    for fault in faults:
        console.print(escape(str(fault)))
    total = sum(counts.values())
    if total > len(faults):
        console.print(f"… and {total - len(faults):,} more")
    by_code = ", ".join(f"{code} {number:,}" for code, number in sorted(counts.items()))
    console.print(f"[red]Nothing was changed[/]: {total:,} to mend ({by_code})")


def _show_counts(console: Console, report: Report) -> None:
    slots = report.slots
    put = [(kind, f"{put.added:,}", f"{put.changed:,}") for kind, put in report.put.items()]
    put.append(("slots", f"{slots.added:,}", f"{slots.changed + slots.cut:,}"))
    console.print(table(("", "new", "changed"), put, numbers=("new", "changed")))
    told = {
        "as they should be": slots.same,
        "cut to what is booked or held": slots.cut,
        "left as they are, as decided": slots.left,
        "to decide about": slots.booked,
        "left alone, because they have begun": slots.past,
        "left alone, because a person or another clinic made them": slots.others,
    }
    for what, number in told.items():
        if number:
            console.print(f"  {number:,} {what}")
    console.print(f"places: {slots.places:+,}")


def _show_people(console: Console, report: Report) -> None:
    for each in report.in_the_way[:_SHOWN]:
        where = f"{each.source}:{each.line}" if each.line else each.source
        when = each.starts_at.isoformat(timespec="minutes")
        end = ", another end" if each.other_end else ""
        console.print(
            f"{escape(where)} {each.site} {when} {each.product}:"
            f" {each.wanted} wanted, {each.booked} booked{_held(each)}{end}"
        )
        for appointment in each.appointments:
            console.print(f"    appointment {appointment}")
    if len(report.in_the_way) > _SHOWN:
        console.print(f"… and {len(report.in_the_way) - _SHOWN:,} more slots; --json names them")
    until = [each.held_until for each in report.in_the_way if each.held_until]
    if until:
        console.print(
            "Held places are kept for people who are about to book, or were offered them: each is booked or free again"
            f" by {max(until).isoformat(timespec='seconds')}. What is free then goes when the same command is run"
            " again."
        )


def _held(slot: InTheWay) -> str:
    return f", {slot.held} held until {slot.held_until.isoformat(timespec='seconds')}" if slot.held_until else ""
