"""When the files of a feed are made, and how often: at most once in a window of time, however many ask.

Windows are cut by the clock, the same on every origin. Within one, the manifest is the same everywhere, and every file
that is fetched is no older than the window, which is what the manifest says of them.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Literal

from origin import errors
from origin.admin.programmes import Programme
from origin.inventory.feeds import shapes
from origin.inventory.feeds.resources import Manifest
from origin.inventory.feeds.shapes import Publisher, SiteFacts
from origin.inventory.feeds.spool import Reader, Spool
from origin.inventory.feeds.store import FeedStore
from origin.metrics import OriginMetrics
from shared.clock import Clock
from shared.problem import Problem

Kind = Literal["Location", "Schedule", "Slot"]

# Sites and schedules are told of for a day longer than their last slot: none is left pointing at nothing when the first
# file is fetched behind the last slot's start, and the third before it.
_GRACE = timedelta(days=1)


@dataclass(frozen=True)
class Edition:
    """A file as of ``as_of``, the beginning of its making; ``made_in`` is the beginning of its window."""

    spool: Spool
    as_of: datetime
    made_in: datetime


class Feeds:
    """The feeds of one process. One file is made at a time: they cost the database one connection at most."""

    def __init__(
        self, store: FeedStore, clock: Clock, metrics: OriginMetrics, *, every_s: float, origin_url: str, edge_url: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._every_s = every_s
        self._origin_url = origin_url
        self._edge_url = edge_url
        self._making = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._editions: dict[tuple[str, str, Kind], Edition] = {}
        self._regions: dict[str, tuple[datetime, list[str]]] = {}

    @property
    def window(self) -> datetime:
        """When the window that is now began."""
        return datetime.fromtimestamp(math.floor(self._clock.unix() / self._every_s) * self._every_s, UTC)

    @property
    def fresh_s(self) -> int:
        """For how many seconds what is given out now is the newest there is, at least 1."""
        return max(1, math.ceil(self.window.timestamp() + self._every_s - self._clock.unix()))

    def publisher(self, programme: Programme) -> Publisher:
        """Return who speaks for the programme."""
        return Publisher.of(self._origin_url, self._edge_url, programme=programme.id, room=programme.room)

    async def manifest(self, programme: Programme) -> Manifest:
        """Return the manifest of this window.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        window = self.window
        return shapes.manifest(self.publisher(programme), await self._regions_of(programme, window), window)

    async def read(self, programme: Programme, kind: Kind, region: str) -> tuple[Edition, Reader]:
        """Return a file of this window, made now where nobody has asked for it before, and a reading of it.

        Raises:
            Problem: 404 ``region_unknown``; 503 ``store_unavailable``.
        """
        key = programme.id, region, kind
        edition = self._editions.get(key)
        if edition is None or edition.made_in != self.window:
            async with self._making:
                edition = self._editions.get(key)
                if edition is None or edition.made_in != self.window:
                    edition = await self._replace(programme, kind, region)
        return edition, edition.spool.reader()

    def close(self) -> None:
        """Give every file up."""
        for edition in self._editions.values():
            edition.spool.close()
        self._editions.clear()

    async def _regions_of(self, programme: Programme, window: datetime) -> list[str]:
        async with self._looking:
            known = self._regions.get(programme.id)
            if known is None or known[0] != window:
                known = window, await self._store.regions(programme.id, window - _GRACE)
                self._regions[programme.id] = known
            return known[1]

    async def _replace(self, programme: Programme, kind: Kind, region: str) -> Edition:
        started, window, as_of = perf_counter(), self.window, self._clock.now()
        if region not in await self._regions_of(programme, window):
            raise Problem(errors.REGION_UNKNOWN)
        spool = Spool()
        try:
            async for resources in self._lines(programme, kind, region, as_of, window - _GRACE):
                await spool.add(resources)
            await spool.seal()
        except BaseException:
            spool.close()
            raise
        key = programme.id, region, kind
        old = self._editions.get(key)
        if old is not None:
            old.spool.close()
        edition = self._editions[key] = Edition(spool, as_of, window)
        self._metrics.feed_seconds.labels(kind).observe(perf_counter() - started)
        return edition

    async def _lines(
        self, programme: Programme, kind: Kind, region: str, now: datetime, since: datetime
    ) -> AsyncIterator[Iterable[object]]:
        publisher = self.publisher(programme)
        sites = await self._store.sites(programme.id, region, since)
        told = {site.id: shapes.location(publisher, site) for site in sites}
        self._metrics.feed_left_out.labels(programme.id, region).set(sum(not each for each in told.values()))
        sites = [site for site in sites if told[site.id]]
        if kind == "Location":
            yield [told[site.id] for site in sites]
        elif kind == "Schedule":
            for site in sites:
                products = await self._store.products(programme.id, site.id, since)
                yield [shapes.schedule(site.id, product) for product in products]
        else:
            frozen = await self._store.frozen(programme.id, region)
            for site in sites:
                async for resources in self._slots(publisher, programme, site, now, frozen=frozen):
                    yield resources

    async def _slots(
        self, publisher: Publisher, programme: Programme, site: SiteFacts, now: datetime, *, frozen: bool
    ) -> AsyncIterator[Iterable[object]]:
        async for page in self._store.slots(programme.id, site.id, now):
            yield (line for slot in page for line in shapes.slots(publisher, site, slot, frozen=frozen))
