"""What a person sees of an offer."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from origin.inventory import slots
from origin.inventory.slots import Slot

State = Literal["waiting", "offered", "accepted", "left", "declined", "lapsed", "none_found"]


class Before(msgspec.Struct, frozen=True):
    """The time that the site has cancelled, with its UTC offset."""

    site: str
    starts_at: datetime
    ends_at: datetime


class Offer(msgspec.Struct, frozen=True):
    """Another time for an appointment whose slot was cancelled by its site.

    ``slot``: the time offered (last), its ``distance_km`` from where the appointment was; null while the first is
    looked for. ``until``: when it must be answered. ``may_return``: the appointment is cancelled, and its person may
    book again without the queue. ``reason``: the site's, in its own words.
    """

    id: UUID
    appointment: UUID
    state: State
    before: Before
    slot: Slot | None
    until: datetime | None
    reason: str
    may_return: bool


class Offers(msgspec.Struct, frozen=True):
    """A person's offers: open ones first."""

    offers: list[Offer]


class AnswerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The slot that is answered to: the one offered when the answer was written."""

    slot_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


def from_row(row: Any) -> Offer:
    """Return the offer of a row of ``offers`` in ``queries.sql``."""
    zone = ZoneInfo(row["was_time_zone"])
    before = Before(row["was_name"], row["was_starts_at"].astimezone(zone), row["was_ends_at"].astimezone(zone))
    return Offer(
        id=row["offer"],
        appointment=row["appointment"],
        state=row["state"],
        before=before,
        slot=None if row["id"] is None else slots.from_row(row),
        until=row["until"],
        reason=row["reason"],
        may_return=row["may_return"],
    )
