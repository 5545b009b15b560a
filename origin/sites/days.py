"""A day at a site, for its staff: who is expected, who came, who did not."""

from datetime import date, datetime, timedelta
from datetime import time as clock_time
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from origin import errors
from origin.db.sql import Connection, load
from origin.identity import Official
from origin.sites.models import DayAppointment, DayList, DaySlot, Mark, reference
from origin.sites.staff import QUERIES, StaffedSite
from shared.problem import Problem

_REFUSED = {
    "unknown": errors.APPOINTMENT_UNKNOWN,
    "mark_refused": errors.MARK_REFUSED,
    "mark_early": errors.MARK_EARLY,
}


async def day_list(connection: Connection, site: StaffedSite, day: date, now: datetime) -> DayList:
    """Return the slots that begin on a day of the site's clock, and who is in them. Cancelled appointments are not."""
    starts_from, starts_before = bounds(site, day)
    rows = await load(QUERIES)["past_day" if starts_before <= now else "day"].rows(
        connection, site=site.id, starts_from=starts_from, starts_before=starts_before
    )
    zone = ZoneInfo(site.time_zone)
    slots = [_slot(list(each), zone) for _, each in groupby(rows, key=itemgetter("slot"))]
    return DayList(site.code, site.name, day, now, slots)


def bounds(site: StaffedSite, day: date) -> tuple[datetime, datetime]:
    """Return when a day of the site's clock begins, and when the next one does."""
    zone = ZoneInfo(site.time_zone)
    return (
        datetime.combine(day, clock_time(), zone),
        datetime.combine(day + timedelta(days=1), clock_time(), zone),
    )


async def mark(
    connection: Connection, official: Official, site: StaffedSite, appointment: UUID, status: Mark, now: datetime
) -> None:
    """Mark an appointment of the site, with the audit row. Marked again, nothing changes.

    Raises:
        Problem: 404 ``appointment_unknown``, also at other sites; 409 ``mark_refused``, ``mark_early``.
    """
    try:
        row = await load(QUERIES)["mark"].row(
            connection,
            site=site.id,
            appointment=appointment,
            status=status,
            role=official.role,
            staff=official.pseudonym,
            now=now,
        )
    except asyncpg.UniqueViolationError:  # its person has another appointment for this dose by now
        raise Problem(errors.MARK_REFUSED) from None
    assert row is not None
    refused = _REFUSED.get(row["outcome"])
    if refused is not None:
        raise Problem(refused)


def _slot(rows: list[Any], zone: ZoneInfo) -> DaySlot:
    first = rows[0]
    return DaySlot(
        id=first["slot"],
        starts_at=first["starts_at"].astimezone(zone),
        ends_at=first["ends_at"].astimezone(zone),
        product=first["product"],
        capacity=first["capacity"],
        remaining=first["remaining"],
        is_cancelled=first["is_cancelled"],
        appointments=[
            DayAppointment(row["id"], reference(row["id"]), row["status"], row["dose"])
            for row in rows
            if row["id"] is not None
        ],
    )
