"""A room's governor in the store: the lease that lets one act at a time, its acts, and the bounds operators set."""

from functools import lru_cache
from typing import Literal

import msgspec

from edge.governor.pacing import Bounds, Decision
from edge.line import scripts
from edge.line.keys import RoomKeys
from edge.line.lease import Lease, Leased
from edge.line.line import Counting
from edge.line.pace import Pace
from edge.line.room import Picture, RoomPlan
from edge.line.store import Store

_LEAST_RATE_PER_S = 0.01
_DEFAULT_SHARE = 0.1


class _Governed(msgspec.Struct):
    outcome: Literal["governed", "late", "missing"]
    room: Picture | None = None


_decode = msgspec.json.Decoder(_Governed, strict=False).decode


class Steering(Leased):
    """One room's governor, as far as the store keeps it; see ``Leased``.

    Durability: none is needed. The bounds are settings of the room, which every edge carries.
    """

    def __init__(
        self, client: Store, plan: RoomPlan, counting: Counting, *, pace: Pace, holder: str, lease_s: float
    ) -> None:
        self._keys = RoomKeys(plan)
        super().__init__(client, self._keys.lease, counting, pace=pace, holder=holder, lease_s=lease_s)
        self._unseen = [0] * (2 * len(plan.lanes))

    async def govern(self, lease: Lease, seen: Picture, decision: Decision, now_us: int | None = None) -> bool:
        """Do what was decided on seeing ``seen``; False where that came too late, and nothing was done."""
        wished = [decision.held, decision.remaining, decision.rate]
        told = ["" if each is None else each for each in wished]
        arguments = [seen.epoch, *self._unseen, lease.holder, lease.term, seen.version, *told]
        reply = _decode(await self._run(scripts.GOVERN, self._keys.of(scripts.GOVERN), arguments, now_us))
        return reply.outcome == "governed"


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
