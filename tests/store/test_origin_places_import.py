"""The gazetteer by file: all or nothing until it is right, once however often, and never half of it in a search."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from psutil import Process

from origin.db.pool import connect
from origin.db.sql import Connection
from origin.inventory import gazetteer
from origin.inventory.bulk.merging import ImportUnderWay
from origin.inventory.places.imports import PlacesWish, RegionUnknown, import_places
from origin.inventory.places.report import Entries, PlacesReport
from origin.inventory.places.store import PlaceStore
from shared.ids import SystemIds
from tests import origin_world
from tests.origin_world import World

HEADER = "country,region,name,postcode,lat,lng,population"
ALCALA = "ES,ES-MD,Alcalá de Henares,28801,40.48,-3.36,190000"
JUCAR = "ES,ES-CM,Alcalá del Júcar,02210,39.19,-1.43,1200"
ELVAS = "PT,ES-CM,Elvas,7350-001,38.88,-7.16,16000"


def table(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def postal(code: str, name: str, lat: float, lng: float, *, region: str = "Madrid\tMD", part: str = "28079") -> str:
    return f"ES\t{code}\t{name}\t{region}\t\t\t{name}\t{part}\t{lat}\t{lng}\t4\n"


@dataclass
class Filler:
    """Somebody who fills the gazetteer of a world."""

    world: World
    folder: Path
    store: PlaceStore | None = None
    grown: int = 0

    def __post_init__(self) -> None:
        self.told: list[tuple[str, int, int]] = []
        self._process = Process()
        self._before = self._process.memory_info().rss

    def tell(self, what: str, done: int, total: int) -> None:
        self.told.append((what, done, total))
        self.grown = max(self.grown, self._process.memory_info().rss - self._before)

    async def fill(self, text: str, *, dry_run: bool = False, everything: bool = False, **regions: str) -> PlacesReport:
        path = self.folder / "places.txt"
        path.write_text(text)
        named = {name.replace("_", "-"): region for name, region in regions.items()}
        return await self.fill_from(path, PlacesWish("olga", dry_run, everything, named))

    async def fill_from(self, path: Path, wish: PlacesWish) -> PlacesReport:
        return await import_places(
            self.world.connection,
            path,
            wish,
            clock=self.world.clock,
            ids=SystemIds(),
            tell=self.tell,
            store=self.store,
        )

    async def towns(self) -> list[tuple[object, ...]]:
        rows = await self.world.connection.fetch(
            "SELECT country, region, name, lat, lng, population, time_zone FROM gazetteer ORDER BY country, name"
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def filler(database_url: str, tmp_path: Path) -> AsyncIterator[Filler]:
    async with origin_world.world(database_url) as world:
        yield Filler(world, tmp_path)


async def state(connection: Connection) -> list[object]:
    """Everything that a file of places could change, and when each row was written."""
    digest = "SELECT md5(coalesce(string_agg(each::text || each.xmin::text, '|' ORDER BY each::text), '')) FROM {} each"
    tables = ("gazetteer", "gazetteer_postcode", "gazetteer_import")
    return [await connection.fetchval(digest.format(table)) for table in tables]


async def test_searches_begin_at_the_towns_and_postal_codes_of_a_table(filler: Filler) -> None:
    report = await filler.fill(table(ALCALA, JUCAR, ELVAS))
    assert (report.outcome, report.countries) == ("done", ["ES", "PT"])
    assert report.towns == report.postcodes == Entries(added=3)
    connection = filler.world.connection
    found = await gazetteer.find(connection, "alcala de henares")
    assert (found.kind, found.region, found.lat, found.time_zone) == ("town", "ES-MD", 40.48, "Europe/Madrid")
    code = await gazetteer.find(connection, "7350 001")
    assert (code.kind, code.name, code.lng, code.time_zone) == ("postcode", "7350-001", -7.16, "Europe/Madrid")
    suggested = [place.name for place in await gazetteer.beginning(connection, "028", at_most=5)]
    assert suggested == []
    assert [place.name for place in await gazetteer.beginning(connection, "alc", at_most=5)] == [
        "Alcalá de Henares",
        "Alcalá del Júcar",
    ]


async def test_postal_codes_of_geonames_make_towns_in_the_middle_of_their_codes(filler: Filler) -> None:
    report = await filler.fill(
        postal("28001", "Madrid", 40.42, -3.69)
        + postal("28002", "Madrid", 40.44, -3.67)
        + postal("28002", "Chamartín", 40.46, -3.67)
        + postal("28190", "Madrid", 41.0, -3.5, part="28083")  # a hamlet of that name
        + postal("45001", "Toledo", 39.86, -4.02, region="Castilla - La Mancha\tCLM"),
        ES_CLM="ES-CM",
    )
    assert (report.outcome, report.towns, report.postcodes) == ("done", Entries(added=4), Entries(added=4))
    connection = filler.world.connection
    madrid = await gazetteer.find(connection, "madrid")
    assert (madrid.lat, madrid.lng) == (40.43, -3.68)  # where most of its codes are
    code = await gazetteer.find(connection, "28002")
    assert (code.kind, code.lat, code.lng) == ("postcode", 40.45, -3.67)
    assert (await gazetteer.find(connection, "toledo")).region == "ES-CM"


async def test_the_same_file_again_changes_nothing_and_says_so(filler: Filler) -> None:
    texts = (
        table(ALCALA, JUCAR),
        "".join(postal(f"28{n:03}", f"Town {n % 40}", 40 + n * 0.0137, -3.7 + n * 0.0071) for n in range(400)),
    )
    for text in texts:
        assert (await filler.fill(text)).outcome == "done"
        before = await state(filler.world.connection)
        again = await filler.fill("".join(sorted(text.splitlines(keepends=True), key=lambda row: row != f"{HEADER}\n")))
        assert (again.outcome, again.to_do, again.import_id) == ("unchanged", 0, None)
        assert again.towns.same > 0
        assert await state(filler.world.connection) == before


async def test_a_dry_run_tells_the_same_and_changes_nothing(filler: Filler) -> None:
    await filler.fill(table(ALCALA, ELVAS))
    before = await state(filler.world.connection)
    dry = await filler.fill(table(JUCAR), dry_run=True)
    assert (dry.outcome, dry.towns, dry.postcodes) == ("previewed", Entries(1, 1, 0), Entries(1, 1, 0))
    assert await state(filler.world.connection) == before
    real = await filler.fill(table(JUCAR))
    assert (real.towns, real.postcodes, real.source) == (dry.towns, dry.postcodes, dry.source)


async def test_a_file_replaces_what_is_there_of_its_countries_and_on_wish_of_all(filler: Filler) -> None:
    await filler.fill(table(ALCALA, ELVAS))
    larger = ALCALA.replace("190000", "200000")
    report = await filler.fill(table(larger, JUCAR))
    assert (report.towns, report.postcodes) == (Entries(2, 1, 0), Entries(1, 0, 1))
    assert [(town[0], town[2], town[5]) for town in await filler.towns()] == [
        ("ES", "Alcalá de Henares", 200_000),
        ("ES", "Alcalá del Júcar", 1_200),
        ("PT", "Elvas", 16_000),
    ]
    report = await filler.fill(table(JUCAR), everything=True)
    assert (report.countries, report.towns) == ([], Entries(0, 2, 1))
    assert [town[2] for town in await filler.towns()] == ["Alcalá del Júcar"]


async def test_one_bad_row_in_many_changes_nothing(filler: Filler) -> None:
    await filler.fill(table(ELVAS))
    before = await state(filler.world.connection)
    report = await filler.fill(table(ALCALA, JUCAR.replace("39.19", "north"), ALCALA.replace("ES-MD", "MD")))
    assert report.outcome == "refused"
    assert [(fault.line, fault.field, fault.code) for fault in report.faults] == [
        (3, "lat", "number"),
        (4, "region", "region_unknown"),
    ]
    assert await state(filler.world.connection) == before


async def test_a_file_of_which_nothing_would_be_brought_empties_nothing(filler: Filler) -> None:
    await filler.fill(table(ALCALA))
    before = await state(filler.world.connection)
    foreign = postal("01001", "Gasteiz", 42.85, -2.67, region="Pais Vasco\tPV")
    for text, code in ((table(), "no_rows"), (foreign, "region_unknown"), ("", "no_rows")):
        report = await filler.fill(text)
        assert (report.outcome, report.fault_counts) == ("refused", {code: 1})
    assert await state(filler.world.connection) == before
    report = await filler.fill(foreign + postal("28001", "Madrid", 40.42, -3.69))
    assert (report.outcome, report.left_out) == ("done", {"ES-PV Pais Vasco": 1})


async def test_a_region_that_is_not_there_cannot_be_meant(filler: Filler) -> None:
    with pytest.raises(RegionUnknown, match="there is no region ES-XX"):
        await filler.fill(table(ALCALA), MD="ES-XX")


async def test_each_file_is_written_down_with_its_digest(filler: Filler) -> None:
    report = await filler.fill(table(ALCALA))
    kept = await filler.world.connection.fetchrow(
        "SELECT id, actor, source ->> 'sha256' AS sha256, counts -> 'towns' ->> 'added' AS added FROM gazetteer_import"
    )
    assert report.source is not None
    assert kept is not None
    assert tuple(kept) == (report.import_id, "olga", report.source.sha256, "1")


async def test_one_file_at_a_time(filler: Filler, database_url: str) -> None:
    other = await connect(database_url)
    try:
        assert await PlaceStore().hold(other)
        with pytest.raises(ImportUnderWay):
            await filler.fill(table(ALCALA))
    finally:
        await other.close()
    assert (await filler.fill(table(ALCALA))).outcome == "done"


class SearchedMeanwhile(PlaceStore):
    """The real store, but somebody searches between what goes and what comes."""

    def __init__(self, search: Callable[[], Awaitable[None]]) -> None:
        self._search = search

    async def remove(self, connection: Connection) -> None:
        await super().remove(connection)
        await self._search()

    async def add_postcodes(self, connection: Connection, after: int, upto: int) -> None:
        await super().add_postcodes(connection, after, upto)
        await self._search()


class AtOnce(SearchedMeanwhile):
    """Takes away for everybody before it adds: what one would write without a transaction."""

    def __init__(self, search: Callable[[], Awaitable[None]], url: str) -> None:
        super().__init__(search)
        self._url = url

    async def remove(self, _connection: Connection) -> None:
        other = await asyncpg.connect(self._url)
        await other.execute("DELETE FROM gazetteer")
        await other.close()
        await self._search()


async def seen_meanwhile(
    filler: Filler, url: str, store: Callable[[Callable[[], Awaitable[None]]], PlaceStore]
) -> list[list[str]]:
    """What searches find while a file replaces another one."""
    await filler.fill(table(ALCALA))
    other, seen = await connect(url), []

    async def search() -> None:
        seen.append([place.name for place in await gazetteer.beginning(other, "alcala", at_most=5)])

    await Filler(filler.world, filler.folder, store(search)).fill(table(JUCAR))
    await search()
    await other.close()
    return seen


async def test_no_search_sees_half_of_a_file(filler: Filler, database_url: str) -> None:
    seen = await seen_meanwhile(filler, database_url, SearchedMeanwhile)
    assert seen == [["Alcalá de Henares"], ["Alcalá de Henares"], ["Alcalá del Júcar"]]


async def test_without_a_transaction_a_search_finds_nothing(filler: Filler, database_url: str) -> None:
    seen = await seen_meanwhile(filler, database_url, lambda search: AtOnce(search, database_url))
    assert [] in seen


class BreaksOff(PlaceStore):
    """Fails once the towns are there."""

    async def add_postcodes(self, _connection: Connection, _after: int, _upto: int) -> None:
        raise ConnectionError("the cable")


async def test_what_breaks_off_leaves_what_was_there(filler: Filler) -> None:
    await filler.fill(table(ALCALA))
    before = await state(filler.world.connection)
    with pytest.raises(ConnectionError):
        await Filler(filler.world, filler.folder, BreaksOff()).fill(table(JUCAR))
    assert await state(filler.world.connection) == before
    assert (await filler.fill(table(JUCAR))).outcome == "done"


async def test_a_long_file_is_read_in_bounded_memory_and_tells_how_far_it_is(filler: Filler) -> None:
    """A hundred thousand rows, of which all but one chunk are gone again; kept, they would take 60 MB."""
    path = filler.folder / "ES.txt"
    with path.open("w") as file:
        for n in range(100_000):
            file.write(
                postal(f"{n:05}", f"Villa {n % 9_000}", 36 + n % 700 / 100, -6 + n % 900 / 100, part=str(n % 90))
            )
    watched = Filler(filler.world, filler.folder)
    report = await watched.fill_from(path, PlacesWish("olga", dry_run=True))
    assert report.postcodes == Entries(added=100_000)
    assert watched.grown < 30_000_000
    read = [(done, total) for what, done, total in watched.told if what == "reading"]
    assert len(read) == 5
    assert read == sorted(read)
    assert read[-1] == (path.stat().st_size, path.stat().st_size)
