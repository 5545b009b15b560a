"""What decides where the rules in force cannot be loaded: nobody, or the last known rules."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from origin.admin.officials import QUERIES, Why, audit, require_programme
from origin.db.sql import Connection, load
from origin.identity import Official


class FallbackForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the programme wants, and why: ``refuse`` new decisions, or let the ``last_known`` rules make them."""

    fallback: Literal["refuse", "last_known"]
    reason: Why


class Fallback(msgspec.Struct, frozen=True):
    """What the programme wants now."""

    programme: str
    fallback: Literal["refuse", "last_known"]


async def choose(
    connection: Connection, official: Official, programme: str, form: FallbackForm, *, about: UUID, now: datetime
) -> Fallback:
    """Choose, with an audit row about ``about``, and return what holds then; chosen already, it changes nothing.

    It waits for bookings and decisions under way. From the moment it returns ``refuse``, nothing is decided or booked
    by last known rules. Either choice is known to every origin within half a minute, which refuse meanwhile.

    Raises:
        Problem: 404 ``programme_unknown``.
        asyncpg.LockNotAvailableError: bookings under way took longer than four seconds; nothing was changed.
    """
    queries = load(QUERIES)
    async with connection.transaction():
        await require_programme(connection, programme)
        await queries["patience"].row(connection)
        await queries["lock_programme"].row(connection, programme=programme)
        last_known = form.fallback == "last_known"
        if await queries["choose_fallback"].run(connection, programme=programme, last_known=last_known):
            details = {"fallback": form.fallback, "reason": form.reason}
            await audit(connection, official, "rules_fallback", programme=programme, about=about, now=now, **details)
    return Fallback(programme, form.fallback)
