"""Supply comes in bulk: regions, sites, slots, by COPY."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from origin.db.sql import Connection, load
from origin.inventory.store import QUERIES


@dataclass(frozen=True)
class RegionRow:
    """A region people live in and sites lie in."""

    id: str
    name: str


@dataclass(frozen=True)
class SiteRow:
    """A site, in a region that is imported with it or before. ``time_zone``: IANA name;
    ``code``: what files call it, its id where nothing is said.
    """

    id: int
    region: str
    name: str
    address: str
    town: str
    lat: float
    lng: float
    time_zone: str
    step_free: bool = True
    code: str = ""


@dataclass(frozen=True)
class SlotRow:
    """A slot at a site. Times are aware; ``product`` is a CVX code."""

    programme: str
    site: int
    starts_at: datetime
    ends_at: datetime
    product: str
    capacity: int


_SITE = ("id", "region", "name", "address", "town", "lat", "lng", "time_zone", "step_free", "code")
_SLOT = ("programme", "site", "starts_at", "ends_at", "product", "capacity", "remaining")


async def import_supply(
    connection: Connection, regions: Iterable[RegionRow], sites: Iterable[SiteRow], slots: Iterable[SlotRow]
) -> int:
    """Add supply, all or nothing; return the number of slots. Every slot begins with its whole capacity free.

    The iterables may be generators; nothing but one row at a time is kept.

    Raises:
        asyncpg.UniqueViolationError: something of it is there already.
    """
    queries = load(QUERIES)
    async with connection.transaction():
        await connection.copy_records_to_table(
            "region", columns=("id", "name"), records=((row.id, row.name) for row in regions)
        )
        await connection.copy_records_to_table("site", columns=_SITE, records=map(_site, sites))
        copied = await connection.copy_records_to_table("slot", columns=_SLOT, records=map(_slot, slots))
        await queries["next_site_id"].row(connection)
    await queries["refresh_statistics"].run(connection)
    return int(copied.rpartition(" ")[2])


def _site(row: SiteRow) -> tuple[object, ...]:
    return (*(getattr(row, name) for name in _SITE[:-1]), row.code or str(row.id))


def _slot(row: SlotRow) -> tuple[object, ...]:
    return (row.programme, row.site, row.starts_at, row.ends_at, row.product, row.capacity, row.capacity)
