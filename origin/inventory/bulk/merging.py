"""What an import and a generation have in common: from staged slots to slots, by a plan, in batches."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from origin.db.sql import Connection
from origin.inventory.bulk.report import Booked, Put, Report, SlotCounts, Source
from origin.inventory.bulk.store import Merged, SupplyStore
from shared.clock import Clock
from shared.ids import Ids

BATCH = 5_000
"""Slots a commit: bookings of slots that are changed wait for one batch, a fraction of a second."""

_NAMED = 1_000

Tell = Callable[[str, int, int], None]
"""Is told what is going on, how much of it is done, out of how much."""


class ImportUnderWay(Exception):
    """Another import of this database is not done yet."""


class ProgrammeUnclear(Exception):
    """There is no such programme, or none was named and there is not exactly one."""


@dataclass(frozen=True)
class Wish:
    """How slots are brought: for which programme, in whose name, what about people in the way, or just to look."""

    programme: str
    actor: str
    booked: Booked | None
    dry_run: bool


@dataclass
class Merger:
    """Plans and merges; ``kind`` is how it is written down."""

    connection: Connection
    store: SupplyStore
    clock: Clock
    ids: Ids
    tell: Tell
    kind: Literal["import", "generate"]
    wish: Wish
    batch: int = field(default=BATCH)

    async def run(
        self, sources: Sequence[Source], put: Callable[[], Awaitable[dict[str, Put]]], now: datetime
    ) -> Report:
        """Put what is not a slot, then merge the staged slots; or do nothing, and say why.

        All that is not a slot comes in one commit, with the record of the import; then slots come in batches. Broken
        off between two of them, the same import goes on: what is done is found to be so already.
        """
        wish, import_id = self.wish, self.ids.uuid()
        report = Report("previewed", wish.programme, list(sources))
        transaction = self.connection.transaction()
        await transaction.start()
        go = False
        try:
            others = await put()
            self.tell("comparing", 0, 0)
            counts = await self.store.plan(self.connection, wish.programme, wish.booked, now)
            in_the_way = await self.store.in_the_way(self.connection, sources, _NAMED, now)
            report = msgspec.structs.replace(report, put=others, slots=counts, in_the_way=in_the_way)
            if counts.booked and not wish.dry_run:
                return msgspec.structs.replace(report, outcome="undecided")
            if (
                not counts.to_do
                and not counts.booked
                and not any(each.added or each.changed for each in others.values())
            ):
                return msgspec.structs.replace(report, outcome="unchanged")
            if wish.dry_run:
                return report
            await self.store.begin(
                self.connection,
                import_id,
                kind=self.kind,
                programme=wish.programme,
                actor=wish.actor,
                booked=wish.booked,
                sources=sources,
                counts=_told(others, counts),
                now=now,
            )
            go = True
        finally:
            await (transaction.commit() if go else transaction.rollback())
        done = await self._merge(counts)
        return await self._end(msgspec.structs.replace(report, import_id=import_id), done)

    async def _merge(self, counts: SlotCounts) -> list[Merged]:
        """Merge batch by batch."""
        done: list[Merged] = []
        for after in range(0, counts.to_do, self.batch):
            self.tell("merging", after, counts.to_do)
            now, upto = self.clock.now(), after + self.batch
            async with self.connection.transaction():
                done.append(
                    await self.store.merge(self.connection, self.wish.programme, self.wish.booked, now, after, upto)
                )
        self.tell("merging", counts.to_do, counts.to_do)
        return done

    async def _end(self, report: Report, done: Sequence[Merged]) -> Report:
        """Write down what was done, and name who came in the way meanwhile."""
        left = sum(each.left_alone for each in done)
        planned = report.slots
        slots = msgspec.structs.replace(
            planned,
            added=sum(each.added for each in done),
            changed=sum(each.changed for each in done) - planned.cut,
            booked=0 if self.wish.booked else left,
            left=planned.left + (left if self.wish.booked else 0),
            places=sum(each.places for each in done),
        )
        assert report.import_id is not None
        now = self.clock.now()
        async with self.connection.transaction():
            await self.store.finish(
                self.connection,
                report.import_id,
                kind=self.kind,
                programme=report.programme,
                sources=report.sources,
                counts=_told(report.put, slots),
                now=now,
            )
        if slots.to_do:
            await self.store.refresh_statistics(self.connection)
        in_the_way = await self.store.in_the_way(self.connection, report.sources, _NAMED, now)
        outcome: Literal["incomplete", "done"] = "incomplete" if slots.booked else "done"
        return msgspec.structs.replace(report, outcome=outcome, slots=slots, in_the_way=in_the_way)


def _told(put: dict[str, Put], slots: SlotCounts) -> dict[str, object]:
    return {**put, "slots": slots}
