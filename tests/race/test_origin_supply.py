"""Capacity that is changed while people book, over HTTP against four origins.

Beside it stands the negative control: the same race, met by an import that reads what is booked and then writes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from origin.db.sql import Connection
from origin.inventory.bulk.report import Booked
from origin.inventory.bulk.store import Merged, SupplyStore
from tests.race.town import Town, codes
from tests.supply_world import Desk, row, slots_csv

PEOPLE = 24
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
        self, connection: Connection, programme: str, booked: Booked | None, after: int, upto: int
    ) -> Merged:
        del programme, booked, after, upto
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
    """The real merge, but somebody books right before it."""

    def __init__(self, meanwhile: Meanwhile) -> None:
        self._meanwhile = meanwhile

    async def merge(
        self, connection: Connection, programme: str, booked: Booked | None, after: int, upto: int
    ) -> Merged:
        await self._meanwhile()
        return await super().merge(connection, programme, booked, after, upto)


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
