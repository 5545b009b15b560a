"""A site cancels slots: nothing is booked there once it returns, and the worker finds everybody another time."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from origin import errors
from origin.db.sql import Connection, load
from origin.identity import Official
from origin.sites.models import (
    CancelForm,
    Cancellation,
    Cancellations,
    Concerned,
    Preview,
    Progress,
    ReopenForm,
    reference,
)
from origin.sites.staff import QUERIES, StaffedSite
from shared.problem import INVALID_BODY, Problem

_PROGRESS = tuple(field.name for field in msgspec.structs.fields(Progress))


async def preview(connection: Connection, site: StaffedSite, form: CancelForm, now: datetime) -> Preview:
    """Return what would be cancelled, and name the appointments; nothing is done.

    Raises:
        Problem: 409 ``nothing_to_cancel``; 422 ``invalid_body``.
    """
    queries = load(QUERIES)
    rows = await queries["slots_to_cancel"].rows(connection, now=now, **which(site, form))
    if not rows:
        raise Problem(errors.NOTHING_TO_CANCEL)
    people = await queries["people_in"].rows(connection, slots=[row["id"] for row in rows])
    zone = ZoneInfo(site.time_zone)
    named = [
        Concerned(row["id"], reference(row["id"]), row["starts_at"].astimezone(zone), row["product"]) for row in people
    ]
    return Preview(len(rows), len(named), named)


async def cancel_slots(
    connection: Connection, official: Official, site: StaffedSite, form: CancelForm, id_: UUID, now: datetime
) -> Cancellation:
    """Cancel slots with everybody in them, as long as they are as many as was confirmed.

    It waits for the bookings under way. From the moment it returns nothing can be booked in these slots, also not by
    who held a place. Their people are told one by one, by the worker.

    Raises:
        Problem: 409 ``nothing_to_cancel``, ``people_changed`` (with ``people``, how many they are now); nothing is done
            then. 422 ``invalid_body``.
        asyncpg.LockNotAvailableError: bookings under way took longer than four seconds; nothing was changed.
    """
    queries = load(QUERIES)
    async with connection.transaction():
        await queries["patience"].row(connection)
        done = await queries["cancel_slots"].row(
            connection,
            cancellation=id_,
            **which(site, form),
            reason=form.reason,
            actor=official.name,
            role=official.role,
            person=official.pseudonym,
            now=now,
        )
        assert done is not None
        if not done["slots"]:
            raise Problem(errors.NOTHING_TO_CANCEL)
        if done["people"] != form.confirm:
            raise Problem(errors.PEOPLE_CHANGED, people=done["people"])
    return await cancellation(connection, site, id_)


async def cancellation(connection: Connection, site: StaffedSite, id_: UUID) -> Cancellation:
    """Return slots that the site has cancelled, and how far their people are.

    Raises:
        Problem: 404 ``cancellation_unknown``.
    """
    rows = await load(QUERIES)["cancellations"].rows(connection, site=site.id, cancellation=id_)
    if not rows:
        raise Problem(errors.CANCELLATION_UNKNOWN)
    return _cancellation(site, rows[0])


async def cancellations(connection: Connection, site: StaffedSite) -> Cancellations:
    """Return what the site has cancelled, newest first."""
    rows = await load(QUERIES)["cancellations"].rows(connection, site=site.id, cancellation=None)
    return Cancellations([_cancellation(site, row) for row in rows])


def which(site: StaffedSite, form: CancelForm | ReopenForm) -> dict[str, object]:
    """Return which slots are meant: one, or those of a window; raises Problem 422 ``invalid_body``."""
    window = form.starts_from, form.starts_before
    if (form.slot_id is None) == (window == (None, None)) or window.count(None) == 1:
        raise Problem(INVALID_BODY, "give `slot_id`, or `from` and `to`")
    if form.starts_from and form.starts_before and form.starts_before <= form.starts_from:
        raise Problem(INVALID_BODY, "`to` does not lie behind `from`")
    return {
        "site": site.id,
        "slot": form.slot_id,
        "starts_from": form.starts_from,
        "starts_before": form.starts_before,
    }


def _cancellation(site: StaffedSite, row: Any) -> Cancellation:
    progress = Progress(**{name: row[name] for name in _PROGRESS})
    zone = ZoneInfo(site.time_zone)
    return Cancellation(
        id=row["id"],
        site=site.code,
        first=row["first"].astimezone(zone),
        last=row["last"].astimezone(zone),
        slots=row["slots"],
        people=row["people"],
        reason=row["reason"],
        actor=row["actor"],
        at=row["at"],
        reopened=row["reopened"],
        is_finished=progress.waiting + progress.offered == 0,
        progress=progress,
    )
