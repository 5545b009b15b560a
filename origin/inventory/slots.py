"""What a visitor sees of supply: slots at sites, in the site's own time."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

SlotId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Site(msgspec.Struct, frozen=True):
    """A place where people are immunized. ``time_zone``: IANA name."""

    id: int
    name: str
    address: str
    town: str
    lat: float
    lng: float
    time_zone: str
    step_free: bool


class Slot(msgspec.Struct, frozen=True):
    """A time at a site. Times carry the site's UTC offset; ``distance_km`` is from where was asked."""

    id: int
    site: Site
    starts_at: datetime
    ends_at: datetime
    product: str
    remaining: int
    distance_km: float


def from_row(row: Any) -> Slot:
    """Return the slot of a row of any statement in ``queries.sql``."""
    zone = ZoneInfo(row["time_zone"])
    site = Site(
        row["site"],
        row["name"],
        row["address"],
        row["town"],
        row["lat"],
        row["lng"],
        row["time_zone"],
        row["step_free"],
    )
    return Slot(
        id=row["id"],
        site=site,
        starts_at=row["starts_at"].astimezone(zone),
        ends_at=row["ends_at"].astimezone(zone),
        product=row["product"],
        remaining=row["remaining"],
        distance_km=round(row["distance_m"] / 1000, 3),
    )
