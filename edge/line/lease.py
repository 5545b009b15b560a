"""Who may act for a room: one process at a time. What the holder of a lease does is built upon ``Leased``."""

from collections.abc import Sequence

import msgspec
from redis.exceptions import RedisClusterException, RedisError

from edge.line import scripts
from edge.line.line import Counting, StoreUnavailable
from edge.line.pace import Pace
from edge.line.scripts import Script
from edge.line.store import Store


class Lease(msgspec.Struct, frozen=True):
    """The right to act, until it passes on: whoever holds a later term holds it instead."""

    holder: str
    term: str


class Leased:
    """Something in the store that one process at a time may act upon. ``now_us`` is for tests: None is the store's
    clock.

    Concurrency: any number of processes may ask for the lease; the store lends it to one, for ``lease_s`` seconds from
    when it was asked last. Durability: none is needed; a lease that was lost is taken anew, with a later term. Every
    method raises StoreUnavailable.
    """

    def __init__(self, client: Store, key: str, counting: Counting, *, pace: Pace, holder: str, lease_s: float) -> None:
        self._client = client
        self._lease_key = key
        self._counting = counting
        self._pace = pace
        self._holder = holder
        self._lease_us = round(lease_s * 1_000_000)

    async def lease(self, now_us: int | None = None) -> Lease | None:
        """Take or keep the lease; None while somebody else has it."""
        return await self._lease(self._lease_us, now_us)

    async def give_up(self, now_us: int | None = None) -> None:
        """Let somebody else act at once."""
        await self._lease(0, now_us)

    async def _lease(self, for_us: int, now_us: int | None) -> Lease | None:
        term = await self._run(scripts.LEASE, [self._lease_key], [self._holder, for_us], now_us)
        return Lease(self._holder, term.decode()) if term else None

    async def _run(
        self, script: Script, keys: Sequence[str], arguments: Sequence[str | int | float], now_us: int | None
    ) -> bytes:
        """Run a script, in a turn of the process' own; its first argument is the time."""
        try:
            async with self._pace.turn:
                return await script.run(self._client, keys, ["" if now_us is None else now_us, *arguments])
        except (RedisError, RedisClusterException, OSError) as error:
            self._counting.store_failed(script.name)
            raise StoreUnavailable(type(error).__name__) from error
