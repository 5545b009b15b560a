"""What is near a slot that is gone. A herd asks about the same slot in the same second: one answer does for all."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from origin.db.pool import Database
from origin.inventory.store import SlotStore
from shared.clock import Clock

LIFE = timedelta(seconds=0.5)
"""How old an answer may be; a place seen in it may be gone, as in any list."""

_RENEWED_AFTER = LIFE / 2  # while somebody asks: a herd that goes on does not find that nobody knows any more
_MOST_REMEMBERED = 10_000
_encode = msgspec.json.encode
_read_products = msgspec.json.Decoder(list[str]).decode


@dataclass(frozen=True, eq=False)
class Around:
    """What is near a slot, for whoever may have ``products`` (JSON, strings). ``slots``: a list of ``Slot``."""

    products: str
    asked_at: datetime
    slots: msgspec.Raw

    def is_ageing(self, now: datetime) -> bool:
        """Return whether it is time to ask again, for those who come next."""
        return now - self.asked_at >= _RENEWED_AFTER

    def holds(self, now: datetime) -> bool:
        """Return whether it may still be told."""
        return timedelta(0) <= now - self.asked_at < LIFE


class Nearest:
    """Alternatives, asked for once by all who lost the same slot. It belongs to the running event loop."""

    def __init__(self, database: Database, store: SlotStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._asking: dict[tuple[int, str], asyncio.Task[Around]] = {}
        self._lately: dict[int, dict[str, Around]] = {}

    async def around(self, slot: int, products: str) -> Around:
        """Return free slots of ``products``, which are JSON as ``book`` tells them, around one that is gone.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        now = self._clock.now()
        found = self._lately.get(slot, {}).get(products)
        if found is not None and found.holds(now):
            return found
        return await asyncio.shield(self._asked(slot, products, now))  # who goes away takes nothing from the others

    def lately(self, slot: int, now: datetime) -> list[Around]:
        """Return what was told lately about a slot that was gone, for each set of products."""
        told = self._lately.get(slot)
        if told is None:
            return []
        lately = [found for found in told.values() if found.holds(now)]
        for found in lately:
            if found.is_ageing(now):
                self._asked(slot, found.products, now)
        return lately

    def _asked(self, slot: int, products: str, now: datetime) -> "asyncio.Task[Around]":
        """Return what asks about a slot, for everybody; it is begun where nobody has."""
        key = (slot, products)
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(slot, products, now))
            asking.add_done_callback(lambda task: self._told(key, task))
        return asking

    async def _ask(self, slot: int, products: str, now: datetime) -> Around:
        async with self._database.connection() as connection:
            slots = await self._store.alternatives(connection, slot, products=_read_products(products), now=now)
        if len(self._lately) >= _MOST_REMEMBERED:
            self._lately.clear()
        found = Around(products, now, msgspec.Raw(_encode(slots)))
        self._lately.setdefault(slot, {})[products] = found
        return found

    def _told(self, key: tuple[int, str], asking: "asyncio.Task[Around]") -> None:
        del self._asking[key]
        if not asking.cancelled():
            asking.exception()  # whoever still waits for it gets it
