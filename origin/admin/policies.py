"""What a programme allows: how long a place is held, until when and how often people change an appointment."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec

from origin.admin.officials import QUERIES, Why, audit, require_programme
from origin.db.sql import Connection, load
from origin.identity import Official

LONGEST_HOLD_S = 3600
LONGEST_CHANGE_S = 366 * 24 * 3600
MOST_TIMES = 1_000

_HoldLasts = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_HOLD_S)]
_ChangeUntil = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_CHANGE_S)]
_Times = Annotated[int, msgspec.Meta(ge=0, le=MOST_TIMES)]


class PolicyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What shall be otherwise, and why; what is left out stays. ``…_s``: seconds; null: any number of times."""

    reason: Why
    hold_lasts_s: _HoldLasts | msgspec.UnsetType = msgspec.UNSET
    change_until_s: _ChangeUntil | msgspec.UnsetType = msgspec.UNSET
    moves_at_most: _Times | msgspec.UnsetType | None = msgspec.UNSET
    cancels_at_most: _Times | msgspec.UnsetType | None = msgspec.UNSET


class Policies(msgspec.Struct, frozen=True):
    """What holds now. ``change_until_s``: seconds before the start, until when people move and cancel.

    ``moves_at_most``: of one appointment; ``cancels_at_most``: by one person in the programme; null, any number.
    """

    programme: str
    name: str
    hold_lasts_s: int
    change_until_s: int
    moves_at_most: int | None
    cancels_at_most: int | None


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

    Where that is what holds already, nothing is changed and nothing written. It counts from the next hold, move or
    cancellation on; what is held stays held as long as was said.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    async with connection.transaction():
        await require_programme(connection, programme)
        before = await load(QUERIES)["lock_policies"].row(connection, programme=programme)
        assert before is not None
        wanted = _merged(_of(before), form)
        if wanted != _of(before):
            await load(QUERIES)["set_policies"].run(
                connection,
                programme=programme,
                hold_lasts=timedelta(seconds=wanted.hold_lasts_s),
                change_until=timedelta(seconds=wanted.change_until_s),
                moves_at_most=wanted.moves_at_most,
                cancels_at_most=wanted.cancels_at_most,
            )
            details = msgspec.structs.asdict(wanted) | {"reason": form.reason}
            del details["programme"], details["name"]
            await audit(connection, official, "policies", programme=programme, about=about, now=now, **details)
    return wanted


def _merged(before: Policies, form: PolicyForm) -> Policies:
    given = {name: value for name, value in msgspec.structs.asdict(form).items() if value is not msgspec.UNSET}
    del given["reason"]
    return msgspec.structs.replace(before, **given)


def _of(row: asyncpg.Record) -> Policies:
    return Policies(
        programme=row["id"],
        name=row["name"],
        hold_lasts_s=int(row["hold_lasts"].total_seconds()),
        change_until_s=int(row["change_until"].total_seconds()),
        moves_at_most=row["moves_at_most"],
        cancels_at_most=row["cancels_at_most"],
    )
