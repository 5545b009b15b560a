"""Stop booking in a programme or one of its regions, at once, and let it go on."""

from datetime import datetime
from typing import Literal

import msgspec

from origin.admin.officials import QUERIES, RegionId, Why, audit, require_programme, require_region
from origin.db.sql import Connection, load
from origin.identity import Official


class FreezeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and where; without a region the whole programme."""

    reason: Why
    region: RegionId | None = None


class Freeze(msgspec.Struct, frozen=True):
    """What is frozen: a region, or null for the whole programme; since when, and why."""

    region: str | None
    since: datetime
    reason: str


class Freezes(msgspec.Struct, frozen=True):
    """Everything that is frozen in a programme now."""

    programme: str
    frozen: list[Freeze]


async def change(
    connection: Connection,
    official: Official,
    programme: str,
    form: FreezeForm,
    act: Literal["frozen", "unfrozen"],
    now: datetime,
) -> Freezes:
    """Freeze or unfreeze, with its history and audit row, and return what is frozen then.

    It waits for the bookings under way. From the moment it returns ``frozen``, nothing is booked: in the programme, or
    at the region's sites and for the region's people. A freeze of the programme and those of regions are separate.
    Unfreezing what is not frozen changes nothing.

    Raises:
        Problem: 404 ``programme_unknown``, ``region_unknown``.
        asyncpg.LockNotAvailableError: bookings under way took longer than four seconds; nothing was changed.
    """
    queries = load(QUERIES)
    async with connection.transaction():
        await require_programme(connection, programme)
        await require_region(connection, form.region)
        await queries["patience"].row(connection)
        await queries["lock_programme"].row(connection, programme=programme)
        statement = ("freeze" if act == "frozen" else "unfreeze") + ("_programme" if form.region is None else "_region")
        values = {"programme": programme, "region": form.region, "reason": form.reason, "now": now}
        if await queries[statement].run(connection, **values):
            row = await queries["add_freeze_event"].row(connection, **values, act=act, actor=official.name)
            assert row is not None
            await audit(connection, official, act, programme=programme, about=row["id"], now=now, region=form.region)
        return await freezes(connection, programme)


async def freezes(connection: Connection, programme: str) -> Freezes:
    """Return what is frozen now."""
    rows = await load(QUERIES)["freezes"].rows(connection, programme=programme)
    return Freezes(programme, [Freeze(row["region"], row["since"], row["reason"]) for row in rows])
