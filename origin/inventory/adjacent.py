"""Times at which several people can be served together."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from origin.db.sql import Connection, load
from origin.inventory.slots import Site

_QUERIES = Path(__file__).with_name("adjacent.sql")
_STARTS_PER_SITE = 60


class Places(msgspec.Struct, frozen=True):
    """How many of the party are served in one slot; ``product``: CVX code."""

    slot_id: int
    starts_at: datetime
    ends_at: datetime
    product: str
    places: int


class Together(msgspec.Struct, frozen=True):
    """One slot with room for a party, or several that follow each other without a gap, at one site, in their order."""

    site: Site
    distance_km: float
    starts_at: datetime
    ends_at: datetime
    slots: list[Places]


async def adjacent(
    connection: Connection,
    *,
    programme: str,
    party: int,
    products: list[str],
    lat: float,
    lng: float,
    radius_m: float,
    starts_from: datetime,
    starts_before: datetime,
    at_most: int,
) -> list[Together]:
    """Return where ``party`` people can be served together: nearest site first, then earliest.

    Every one of them may have any of ``products``. Counts are as of this statement: nothing is held.
    """
    rows = await load(_QUERIES)["adjacent"].rows(
        connection,
        programme=programme,
        party=party,
        products=products,
        lat=lat,
        lng=lng,
        radius_m=radius_m,
        starts_from=starts_from,
        starts_before=starts_before,
        starts_per_site=_STARTS_PER_SITE,
        at_most=at_most,
    )
    return [_of_row(row) for row in rows]


def _of_row(row: Any) -> Together:
    zone = ZoneInfo(row["time_zone"])
    names = ("site", "name", "address", "town", "lat", "lng", "time_zone", "step_free")
    columns = (row[name] for name in ("slots", "starts", "ends", "products", "places"))
    slots = [
        Places(slot, start.astimezone(zone), end.astimezone(zone), product, places)
        for slot, start, end, product, places in zip(*columns, strict=True)
    ]
    return Together(
        site=Site(*(row[name] for name in names)),
        distance_km=round(row["distance_m"] / 1000, 3),
        starts_at=slots[0].starts_at,
        ends_at=max(each.ends_at for each in slots),
        slots=slots,
    )
