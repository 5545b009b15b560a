"""What a visitor sees of supply: slots at sites, in the site's own time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

SlotId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]

Feature = Literal[
    "accessible_parking",
    "accessible_toilet",
    "braille",
    "hearing_loop",
    "low_counter",
    "quiet_room",
    "sign_language",
]
"""What a site may offer beyond having no steps: the words of supply files."""


class Site(msgspec.Struct, frozen=True):
    """A place where people are immunized. ``time_zone``: IANA name; ``accessibility``: where it was asked for."""

    id: int
    name: str
    address: str
    town: str
    lat: float
    lng: float
    time_zone: str
    step_free: bool
    accessibility: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class Slot(msgspec.Struct, frozen=True):
    """A time at a site. Times carry the site's UTC offset; ``distance_km`` is from where was asked."""

    id: int
    site: Site
    starts_at: datetime
    ends_at: datetime
    product: str
    remaining: int
    distance_km: float


def from_rows(rows: Iterable[Any]) -> list[Slot]:
    """Return the slots of rows; those of one site share it."""
    sites: dict[int, tuple[Site, ZoneInfo]] = {}
    slots = []
    for row in rows:
        known = sites.get(row["site"])
        if known is None:
            known = sites[row["site"]] = _site(row), ZoneInfo(row["time_zone"])
        slots.append(_slot(row, *known))
    return slots


def from_row(row: Any) -> Slot:
    """Return the slot of a row of any statement in ``queries.sql``."""
    return from_rows([row])[0]


def _site(row: Any) -> Site:
    return Site(
        row["site"],
        row["name"],
        row["address"],
        row["town"],
        row["lat"],
        row["lng"],
        row["time_zone"],
        row["step_free"],
        tuple(row["accessibility"]),
    )


def _slot(row: Any, site: Site, zone: ZoneInfo) -> Slot:
    return Slot(
        id=row["id"],
        site=site,
        starts_at=row["starts_at"].astimezone(zone),
        ends_at=row["ends_at"].astimezone(zone),
        product=row["product"],
        remaining=row["remaining"],
        distance_km=round(row["distance_m"] / 1000, 3),
    )
