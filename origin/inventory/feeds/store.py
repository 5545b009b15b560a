"""The inventory as a feed reads it: in pages, each on a connection lent for that page.

No transaction spans a file. One that did would keep old versions of every slot that is booked meanwhile, and booking
lives by cleaning those up at once. So each line was true at some moment while the file was made.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from origin.db.pool import Database
from origin.db.sql import load
from origin.inventory.feeds.shapes import SiteFacts, SlotFacts

PAGE = 1_000
_QUERIES = Path(__file__).with_name("queries.sql")


class FeedStore:
    """Every method raises Problem, 503, while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def regions(self, programme: str, since: datetime) -> list[str]:
        """Return the ids of the regions where slots begin at ``since`` or later."""
        async with self._database.connection() as connection:
            rows = await load(_QUERIES)["feed_regions"].rows(connection, programme=programme, since=since)
        return [row["region"] for row in rows]

    async def sites(self, programme: str, region: str, since: datetime) -> list[SiteFacts]:
        """Return the region's sites where slots begin at ``since`` or later."""
        async with self._database.connection() as connection:
            rows = await load(_QUERIES)["feed_sites"].rows(connection, programme=programme, region=region, since=since)
        return [SiteFacts(*row) for row in rows]

    async def products(self, programme: str, site: int, since: datetime) -> list[str]:
        """Return the products of the site's slots that begin at ``since`` or later."""
        async with self._database.connection() as connection:
            rows = await load(_QUERIES)["feed_products"].rows(connection, programme=programme, site=site, since=since)
        return [row["product"] for row in rows]

    async def slots(self, programme: str, site: int, now: datetime) -> AsyncIterator[list[SlotFacts]]:
        """Yield the site's slots that have not begun, at most ``PAGE`` at a time."""
        behind = now, ""
        while True:
            async with self._database.connection() as connection:
                rows = await load(_QUERIES)["feed_slots"].rows(
                    connection,
                    programme=programme,
                    site=site,
                    starts_at=behind[0],
                    product=behind[1],
                    at_most=PAGE,
                )
            if rows:
                yield [SlotFacts(*row) for row in rows]
            if len(rows) < PAGE:
                return
            behind = rows[-1]["starts_at"], rows[-1]["product"]

    async def frozen(self, programme: str, region: str) -> bool:
        """Return whether nothing can be booked at the region's sites."""
        async with self._database.connection() as connection:
            row = await load(_QUERIES)["feed_frozen"].row(connection, programme=programme, region=region)
        return row is None or bool(row["frozen"])
