"""Capacity that is changed while people book, over HTTP against four origins.

Beside it stands the negative control: the same race, met by an import that reads what is booked and then writes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from origin.db.pool import connect
from origin.db.sql import Connection
from origin.inventory.bulk.report import Booked
from origin.inventory.bulk.store import Merged, SupplyStore
from tests.origin_world import Visitor
from tests.race.town import Town, codes
from tests.supply_world import Desk, row, slots_csv

PEOPLE = 24
FAR = datetime(2100, 1, 1, tzinfo=UTC)
Meanwhile = Callable[[], Awaitable[None]]


async def slot_of(town: Town, desk: Desk, capacity: int) -> int:
    """Make a slot by an import; return its id."""
    await desk.bring(slots_csv(row(9, capacity)))
    slot: int = await town.world.connection.fetchval("SELECT id FROM slot")
    return slot


async def test_capacity_goes_up_and_down_while_people_book_and_the_books_add_up(guarded: Town, tmp_path: Path) -> None:
    """B1: nothing is oversold, nothing is lost, and whoever has a place keeps it."""
    desk = Desk(guarded.world, tmp_path)
    slot = await slot_of(guarded, desk, 4)
    visitors = [guarded.visitor(number) for number in range(PEOPLE)]
    decisions = await asyncio.gather(*(each.decision() for each in visitors))
    rush = asyncio.gather(*(each.book(slot, ref) for each, ref in zip(visitors, decisions, strict=True)))
    wanted = (9, 2, 14, 0, 11, 3, 12)
    for capacity in wanted:
        report = await desk.bring(slots_csv(row(9, capacity)), booked="cut")
        assert report.outcome in {"done", "unchanged"}
        [(has, remaining, _)] = await guarded.tell()
        assert has >= capacity
        assert remaining >= 0
    answers = codes(await rush)
    assert answers["booked"] + answers["slot_gone"] == PEOPLE
    [(capacity, remaining, active)] = await guarded.tell()
    assert remaining == capacity - active
    assert active == answers["booked"] >= 4
    assert await desk.books_add_up()


class ReadThenWrite(SupplyStore):
    """What one would write without thinking of anybody else; ``meanwhile`` happens between the two."""

    def __init__(self, meanwhile: Meanwhile) -> None:
        self._meanwhile = meanwhile

    async def merge(
        self, connection: Connection, programme: str, booked: Booked | None, now: datetime, after: int, upto: int
    ) -> Merged:
        del programme, booked, now, after, upto
        read = await connection.fetchrow(
            "SELECT planned.slot, planned.capacity, slot.capacity - slot.remaining AS booked FROM planned"
            " JOIN slot ON slot.id = planned.slot"
        )
        assert read is not None
        await self._meanwhile()
        await connection.execute(
            "UPDATE slot SET capacity = $2::int, remaining = $2::int - $3::int WHERE id = $1",
            read["slot"],
            read["capacity"],
            read["booked"],
        )
        return Merged(0, 1, 0, 0)


class BookedMeanwhile(SupplyStore):
    """The real merge, but somebody books, or holds a place, right before it."""

    def __init__(self, meanwhile: Meanwhile) -> None:
        self._meanwhile = meanwhile

    async def merge(
        self, connection: Connection, programme: str, booked: Booked | None, now: datetime, after: int, upto: int
    ) -> Merged:
        await self._meanwhile()
        return await super().merge(connection, programme, booked, now, after, upto)


async def somebody(town: Town, desk: Desk, capacity: int) -> Meanwhile:
    """Return somebody who books the slot when called."""
    slot = await slot_of(town, desk, capacity)
    visitor = town.visitor(1)
    decision = await visitor.decision()

    async def book() -> None:
        assert (await visitor.book(slot, decision)).status_code == 201

    return book


async def test_an_import_that_reads_and_then_writes_sells_a_place_twice(guarded: Town, tmp_path: Path) -> None:
    desk = Desk(guarded.world, tmp_path)
    book = await somebody(guarded, desk, 2)
    await Desk(guarded.world, tmp_path, ReadThenWrite(book)).bring(slots_csv(row(9, 1)))
    assert await guarded.tell() == [(1, 1, 1)]
    assert not await desk.books_add_up()


async def test_whoever_books_between_the_plan_and_the_merge_is_counted(guarded: Town, tmp_path: Path) -> None:
    desk = Desk(guarded.world, tmp_path)
    book = await somebody(guarded, desk, 2)
    report = await Desk(guarded.world, tmp_path, BookedMeanwhile(book)).bring(slots_csv(row(9, 1)))
    assert report.outcome == "done"
    assert await guarded.tell() == [(1, 0, 1)]


@pytest.mark.parametrize(
    ("booked", "outcome", "after"),
    [(None, "incomplete", (2, 1, 1)), ("leave", "done", (2, 1, 1)), ("cut", "done", (1, 0, 1))],
)
async def test_whoever_books_what_is_being_cut_is_named_and_keeps_the_place(
    guarded: Town, tmp_path: Path, booked: Booked | None, outcome: str, after: tuple[int, int, int]
) -> None:
    desk = Desk(guarded.world, tmp_path)
    book = await somebody(guarded, desk, 2)
    report = await Desk(guarded.world, tmp_path, BookedMeanwhile(book)).bring(slots_csv(row(9, 0)), booked=booked)
    assert report.outcome == outcome
    assert await guarded.tell() == [after]
    if booked != "cut":
        [in_the_way] = report.in_the_way
        assert in_the_way.appointments == [await guarded.world.connection.fetchval("SELECT id FROM appointment")]
        assert report.slots.changed == 0


class GivesAllBack(BookedMeanwhile):
    """Takes every held place for a free one, as if it had lapsed."""

    async def merge(
        self, connection: Connection, programme: str, booked: Booked | None, now: datetime, after: int, upto: int
    ) -> Merged:
        return await super().merge(connection, programme, booked, max(now, FAR), after, upto)


async def holder(town: Town, slot: int) -> tuple[Visitor, str, Meanwhile]:
    """Return somebody, their decision, and how they open the slot."""
    visitor = town.visitor(1)
    decision = await visitor.decision()

    async def hold() -> None:
        assert (await visitor.hold(slot, decision)).status_code == 201

    return visitor, decision, hold


@pytest.mark.parametrize(
    ("booked", "outcome", "after"), [(None, "incomplete", (2, 1)), ("leave", "done", (2, 1)), ("cut", "done", (1, 0))]
)
async def test_whoever_holds_a_place_of_what_is_being_cut_can_book_it(
    guarded: Town, tmp_path: Path, booked: Booked | None, outcome: str, after: tuple[int, int]
) -> None:
    desk = Desk(guarded.world, tmp_path)
    slot = await slot_of(guarded, desk, 2)
    visitor, decision, hold = await holder(guarded, slot)
    report = await Desk(guarded.world, tmp_path, BookedMeanwhile(hold)).bring(slots_csv(row(9, 0)), booked=booked)
    assert report.outcome == outcome
    assert await guarded.tell() == [(*after, 0)]
    if booked != "cut":
        [told] = report.in_the_way
        assert (told.booked, told.held, told.appointments) == (0, 1, [])
        assert told.held_until is not None
    assert (await visitor.book(slot, decision)).status_code == 201
    assert await guarded.tell() == [(*after, 1)]
    assert await desk.books_add_up()


async def test_an_import_that_takes_held_places_for_free_ones_takes_one_from_its_holder(
    guarded: Town, tmp_path: Path
) -> None:
    desk = Desk(guarded.world, tmp_path)
    slot = await slot_of(guarded, desk, 2)
    visitor, decision, hold = await holder(guarded, slot)
    await Desk(guarded.world, tmp_path, GivesAllBack(hold)).bring(slots_csv(row(9, 0)), booked="cut")
    assert (await visitor.book(slot, decision)).json()["code"] == "slot_gone"


async def test_a_lapsed_hold_that_somebody_is_taking_over_is_theirs(
    guarded: Town, database_url: str, tmp_path: Path
) -> None:
    desk = Desk(guarded.world, tmp_path)
    slot = await slot_of(guarded, desk, 1)
    await desk.hold(slot, 1, seconds=-1)
    connection = guarded.world.connection
    taken = await connection.fetchval("SELECT id FROM hold")
    other = await connect(database_url)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT FROM hold WHERE id = $1 FOR UPDATE", taken)  # as `take_place` does
        report = await desk.bring(slots_csv(row(9, 0)))
        assert report.outcome == "incomplete"
        assert await guarded.tell() == [(1, 0, 0)]
        await transaction.rollback()
    finally:
        await other.close()
    assert (await desk.bring(slots_csv(row(9, 0)))).outcome == "done"
    assert await guarded.tell() == [(0, 0, 0)]
