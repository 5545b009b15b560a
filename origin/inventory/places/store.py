"""Places in the database: staged in tables of the session, compared as a whole, replaced in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from origin.db.sql import Connection, load
from origin.inventory.bulk.report import Source
from origin.inventory.places.report import Entries
from origin.inventory.places.rows import StagedPlace
from origin.inventory.places.zones import Spot, spots_by_region

QUERIES = Path(__file__).with_name("queries.sql")
_STAGED = ("country", "region", "part", "name", "postcode", "lat", "lng", "time_zone", "population")


class PlaceStore:
    """Each method is a few statements; transactions are the caller's."""

    async def hold(self, connection: Connection) -> bool:
        """Begin a file of this session, its tables empty; False while another session's is under way."""
        queries = load(QUERIES)
        row = await queries["hold_gazetteer"].row(connection)
        assert row is not None
        if not row["mine"]:
            return False
        await queries["stage"].run(connection)
        return True

    async def let_go(self, connection: Connection) -> None:
        """End it."""
        await load(QUERIES)["let_gazetteer_go"].row(connection)

    async def regions(self, connection: Connection) -> frozenset[str]:
        """Return the regions there are."""
        return frozenset(row["id"] for row in await load(QUERIES)["regions"].rows(connection))

    async def zones(self, connection: Connection) -> Mapping[str, Sequence[Spot]]:
        """Return where in each region which time zone is, by its sites."""
        return spots_by_region([tuple(row) for row in await load(QUERIES)["zones_of_sites"].rows(connection)])

    async def stage(self, connection: Connection, places: Iterable[StagedPlace]) -> None:
        """Keep rows."""
        await connection.copy_records_to_table("staged_place", columns=_STAGED, records=places)

    async def countries(self, connection: Connection) -> list[str]:
        """Return the countries of the rows that were kept."""
        queries = load(QUERIES)
        await queries["staged"].run(connection)
        row = await queries["countries"].row(connection)
        assert row is not None
        return list(row["countries"])

    async def compare(self, connection: Connection, countries: Sequence[str]) -> tuple[Entries, Entries]:
        """Say how many towns and postal codes come, go and stay, and note which; of these countries, or of all if none.

        What is to go or to come is in tables of the session; the gazetteer itself is only read.
        """
        queries = load(QUERIES)
        for name in ("want_towns", "want_postcodes", "wanted"):
            await queries[name].run(connection)
        told = []
        for kind in ("towns", "postcodes"):
            added = await queries[f"new_{kind}"].run(connection)
            removed = await queries[f"old_{kind}"].run(connection, countries=countries)
            wanted = await queries[f"wanted_{kind}"].row(connection)
            assert wanted is not None
            told.append(Entries(added, removed, wanted["entries"] - added))
        return told[0], told[1]

    async def remove(self, connection: Connection) -> None:
        """Take away what is to go."""
        for name in ("remove_towns", "remove_postcodes"):
            await load(QUERIES)[name].run(connection)

    async def add_towns(self, connection: Connection, after: int, upto: int) -> None:
        """Add the new towns numbered from ``after`` (excluded) to ``upto``."""
        await load(QUERIES)["add_towns"].run(connection, after=after, upto=upto)

    async def add_postcodes(self, connection: Connection, after: int, upto: int) -> None:
        """Add the new postal codes numbered from ``after`` (excluded) to ``upto``."""
        await load(QUERIES)["add_postcodes"].run(connection, after=after, upto=upto)

    async def write_down(
        self, connection: Connection, import_id: UUID, *, actor: str, source: Source, counts: object, now: datetime
    ) -> None:
        """Write down who brought what, and what came of it."""
        given = {"source": msgspec.json.encode(source).decode(), "counts": msgspec.json.encode(counts).decode()}
        await load(QUERIES)["write_down"].run(connection, id=import_id, actor=actor, now=now, **given)

    async def refresh_statistics(self, connection: Connection) -> None:
        """Let the planner know how much there is now."""
        await load(QUERIES)["refresh_statistics"].run(connection)
