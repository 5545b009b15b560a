"""Supply in the database, as the search reads it."""

from datetime import datetime
from pathlib import Path

from origin.db.sql import Connection, load
from origin.inventory.slots import Slot, from_row

QUERIES = Path(__file__).with_name("queries.sql")
_ALTERNATIVES = 6
_ALTERNATIVE_SITES = 8
_ALTERNATIVES_PER_SITE = 2
_ALTERNATIVE_RADIUS_M = 50_000.0


class SlotStore:
    """Each method is one statement that reads; counts are as of that statement."""

    async def search(
        self,
        connection: Connection,
        *,
        programme: str,
        lat: float,
        lng: float,
        radius_m: float,
        starts_from: datetime,
        starts_before: datetime,
        products: list[str] | None,
        per_site: int,
        at_most: int,
    ) -> list[Slot]:
        """Return slots with free places, nearest site first, then earliest."""
        rows = await load(QUERIES)["search"].rows(
            connection,
            programme=programme,
            lat=lat,
            lng=lng,
            radius_m=radius_m,
            starts_from=starts_from,
            starts_before=starts_before,
            products=products,
            per_site=per_site,
            at_most=at_most,
        )
        return [from_row(row) for row in rows]

    async def alternatives(
        self, connection: Connection, slot: int, *, products: list[str], now: datetime
    ) -> list[Slot]:
        """Return at most six free slots around a slot that is gone: nearest site first, then closest in time."""
        rows = await load(QUERIES)["alternatives"].rows(
            connection,
            slot=slot,
            now=now,
            products=products,
            radius_m=_ALTERNATIVE_RADIUS_M,
            sites=_ALTERNATIVE_SITES,
            per_site=_ALTERNATIVES_PER_SITE,
            at_most=_ALTERNATIVES,
        )
        return [from_row(row) for row in rows]

    async def one(self, connection: Connection, slot: int, *, programme: str) -> Slot | None:
        """Return one slot of a programme, free or not."""
        row = await load(QUERIES)["slot_facts"].row(connection, slot=slot, programme=programme)
        return None if row is None else from_row(row)
