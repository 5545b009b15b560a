"""Courses: which dose follows which, after how many days; where the next one can be had."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import msgspec

from origin.db.sql import Connection, load
from origin.inventory.slots import Slot, from_row

QUERIES = Path(__file__).with_name("courses.sql")
_RADIUS_M = 50_000.0
_SITES = 8
_PER_SITE = 48
_PER_DAY = 6


class Following(msgspec.Struct, frozen=True):
    """What follows a dose that is had at a slot: the same product, from ``first_day`` to ``last_day``, both included.

    Days are counted on each site's own clock. ``dose``: the number of the dose that follows. ``first_alone``: the dose
    before may be booked without it.
    """

    product: str
    dose: int
    days_min: int
    days_max: int
    first_day: date
    last_day: date
    first_alone: bool


async def following(connection: Connection, slot: int, *, programme: str, dose: int) -> Following | None:
    """Return what follows ``dose`` where it is had at a slot of the programme; None where nothing does."""
    row = await load(QUERIES)["course_behind"].row(connection, slot=slot, programme=programme, dose=dose)
    if row is None:
        return None
    return Following(
        row["product"],
        row["dose"] + 1,
        row["days_min"],
        row["days_max"],
        row["first_day"],
        row["last_day"],
        row["first_alone"],
    )


async def next_doses(
    connection: Connection, slot: int, *, programme: str, dose: int, now: datetime, at_most: int
) -> list[Slot]:
    """Return free slots for the dose behind ``dose`` at ``slot``: its own site first, then the nearest, then earliest.

    At most eight sites within 50 km, of each at most six slots a day, 48 in all.
    """
    rows = await load(QUERIES)["next_doses"].rows(
        connection,
        slot=slot,
        programme=programme,
        dose=dose,
        now=now,
        radius_m=_RADIUS_M,
        sites=_SITES,
        per_site=_PER_SITE,
        per_day=_PER_DAY,
        at_most=at_most,
    )
    return [from_row(row) for row in rows]


async def in_interval(
    connection: Connection, slots: Sequence[int], *, programme: str, dose: int, next_slot: int
) -> set[int]:
    """Return those of ``slots`` from which the dose behind ``dose`` can be had at ``next_slot``."""
    rows = await load(QUERIES)["in_interval"].rows(
        connection, slots=slots, programme=programme, dose=dose, next=next_slot
    )
    return {row["id"] for row in rows}


async def dose_of(connection: Connection, decision: UUID) -> int:
    """Return the dose that a decision grants; 1 where it grants none."""
    row = await load(QUERIES)["dose_of"].row(connection, decision=decision)
    return 1 if row is None or row["dose"] is None else int(row["dose"])
