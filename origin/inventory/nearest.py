"""What is near a slot that is gone. A herd asks about the same slot in the same second: one answer does for all."""

import asyncio
from datetime import datetime, timedelta

import msgspec

from origin.db.pool import Database
from origin.inventory.store import SlotStore
from shared.clock import Clock

LIFE = timedelta(seconds=0.5)
"""How old an answer may be; a place seen in it may be gone, as in any list."""

_MOST_REMEMBERED = 10_000
_encode = msgspec.json.encode

_Key = tuple[int, tuple[str, ...]]


class Nearest:
    """Alternatives, asked for once by all who lost the same slot. It belongs to the running event loop."""

    def __init__(self, database: Database, store: SlotStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._known: dict[_Key, tuple[datetime, asyncio.Task[msgspec.Raw]]] = {}

    async def around(self, slot: int, products: list[str]) -> msgspec.Raw:
        """Return free slots of ``products`` around one that is gone, as the JSON of a list of ``Slot``.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        key, now = (slot, tuple(products)), self._clock.now()
        asked_at, asking = self._known.get(key, (None, None))
        if asking is None or asked_at is None or not timedelta(0) <= now - asked_at < LIFE:
            asking = asyncio.create_task(self._ask(slot, products, now))
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = now, asking
            asking.add_done_callback(lambda task: self._forget_failed(key, task))
        return await asyncio.shield(asking)  # one who goes away takes nothing from the others

    async def _ask(self, slot: int, products: list[str], now: datetime) -> msgspec.Raw:
        async with self._database.connection() as connection:
            return msgspec.Raw(_encode(await self._store.alternatives(connection, slot, products=products, now=now)))

    def _forget_failed(self, key: _Key, task: "asyncio.Task[msgspec.Raw]") -> None:
        if (task.cancelled() or task.exception() is not None) and self._known.get(key, (None, None))[1] is task:
            del self._known[key]
