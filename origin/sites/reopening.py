"""A site opens cancelled slots again, as free places, once everybody who was in them has an answer."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from origin import errors
from origin.db.sql import Connection, load
from origin.identity import Official
from origin.sites.cancelling import which
from origin.sites.models import ReopenForm, Reopening, Reopenings
from origin.sites.staff import QUERIES, StaffedSite
from shared.problem import Problem


async def reopen_slots(
    connection: Connection, official: Official, site: StaffedSite, form: ReopenForm, id_: UUID, now: datetime
) -> Reopening:
    """Open cancelled slots that have not begun, with an audit row: all of them, or none.

    From the moment it returns their places can be booked, held and offered like any others.

    Raises:
        Problem: 409 ``nothing_to_reopen``; 409 ``cancellation_runs`` (with ``people``, how many of their cancellations
            wait for another time or have one to answer). Nothing is done then. 422 ``invalid_body``.
        asyncpg.LockNotAvailableError: what is under way took longer than four seconds; nothing was changed.
    """
    queries = load(QUERIES)
    async with connection.transaction():
        await queries["patience"].row(connection)
        done = await queries["reopen_slots"].row(
            connection,
            reopening=id_,
            **which(site, form),
            places=form.places,
            reason=form.reason,
            actor=official.name,
            role=official.role,
            person=official.pseudonym,
            now=now,
        )
        assert done is not None
        if not done["slots"]:
            raise Problem(errors.NOTHING_TO_REOPEN)
        if done["people"]:
            raise Problem(errors.CANCELLATION_RUNS, people=done["people"])
        row = await queries["reopenings"].row(connection, site=site.id, reopening=id_)
    return _reopening(site, row)


async def reopenings(connection: Connection, site: StaffedSite) -> Reopenings:
    """Return what the site has opened again, newest first."""
    rows = await load(QUERIES)["reopenings"].rows(connection, site=site.id, reopening=None)
    return Reopenings([_reopening(site, row) for row in rows])


async def start_of(connection: Connection, site: StaffedSite, slot: int) -> datetime:
    """Return when a slot of the site begins, on the site's clock.

    Raises:
        Problem: 404 ``slot_unknown``, also at other sites.
    """
    row = await load(QUERIES)["start_of_slot"].row(connection, slot=slot, site=site.id)
    if row is None:
        raise Problem(errors.SLOT_UNKNOWN)
    starts_at: datetime = row["starts_at"]
    return starts_at.astimezone(ZoneInfo(site.time_zone))


def _reopening(site: StaffedSite, row: Any) -> Reopening:
    zone = ZoneInfo(site.time_zone)
    return Reopening(
        id=row["id"],
        site=site.code,
        first=row["first"].astimezone(zone),
        last=row["last"].astimezone(zone),
        slots=row["slots"],
        places=row["places"],
        reason=row["reason"],
        actor=row["actor"],
        at=row["at"],
    )
