"""Make the slots of recurring clinics, ahead of time and as often as one likes."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from origin.db.sql import Connection
from origin.inventory.bulk.checking import StagedSlot
from origin.inventory.bulk.clinics import Clinic, Hours, midnight, slots
from origin.inventory.bulk.fault_kinds import FaultKind
from origin.inventory.bulk.faults import Fault
from origin.inventory.bulk.merging import ImportUnderWay, Merger, Tell, Wish
from origin.inventory.bulk.report import Report, Source
from origin.inventory.bulk.store import SupplyStore
from shared.clock import Clock
from shared.ids import Ids

_CHUNK = 20_000


async def generate(
    connection: Connection,
    first: date | None,
    until: date | None,
    days: int,
    wish: Wish,
    *,
    clock: Clock,
    ids: Ids,
    tell: Tell,
    store: SupplyStore | None = None,
) -> Report:
    """Make the slots of all clinics of a programme on the days from ``first`` up to, not including, ``until``.

    Without them, from today on each site's clock, for ``days`` days. What clinics made before and do not make any more
    on these days, or behind their last day, loses its free places. Slots that a person has made or changed stay.

    Raises:
        ImportUnderWay: another import holds this database.
    """
    store = store or SupplyStore()
    if not await store.hold(connection):
        raise ImportUnderWay("another import of this database is under way")
    try:
        made = _Generation(connection, store, wish, clock.now())
        await made.stage(first, until, days, tell)
        twice = await made.twice()
        if twice:
            return Report("refused", wish.programme, made.sources, faults=twice, fault_counts={"row_twice": len(twice)})
        return await Merger(connection, store, clock, ids, tell, "generate", wish).run(made.sources, _nothing, made.now)
    finally:
        await store.let_go(connection)


async def _nothing() -> dict[str, Any]:
    return {}


class _Generation:
    def __init__(self, connection: Connection, store: SupplyStore, wish: Wish, now: datetime) -> None:
        self.sources: list[Source] = []
        self.now = now
        self._connection = connection
        self._store = store
        self._wish = wish

    async def stage(self, first: date | None, until: date | None, days: int, tell: Tell) -> None:
        """Stage all slots, and those to withdraw."""
        today = self.now.date()
        begin, end = first or today - timedelta(days=1), until or today + timedelta(days=days + 2)
        exceptions = await self._store.exceptions(self._connection, self._wish.programme, begin, end)
        rows = await self._store.clinics(self._connection, self._wish.programme)
        windows: list[Mapping[str, object]] = []
        for number, row in enumerate(rows):
            tell("generating", number, len(rows))
            zone = row["time_zone"]
            local = self.now.astimezone(ZoneInfo(zone)).date()
            window = (max(first or local, local), until or local + timedelta(days=days))
            staged = self._slots(number, row, _clinic(row, exceptions), window)
            count = 0
            while chunk := list(islice(staged, _CHUNK)):
                await self._store.stage(self._connection, chunk)
                count += len(chunk)
            self.sources.append(Source(row["code"], "clinic", count))
            ended = None if row["last_day"] is None else midnight(row["last_day"] + timedelta(days=1), zone)
            windows.append(
                {
                    "template": row["id"],
                    "source": number,
                    "from": midnight(window[0], zone),
                    "until": midnight(window[1], zone),
                    "end": ended,
                }
            )
        await self._store.stage_withdrawals(self._connection, windows, self.now)

    async def twice(self) -> list[Fault]:
        """Return where two clinics make the same slot."""
        rows = await self._store.staged_twice(self._connection)
        pairs = sorted({(row["source_before"], row["source"]) for row in rows})
        return [
            Fault.of(FaultKind.ROW_TWICE_CLINIC, self.sources[second].name, clinic=self.sources[first].name)
            for first, second in pairs
        ]

    def _slots(self, number: int, row: Any, clinic: Clinic, window: tuple[date, date]) -> Iterator[StagedSlot]:
        for starts_at, ends_at in slots(clinic, *window):
            if starts_at > self.now:
                yield number, 0, row["site"], starts_at, ends_at, row["product"], row["capacity"], row["id"]


def _clinic(row: Any, exceptions: list[Any]) -> Clinic:
    days: dict[date, Hours | None] = {}
    for each in exceptions:
        if each["site"] in {None, row["site"]} and each["region"] in {None, row["region"]}:
            days[each["day"]] = None if each["opens"] is None else (each["opens"], each["closes"])
    return Clinic(
        time_zone=row["time_zone"],
        weekdays=frozenset(row["weekdays"]),
        hours=(row["opens"], row["closes"]),
        breaks=tuple(zip(row["breaks_from"], row["breaks_until"], strict=True)),
        slot_minutes=row["slot_minutes"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        exceptions=days,
    )
