"""What people send and see of the waitlist."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from origin.inventory import slots
from origin.inventory.slots import Slot

State = Literal["waiting", "offered", "booked", "left", "over"]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class JoinForm(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """Where and when: a site, or a point with the kilometres around it; from when until before when, for 62 days."""

    decision_ref: UUID
    starts_from: Time
    starts_before: Time
    site_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    radius_km: Annotated[float, msgspec.Meta(ge=0.001, le=1000)] | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}):
    """Somebody's entry. ``slot``: the place that is held for them until ``until``; ``site_name``: of the one wished."""

    id: UUID
    programme: str
    state: State
    site_id: int | None
    site_name: str | None
    lat: float | None
    lng: float | None
    radius_km: float | None
    starts_from: datetime
    starts_before: datetime
    created_at: datetime
    slot: Slot | None
    until: datetime | None


class Entries(msgspec.Struct, frozen=True):
    """A person's entries, open ones first."""

    entries: list[Entry]


def from_row(row: Any) -> Entry:
    """Return the entry of a row of ``entries`` in ``queries.sql``."""
    slot = None if row["id"] is None else slots.from_row(row)
    return Entry(
        id=row["entry"],
        programme=row["programme"],
        state=row["state"],
        site_id=row["wished_site"],
        site_name=row["wished_name"],
        lat=row["wished_lat"],
        lng=row["wished_lng"],
        radius_km=row["radius_km"],
        starts_from=row["starts_from"],
        starts_before=row["starts_before"],
        created_at=row["created_at"],
        slot=slot,
        until=None if slot is None else row["until"],
    )
