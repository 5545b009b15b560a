"""Supply in bulk, in the database: staged in tables of the session, planned as a whole, merged batch by batch."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from origin.db.sql import Connection, load
from origin.inventory.bulk.checking import Directory, KnownSite, StagedSlot
from origin.inventory.bulk.report import Booked, InTheWay, Put, SlotCounts, Source
from origin.inventory.bulk.rows import KindName

QUERIES = Path(__file__).with_name("queries.sql")
_STAGED = ("source", "line", "site", "starts_at", "ends_at", "product", "capacity", "template")
_PEOPLE = 200
_ACTS = {"add": "added", "change": "changed"}


class Merged(msgspec.Struct, frozen=True):
    """What a batch did."""

    added: int
    changed: int
    left_alone: int
    places: int


class SupplyStore:
    """Each method is one statement or two; transactions are the caller's."""

    async def hold(self, connection: Connection) -> bool:
        """Begin an import of this session, its tables empty; False while another session's is under way."""
        queries = load(QUERIES)
        row = await queries["hold_imports"].row(connection)
        assert row is not None
        if not row["mine"]:
            return False
        await queries["stage"].run(connection)
        return True

    async def let_go(self, connection: Connection) -> None:
        """End it."""
        await load(QUERIES)["let_imports_go"].row(connection)

    async def programmes(self, connection: Connection) -> list[str]:
        """Return the programmes there are, two at most."""
        return [row["id"] for row in await load(QUERIES)["only_programme"].rows(connection)]

    async def has_programme(self, connection: Connection, programme: str) -> bool:
        """Return whether there is such a programme."""
        return await load(QUERIES)["programme_is_there"].row(connection, programme=programme) is not None

    async def directory(self, connection: Connection) -> Directory:
        """Return what rows may name."""
        queries = load(QUERIES)
        regions = await queries["known_regions"].rows(connection)
        sites = await queries["known_sites"].rows(connection)
        return Directory(
            {row["id"] for row in regions}, {row["code"]: KnownSite(row["time_zone"], row["products"]) for row in sites}
        )

    async def stage(self, connection: Connection, slots: Iterable[StagedSlot]) -> None:
        """Keep slots for the plan."""
        await connection.copy_records_to_table("staged_slot", columns=_STAGED, records=slots)

    async def staged_twice(self, connection: Connection) -> list[asyncpg.Record]:
        """Return where slots come again, and where they were before: ``source, line, source_before, line_before``."""
        queries = load(QUERIES)
        await queries["staged"].run(connection)
        return await queries["staged_twice"].rows(connection)

    async def zones_in_use(self, connection: Connection, sites: Sequence[object], now: datetime) -> dict[str, str]:
        """Return the time zones of sites that would get another one although they have slots to come."""
        given = msgspec.json.encode(sites).decode()
        rows = await load(QUERIES)["zones_in_use"].rows(connection, rows=given, now=now)
        return {row["code"]: row["time_zone"] for row in rows}

    async def people_to_tell(self, connection: Connection, sites: Sequence[object], now: datetime) -> dict[str, int]:
        """Return how many appointments are to come at each site that would get another name or place."""
        given = msgspec.json.encode(sites).decode()
        rows = await load(QUERIES)["people_to_tell"].rows(connection, rows=given, now=now)
        return {row["code"]: row["appointments"] for row in rows}

    async def put(self, connection: Connection, kind: KindName, programme: str, rows: Sequence[object]) -> Put:
        """Add and change what is not as it should be already: anything but slots."""
        given = msgspec.json.encode(rows).decode()
        row = await load(QUERIES)[f"put_{kind}"].row(connection, rows=given, programme=programme)
        assert row is not None
        return Put(row["added"], row["changed"])

    async def clinics(self, connection: Connection, programme: str) -> list[asyncpg.Record]:
        """Return a programme's recurring clinics."""
        return await load(QUERIES)["clinics"].rows(connection, programme=programme)

    async def exceptions(
        self, connection: Connection, programme: str, first: date, until: date
    ) -> list[asyncpg.Record]:
        """Return days that are not like their weekday, those that count least first."""
        return await load(QUERIES)["exceptions"].rows(connection, programme=programme, first=first, until=until)

    async def stage_withdrawals(
        self, connection: Connection, windows: Sequence[Mapping[str, object]], now: datetime
    ) -> None:
        """Stage slots that clinics have made and do not make any more, with no places."""
        await load(QUERIES)["staged"].run(connection)
        columns = {
            f"{name}s": [each[name] for each in windows] for name in ("template", "source", "from", "until", "end")
        }
        await load(QUERIES)["stage_withdrawals"].run(connection, **columns, now=now)

    async def plan(self, connection: Connection, programme: str, booked: Booked | None, now: datetime) -> SlotCounts:
        """Say what is to be done with each staged slot; return how many of each."""
        queries = load(QUERIES)
        await queries["plan"].run(connection, programme=programme, booked=booked, now=now)
        await queries["planned"].run(connection)
        return await self.counts(connection)

    async def counts(self, connection: Connection) -> SlotCounts:
        """Return how many slots are planned for each act."""
        queries = load(QUERIES)
        acts = {row["act"]: row for row in await queries["counts"].rows(connection)}
        staged = await queries["staged_count"].row(connection)
        assert staged is not None
        numbers = {_ACTS.get(act, act): int(row["slots"]) for act, row in acts.items() if act != "near"}
        places = sum(row["places"] for act, row in acts.items() if act in {"add", "change", "cut"})
        return SlotCounts(**numbers, same=staged["slots"] - sum(numbers.values()), places=places)

    async def in_the_way(
        self, connection: Connection, sources: Sequence[Source], at_most: int, now: datetime
    ) -> list[InTheWay]:
        """Return slots whose people stand against what is asked, with their appointments, and what is held in them."""
        rows = await load(QUERIES)["people_in_the_way"].rows(connection, people=_PEOPLE, at_most=at_most, now=now)
        return [
            InTheWay(
                source=sources[row["source"]].name,
                line=row["line"],
                site=row["site"],
                starts_at=row["starts_at"].astimezone(ZoneInfo(row["time_zone"])),
                product=row["product"],
                wanted=row["wanted"],
                booked=row["booked"],
                other_end=row["other_end"],
                appointments=row["appointments"],
                held=row["held"],
                held_until=row["held_until"] and row["held_until"].astimezone(ZoneInfo(row["time_zone"])),
            )
            for row in rows
        ]

    async def merge(
        self, connection: Connection, programme: str, booked: Booked | None, now: datetime, after: int, upto: int
    ) -> Merged:
        """Do what is planned for the slots numbered from ``after`` (excluded) to ``upto``; in a transaction.

        Guarantees that ``remaining`` = capacity − booked − held whoever books meanwhile, and that no slot is cut below
        its people: one in which somebody has booked or holds a place since the plan is left alone, unless to cut was
        decided. The places of holds that have lapsed by ``now`` are nobody's.
        """
        queries = load(QUERIES)
        span = {"after": after, "upto": upto}
        await queries["lock_slots"].run(connection, **span)
        await queries["free_lapsed"].run(connection, **span, now=now)
        changed = await queries["change_slots"].row(connection, **span, booked=booked)
        added = await queries["add_slots"].row(connection, **span, programme=programme)
        assert changed is not None
        assert added is not None
        places = changed["places"] + added["places"]
        return Merged(added["added"], changed["changed"], changed["left_alone"], places)

    async def begin(
        self,
        connection: Connection,
        import_id: UUID,
        *,
        kind: str,
        programme: str,
        actor: str,
        booked: Booked | None,
        sources: Sequence[Source],
        counts: object,
        now: datetime,
    ) -> None:
        """Write down who brings what, with its audit row."""
        queries = load(QUERIES)
        told = msgspec.json.encode(counts).decode()
        files = msgspec.json.encode(sources).decode()
        await queries["begin_import"].run(
            connection,
            id=import_id,
            kind=kind,
            programme=programme,
            actor=actor,
            booked=booked,
            sources=files,
            now=now,
            counts=told,
        )
        await self._audit(connection, f"supply_{kind}_began", programme, import_id, sources, counts, now)

    async def finish(
        self,
        connection: Connection,
        import_id: UUID,
        *,
        kind: str,
        programme: str,
        sources: Sequence[Source],
        counts: object,
        now: datetime,
    ) -> None:
        """Write down what was done, with its audit row."""
        queries = load(QUERIES)
        told = msgspec.json.encode(counts).decode()
        await queries["finish_import"].run(connection, id=import_id, counts=told, now=now)
        await self._audit(connection, f"supply_{kind}_ended", programme, import_id, sources, counts, now)

    async def refresh_statistics(self, connection: Connection) -> None:
        """Let the planner know how much there is now."""
        await load(QUERIES)["refresh_statistics"].run(connection)

    async def _audit(
        self,
        connection: Connection,
        kind: str,
        programme: str,
        about: UUID,
        sources: Sequence[Source],
        counts: object,
        now: datetime,
    ) -> None:
        digests = [source.sha256 for source in sources if source.sha256 is not None]
        details = msgspec.json.encode({"sha256": digests, "counts": counts}).decode()
        await load(QUERIES)["add_audit"].run(
            connection, kind=kind, programme=programme, about=about, details=details, now=now
        )
