"""Import supply from files: all rows are checked before the first is changed."""

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import msgspec

from origin.db.sql import Connection
from origin.inventory.bulk.checking import Batch, Checker
from origin.inventory.bulk.fault_kinds import FaultKind
from origin.inventory.bulk.faults import Fault, Faults, FileRefused
from origin.inventory.bulk.files import SupplyFile
from origin.inventory.bulk.merging import ImportUnderWay, Merger, ProgrammeUnclear, Tell, Wish
from origin.inventory.bulk.report import Put, Report, Source
from origin.inventory.bulk.rows import KINDS, KindName
from origin.inventory.bulk.store import SupplyStore
from shared.clock import Clock
from shared.ids import Ids

_KEPT = 1_000
_CHUNK = 20_000
_ORDER = [kind.name for kind in KINDS]


async def programme_meant(connection: Connection, asked: str | None, store: SupplyStore) -> str:
    """Return the programme that was asked for, or the only one there is.

    Raises:
        ProgrammeUnclear: there is none of that name; or not exactly one, and none was asked for.
    """
    if asked is not None:
        if not await store.has_programme(connection, asked):
            raise ProgrammeUnclear(f"there is no programme {asked}")
        return asked
    there = await store.programmes(connection)
    if len(there) != 1:
        raise ProgrammeUnclear("there is not exactly one programme: name one with --programme")
    return there[0]


async def import_files(
    connection: Connection,
    paths: Sequence[Path],
    wish: Wish,
    *,
    clock: Clock,
    ids: Ids,
    tell: Tell,
    store: SupplyStore | None = None,
) -> Report:
    """Check files, and bring what is in them; or say what is wrong, and change nothing.

    Memory does not grow with the number of slots. A file that was imported before changes nothing.

    Raises:
        ImportUnderWay: another import holds this database.
    """
    store = store or SupplyStore()
    if not await store.hold(connection):
        raise ImportUnderWay("another import of this database is under way")
    try:
        return await _Import(connection, store, wish, clock, ids, tell).run(paths)
    finally:
        await store.let_go(connection)


class _Import:
    def __init__(
        self, connection: Connection, store: SupplyStore, wish: Wish, clock: Clock, ids: Ids, tell: Tell
    ) -> None:
        self._connection = connection
        self._store = store
        self._wish = wish
        self._tell = tell
        self._faults = Faults(_KEPT)
        self._sources: list[Source] = []
        self._now = clock.now()
        self._merger = Merger(connection, store, clock, ids, tell, "import", wish)

    async def run(self, paths: Sequence[Path]) -> Report:
        """Check, plan, merge."""
        checker = Checker(await self._store.directory(self._connection), self._faults)
        with ExitStack() as opened:
            files = [file for path in paths if (file := self._open(path, opened)) is not None]
            files.sort(key=lambda file: _ORDER.index(file.kind.name))
            try:
                await self._read(files, checker)
            except FileRefused as refused:
                self._faults.add(refused.fault)
            await self._look_for_more(checker, [file.name for file in files])
        if self._faults:
            return Report(
                "refused",
                self._wish.programme,
                self._sources,
                faults=self._faults.kept,
                fault_counts=dict(self._faults.counts),
            )
        people = await self._store.people_to_tell(self._connection, checker.batch.sites, self._now)
        report = await self._merger.run(self._sources, lambda: self._put(checker.batch), self._now)
        return msgspec.structs.replace(report, people_to_tell=people)

    def _open(self, path: Path, opened: ExitStack) -> SupplyFile | None:
        try:
            return opened.enter_context(SupplyFile(path))
        except FileRefused as refused:
            self._faults.add(refused.fault)
            return None

    async def _read(self, files: Sequence[SupplyFile], checker: Checker) -> None:
        total = sum(file.size for file in files)
        before = 0
        for number, file in enumerate(files):
            if file.kind.name == "slots":
                slots = checker.slots(file, number)
                while chunk := list(islice(slots, _CHUNK)):
                    await self._store.stage(self._connection, chunk)
                    self._tell("reading", before + file.seen, total)
            else:
                checker.read(file)
            before += file.size
            self._tell("reading", before, total)
            self._sources.append(Source(file.name, file.kind.name, file.rows, file.sha256))

    async def _look_for_more(self, checker: Checker, names: Sequence[str]) -> None:
        """Add what only all rows together show."""
        self._tell("comparing", 0, 0)
        for row in await self._store.staged_twice(self._connection):
            before = f"{names[row['source_before']]}:{row['line_before']}"
            self._faults.add(Fault.of(FaultKind.ROW_TWICE_SLOT, names[row["source"]], row["line"], place=before))
        zones = await self._store.zones_in_use(self._connection, checker.batch.sites, self._now)
        for site, zone in zones.items():
            where = checker.where_is_site(site)
            self._faults.add(Fault.of(FaultKind.ZONE_IN_USE, *where, "time_zone", site=site, zone=zone))

    async def _put(self, batch: Batch) -> dict[str, Put]:
        given: Sequence[tuple[KindName, Sequence[object]]] = (
            ("regions", batch.regions),
            ("sites", batch.sites),
            ("templates", batch.templates),
            ("exceptions", batch.exceptions),
        )
        return {
            name: await self._store.put(self._connection, name, self._wish.programme, rows)
            for name, rows in given
            if rows
        }
