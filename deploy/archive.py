"""The archive of slots that are over, from a terminal: fill it, look at it, take old partitions out."""

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from typing import NewType

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape

from deploy.errors import StackError
from deploy.supply import SupplySettings, opened
from deploy.tables import table
from origin.inventory.archive import ArchiveBusy, ArchiveStore, Partition, Tell, archive_all, ended_before
from shared.clock import Clock

Month = NewType("Month", date)
"""The first day of a month."""


def month(text: str) -> Month:
    """Read ``2026-06``; raises StackError."""
    try:
        if re.fullmatch(r"\d{4}-\d\d", text):
            return Month(date.fromisoformat(f"{text}-01"))
    except ValueError:
        pass
    raise StackError(f"{text} is no month: write it as 2026-06")


def archive(settings: SupplySettings, days: int | None, clock: Clock, tell: Tell) -> int:
    """Archive what has been over for so many days, or as many as the settings say; return how many slots.

    Raises:
        StackError: no database, no number of days, somebody else archives.
    """

    async def run() -> int:
        async with opened(settings) as connection:
            try:
                return await archive_all(connection, _days(settings, days), clock.now(), tell)
            except ArchiveBusy:
                raise StackError("somebody else archives just now, a worker perhaps; run it again") from None

    return asyncio.run(run())


def to_archive(settings: SupplySettings, days: int | None, clock: Clock) -> int:
    """Return how many slots ``archive`` would move; raises StackError as it does."""

    async def run() -> int:
        async with opened(settings) as connection:
            return await ArchiveStore().to_archive(connection, before=ended_before(clock.now(), _days(settings, days)))

    return asyncio.run(run())


def partitions(settings: SupplySettings) -> list[Partition]:
    """Return the partitions of the archive, and those that were taken out and are still here.

    Raises:
        StackError: no database.
    """

    async def look() -> list[Partition]:
        async with opened(settings) as connection:
            return await ArchiveStore().partitions(connection)

    return asyncio.run(look())


def attached(listed: Sequence[Partition], until: Month, region: str | None) -> list[Partition]:
    """Return those in the archive that are older than a month; only a region's, where one is given."""
    return [
        each for each in listed if each.is_attached and each.month < until and (region is None or each.region == region)
    ]


def detach(settings: SupplySettings, wanted: Sequence[Partition]) -> list[str]:
    """Take partitions out of the archive, each in a transaction of its own; return what the tables are called now.

    What somebody else has taken out meanwhile is not among them.

    Raises:
        StackError: no database; somebody reads the archive for so long that nobody may take out of it.
    """

    async def run() -> list[str]:
        became: list[str | None] = []
        async with opened(settings) as connection:
            for each in wanted:
                try:
                    became.append(await ArchiveStore().detach(connection, each.name))
                except ArchiveBusy:
                    raise StackError(
                        f"{each.name} is being read or filled; {len(became):,} were detached before it."
                        " Run the same command again"
                    ) from None
        return [name for name in became if name is not None]

    return asyncio.run(run())


def show(console: Console, listed: Sequence[Partition]) -> None:
    """Print partitions, and their sum."""
    if not listed:
        console.print("There are no partitions.")
        return
    titles = ("month", "region", "table", "slots", "size", "")
    rows = [
        (f"{p.month:%Y-%m}", p.region, p.name, f"{p.slots:,}", decimal(p.bytes), "" if p.is_attached else "detached")
        for p in listed
    ]
    console.print(table(titles, rows, numbers=("slots", "size")))
    slots, size = sum(each.slots for each in listed), decimal(sum(each.bytes for each in listed))
    console.print(f"{len(listed):,} tables, {slots:,} slots, {size}")


def show_detached(console: Console, names: Sequence[str]) -> None:
    """Print what was detached, and what can be done with it now."""
    if not names:
        console.print("Nothing to detach.")
        return
    for name in names:
        console.print(escape(name))
    console.print(f"[green]Detached {len(names):,}.[/] They are tables of their own now, and nothing reads them.")
    console.print("To keep them in a file, and to let them go:")
    console.print('  pg_dump -Fc -t "slot_detached_*" -f slots.dump "$VESTIBULE_DATABASE_URL"', markup=False)
    console.print('  psql "$VESTIBULE_DATABASE_URL" -c "DROP TABLE …"'.replace("…", ", ".join(names)), markup=False)


def _days(settings: SupplySettings, days: int | None) -> int:
    number = settings.slot_archive_days if days is None else days
    if not number:
        raise StackError("VESTIBULE_SLOT_ARCHIVE_DAYS is 0, which archives nothing: say --days")
    return number
