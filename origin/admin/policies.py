"""What a programme allows: holds, changes, other times where a site cancels, the waitlist."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec

from origin.admin.officials import QUERIES, Why, audit, require_programme
from origin.db.sql import Connection, load
from origin.identity import Official

LONGEST_HOLD_S = 3600
LONGEST_CHANGE_S = 366 * 24 * 3600
MOST_TIMES = 1_000
LONGEST_OFFER_S = 30 * 24 * 3600
MOST_KM = 1_000
MOST_DAYS = 366
LONGEST_RETURN_S = 366 * 24 * 3600
LONGEST_WAITLIST_S = 7 * 24 * 3600
_NAMES = ("programme", "name")

_HoldLasts = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_HOLD_S)]
_ChangeUntil = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_CHANGE_S)]
_Times = Annotated[int, msgspec.Meta(ge=0, le=MOST_TIMES)]
_OfferLasts = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_OFFER_S)]
_OfferLead = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_OFFER_S)]
_Km = Annotated[int, msgspec.Meta(ge=1, le=MOST_KM)]
_Days = Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)]
_ReturnWithin = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_RETURN_S)]
_WaitlistLasts = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_WAITLIST_S)]


class PolicyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What shall be otherwise, and why; what is left out stays. ``…_s``: seconds; null: any number of times."""

    reason: Why
    hold_lasts_s: _HoldLasts | msgspec.UnsetType = msgspec.UNSET
    change_until_s: _ChangeUntil | msgspec.UnsetType = msgspec.UNSET
    moves_at_most: _Times | msgspec.UnsetType | None = msgspec.UNSET
    cancels_at_most: _Times | msgspec.UnsetType | None = msgspec.UNSET
    offer_lasts_s: _OfferLasts | msgspec.UnsetType = msgspec.UNSET
    offer_lead_s: _OfferLead | msgspec.UnsetType = msgspec.UNSET
    offer_radius_km: _Km | msgspec.UnsetType = msgspec.UNSET
    offer_days: _Days | msgspec.UnsetType = msgspec.UNSET
    return_within_s: _ReturnWithin | msgspec.UnsetType = msgspec.UNSET
    waitlist: bool | msgspec.UnsetType = msgspec.UNSET
    waitlist_lasts_s: _WaitlistLasts | msgspec.UnsetType = msgspec.UNSET


class Policies(msgspec.Struct, frozen=True):
    """What holds now. ``change_until_s``: seconds before the start, until when people move and cancel.

    ``moves_at_most``: of one appointment; ``cancels_at_most``: by one person in the programme; null, any number.

    Where a site cancels, other times are offered: ``offer_radius_km`` away at most, ``offer_days`` before or after.
    Each is kept for ``offer_lasts_s`` seconds, and until ``offer_lead_s`` seconds before it begins at the latest. For
    ``return_within_s`` seconds from the end of their appointment people may book again without the queue.

    ``waitlist``: whether one can join it; ``waitlist_lasts_s``: seconds to take a place that became free.
    """

    programme: str
    name: str
    hold_lasts_s: int
    change_until_s: int
    moves_at_most: int | None
    cancels_at_most: int | None
    offer_lasts_s: int
    offer_lead_s: int
    offer_radius_km: int
    offer_days: int
    return_within_s: int
    waitlist: bool
    waitlist_lasts_s: int


async def policies(connection: Connection, programme: str) -> Policies:
    """Return what holds now.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    await require_programme(connection, programme)
    row = await load(QUERIES)["policies"].row(connection, programme=programme)
    assert row is not None
    return _of(row)


async def change(
    connection: Connection, official: Official, programme: str, form: PolicyForm, *, about: UUID, now: datetime
) -> Policies:
    """Change what is given, with an audit row about ``about``, and return what holds then.

    Where that is what holds already, nothing is changed and nothing written. It counts from the next hold, move,
    cancellation or offer on; what is held stays held as long as was said. The way back is as long as is said now, also
    for whoever has it already.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    async with connection.transaction():
        await require_programme(connection, programme)
        before = await load(QUERIES)["lock_policies"].row(connection, programme=programme)
        assert before is not None
        wanted = _merged(_of(before), form)
        if wanted != _of(before):
            await load(QUERIES)["set_policies"].run(connection, programme=programme, **_columns(wanted))
            details = msgspec.structs.asdict(wanted) | {"reason": form.reason}
            for name in _NAMES:
                del details[name]
            await audit(connection, official, "policies", programme=programme, about=about, now=now, **details)
    return wanted


def _merged(before: Policies, form: PolicyForm) -> Policies:
    given = {name: value for name, value in msgspec.structs.asdict(form).items() if value is not msgspec.UNSET}
    del given["reason"]
    return msgspec.structs.replace(before, **given)


def _columns(wanted: Policies) -> dict[str, object]:
    """Return what the columns are to hold: lengths of time without their unit in the name."""
    return {
        name.removesuffix("_s"): timedelta(seconds=value) if name.endswith("_s") else value
        for name, value in msgspec.structs.asdict(wanted).items()
        if name not in _NAMES
    }


def _of(row: asyncpg.Record) -> Policies:
    held: dict[str, Any] = {
        name: int(row[name.removesuffix("_s")].total_seconds()) if name.endswith("_s") else row[name]
        for name in Policies.__struct_fields__
        if name not in _NAMES
    }
    return Policies(row["id"], row["name"], **held)
