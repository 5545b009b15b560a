"""Fill the gazetteer from a file: all rows are checked, then the entries of their countries are replaced at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

from origin.db.sql import Connection
from origin.inventory.bulk.fault_kinds import FaultKind
from origin.inventory.bulk.faults import Fault, Faults, FileRefused
from origin.inventory.bulk.merging import ImportUnderWay, Tell
from origin.inventory.bulk.report import Source
from origin.inventory.bulk.rows import Line
from origin.inventory.places.files import PlaceFile
from origin.inventory.places.report import PlacesReport
from origin.inventory.places.rows import Reader, StagedPlace
from origin.inventory.places.store import PlaceStore
from shared.clock import Clock
from shared.ids import Ids

_KEPT = 1_000
_CHUNK = 20_000


class RegionUnknown(Exception):
    """A region that others were to stand for is not there."""


@dataclass(frozen=True)
class PlacesWish:
    """How places are brought. ``everything``: entries of all countries are replaced, and not only of those in the file.

    ``regions``: which region is meant by a name of a region, or of a division, in the file; else that of the same id.
    """

    actor: str
    dry_run: bool = False
    everything: bool = False
    regions: Mapping[str, str] = field(default_factory=dict)


async def import_places(
    connection: Connection,
    path: Path,
    wish: PlacesWish,
    *,
    clock: Clock,
    ids: Ids,
    tell: Tell,
    store: PlaceStore | None = None,
) -> PlacesReport:
    """Check a file of places, and let it replace what is there; or say what is wrong, and change nothing.

    Searches see all of it from one moment on, and all of what was there before until then. Memory does not grow with
    the rows. A file that was imported before changes nothing.

    Raises:
        ImportUnderWay: another file is being imported into this database.
        RegionUnknown: one that ``wish`` names is not there.
    """
    store = store or PlaceStore()
    if not await store.hold(connection):
        raise ImportUnderWay("another file of places is being imported into this database")
    try:
        known = await store.regions(connection)
        missing = sorted(set(wish.regions.values()) - known)
        if missing:
            raise RegionUnknown(f"there is no region {missing[0]}")
        reader = Reader(known, wish.regions, await store.zones(connection))
        return await _Import(connection, store, wish, reader, clock, ids, tell).run(path)
    finally:
        await store.let_go(connection)


class _Import:
    def __init__(
        self,
        connection: Connection,
        store: PlaceStore,
        wish: PlacesWish,
        reader: Reader,
        clock: Clock,
        ids: Ids,
        tell: Tell,
    ) -> None:
        self._connection = connection
        self._store = store
        self._wish = wish
        self._reader = reader
        self._clock = clock
        self._ids = ids
        self._tell = tell
        self._faults = Faults(_KEPT)

    async def run(self, path: Path) -> PlacesReport:
        """Read, compare, replace."""
        source = None
        try:
            source = await self._read(path)
        except FileRefused as refused:
            self._faults.add(refused.fault)
        report = PlacesReport("refused", source, left_out=self._reader.left_out)
        if source is None or self._faults:
            return msgspec.structs.replace(report, faults=self._faults.kept, fault_counts=dict(self._faults.counts))
        return await self._replace(report, source)

    async def _read(self, path: Path) -> Source:
        with PlaceFile(path) as file:
            staged = 0
            places = self._places(file)
            while chunk := list(islice(places, _CHUNK)):
                await self._store.stage(self._connection, chunk)
                staged += len(chunk)
                self._tell("reading", file.seen, file.size)
            if not staged and not self._faults:
                self._faults.add(self._nothing(file))
            return Source(file.name, file.kind.name, file.rows, file.sha256)

    def _places(self, file: PlaceFile) -> Iterator[StagedPlace]:
        read = self._reader.postal if file.is_postal else self._reader.place
        for number, given in file:
            if isinstance(given, Fault):
                self._faults.add(given)
                continue
            line = Line(given)
            place = read(line)
            for column, fault in line.faults:
                self._faults.add(Fault.of(fault.kind, file.name, number, column, **fault.given))
            if place is not None and not line.faults:
                yield place

    def _nothing(self, file: PlaceFile) -> Fault:
        """Say why there is nothing to bring: it would replace what is there."""
        if not self._reader.left_out:
            return Fault.of(FaultKind.NO_ROWS, file.name)
        some = ", ".join(sorted(self._reader.left_out)[:5])
        return Fault.of(FaultKind.REGION_UNKNOWN_ALL, file.name, divisions=some)

    async def _replace(self, report: PlacesReport, source: Source) -> PlacesReport:
        """Compare, then replace in one transaction."""
        self._tell("comparing", 0, 0)
        countries = await self._store.countries(self._connection)
        whose = [] if self._wish.everything else countries
        towns, postcodes = await self._store.compare(self._connection, whose)
        report = msgspec.structs.replace(report, outcome="previewed", countries=whose, towns=towns, postcodes=postcodes)
        if not report.to_do:
            return msgspec.structs.replace(report, outcome="unchanged")
        if self._wish.dry_run:
            return report
        report = msgspec.structs.replace(report, outcome="done", import_id=self._ids.uuid())
        async with self._connection.transaction():
            await self._store.remove(self._connection)
            await self._add(towns.added, postcodes.added)
            await self._write_down(report, source)
        await self._store.refresh_statistics(self._connection)
        return report

    async def _add(self, towns: int, postcodes: int) -> None:
        """Add what is new, chunk by chunk, so that it can be told how far it is."""
        for add, number, before in (
            (self._store.add_towns, towns, 0),
            (self._store.add_postcodes, postcodes, towns),
        ):
            for after in range(0, number, _CHUNK):
                self._tell("writing", before + after, towns + postcodes)
                await add(self._connection, after, after + _CHUNK)
        self._tell("writing", towns + postcodes, towns + postcodes)

    async def _write_down(self, report: PlacesReport, source: Source) -> None:
        assert report.import_id is not None
        counts = {
            "countries": report.countries,
            "towns": report.towns,
            "postcodes": report.postcodes,
            "left_out": report.left_out,
        }
        await self._store.write_down(
            self._connection,
            report.import_id,
            actor=self._wish.actor,
            source=source,
            counts=counts,
            now=self._clock.now(),
        )
