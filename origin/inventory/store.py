"""Supply in the database, as the search reads it."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import msgspec

from origin.db.sql import Connection, load
from origin.inventory.search import FIRST, Area, Position, Sort, Span, Wanted
from origin.inventory.slots import Slot, from_row, from_rows

QUERIES = Path(__file__).with_name("queries.sql")
SEARCH = Path(__file__).with_name("search.sql")
_ALTERNATIVES = 6
_ALTERNATIVE_SITES = 8
_ALTERNATIVES_PER_SITE = 2
_ALTERNATIVE_RADIUS_M = 50_000.0
_COUNTED_SITES = 100


@dataclass(frozen=True)
class Page:
    """Some slots of a search; ``end`` is where it goes on behind them, None at its end."""

    slots: list[Slot]
    end: Position | None


class FreeDay(msgspec.Struct, frozen=True):
    """A day with free places, on the sites' own calendars; ``sites``: how many have any."""

    day: date
    places: int
    sites: int


@dataclass(frozen=True)
class FreeDays:
    """The days with free places, in order. ``more_sites``: there are other sites, which were not counted."""

    days: list[FreeDay]
    more_sites: bool


class SlotStore:
    """Each method is one statement that reads; counts are as of that statement."""

    async def search(
        self,
        connection: Connection,
        wanted: Wanted,
        area: Area,
        span: Span,
        *,
        at_most: int,
        sort: Sort = "nearest",
        per_site: int | None = None,
        after: Position = FIRST,
    ) -> Page:
        """Return slots with free places behind ``after``: nearest site first, then earliest; or the earliest first.

        What stays free is on one page, and on no other, however the rest changes between pages.

        Args:
            per_site: the earliest so many of each site; counts for ``nearest`` only.
        """
        extra = {"per_site": per_site} if sort == "nearest" else {}
        rows = await load(SEARCH)[sort].rows(
            connection,
            **_circle(wanted, area),
            **msgspec.structs.asdict(span),
            **extra,
            at_most=at_most + 1,
            after_distance_m=after.distance_m,
            after_site=after.site,
            after_starts_at=after.starts_at,
            after_slot=after.slot,
        )
        shown = rows[:at_most]
        last = shown[-1] if len(rows) > at_most else None
        end = None if last is None else Position(last["distance_m"], last["site"], last["starts_at"], last["id"])
        return Page(from_rows(shown), end)

    async def days(
        self, connection: Connection, wanted: Wanted, area: Area, span: Span, *, first_day: date, end_day: date
    ) -> FreeDays:
        """Return the days with free places from ``first_day`` until before ``end_day``, at the nearest 100 sites.

        Args:
            span: wide enough for these days in every time zone of the circle.
        """
        rows = await load(SEARCH)["days"].rows(
            connection,
            **_circle(wanted, area),
            **msgspec.structs.asdict(span),
            sites=_COUNTED_SITES,
            first_day=first_day,
            end_day=end_day,
        )
        days = [FreeDay(row["day"], row["places"], row["sites"]) for row in rows if row["day"] is not None]
        return FreeDays(days, rows[0]["more_sites"])

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
        return from_rows(rows)

    async def one(self, connection: Connection, slot: int, *, programme: str) -> Slot | None:
        """Return one slot of a programme, free or not."""
        row = await load(QUERIES)["slot_facts"].row(connection, slot=slot, programme=programme)
        return None if row is None else from_row(row)


def _circle(wanted: Wanted, area: Area) -> dict[str, object]:
    return msgspec.structs.asdict(wanted) | msgspec.structs.asdict(area)
