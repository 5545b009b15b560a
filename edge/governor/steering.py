"""A room's governor in the store: the lease that lets one act at a time, its acts, and the bounds operators set."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import msgspec
from redis.exceptions import RedisClusterException, RedisError

from edge.governor.pacing import Bounds, Decision
from edge.line import scripts
from edge.line.keys import RoomKeys
from edge.line.lease import Lease
from edge.line.line import Counting, StoreUnavailable
from edge.line.pace import Pace
from edge.line.room import Picture, RoomPlan
from edge.line.scripts import Script
from edge.line.store import Store

_LEAST_RATE_PER_S = 0.01
_DEFAULT_SHARE = 0.1


class _Governed(msgspec.Struct):
    outcome: Literal["governed", "late", "missing"]
    room: Picture | None = None


_decode = msgspec.json.Decoder(_Governed, strict=False).decode


class Steering:
    """One room's governor, as far as the store keeps it. ``now_us`` is for tests: None is the store's clock.

    Concurrency: any number of processes may ask for the lease and try to act; the store lets one. Durability: none is
    needed. A lease that was lost is taken anew with a later term; the bounds are settings of the room, which every edge
    carries. Every method raises StoreUnavailable.
    """

    def __init__(
        self, client: Store, plan: RoomPlan, counting: Counting, *, pace: Pace, holder: str, lease_s: float
    ) -> None:
        self._client = client
        self._counting = counting
        self._pace = pace
        self._holder = holder
        self._lease_us = round(lease_s * 1_000_000)
        self._keys = RoomKeys(plan)
        self._unseen = [0] * (2 * len(plan.lanes))

    async def lease(self, now_us: int | None = None) -> Lease | None:
        """Take or keep the lease; None while somebody else has it."""
        return await self._lease(self._lease_us, now_us)

    async def give_up(self, now_us: int | None = None) -> None:
        """Let somebody else act at once."""
        await self._lease(0, now_us)

    async def govern(self, lease: Lease, seen: Picture, decision: Decision, now_us: int | None = None) -> bool:
        """Do what was decided on seeing ``seen``; False where that came too late, and nothing was done."""
        wished = [decision.held, decision.remaining, decision.rate]
        told = ["" if each is None else each for each in wished]
        arguments = [seen.epoch, *self._unseen, lease.holder, lease.term, seen.version, *told]
        reply = _decode(await self._run(scripts.GOVERN, self._keys.of(scripts.GOVERN), arguments, now_us))
        return reply.outcome == "governed"

    async def _lease(self, for_us: int, now_us: int | None) -> Lease | None:
        term = await self._run(scripts.LEASE, [self._keys.lease], [self._holder, for_us], now_us)
        return Lease(self._holder, term.decode()) if term else None

    async def _run(
        self, script: Script, keys: Sequence[str], arguments: Sequence[str | int | float], now_us: int | None
    ) -> bytes:
        try:
            async with self._pace.turn:
                return await script.run(self._client, keys, ["" if now_us is None else now_us, *arguments])
        except (RedisError, RedisClusterException, OSError) as error:
            self._counting.store_failed(script.name)
            raise StoreUnavailable(type(error).__name__) from error


def bounds_of(plan: RoomPlan, seen: Picture) -> Bounds:
    """Return the bounds operators have set; before they do: manual, between a tenth of the planned rate and all."""
    if seen.governor:
        return _read(seen.governor)
    return Bounds("manual", max(_LEAST_RATE_PER_S, plan.rate_per_s * _DEFAULT_SHARE), plan.rate_per_s)


def written(bounds: Bounds) -> str:
    """Return the bounds as the store keeps them."""
    return msgspec.json.encode(bounds).decode()


@lru_cache(maxsize=256)
def _read(text: str) -> Bounds:
    return msgspec.json.decode(text, type=Bounds)
