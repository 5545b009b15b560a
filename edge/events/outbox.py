"""A room's outbox in the store: the lease that lets one process tell, what it has seen, and what is to be delivered."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from edge.events.happenings import Happening, Seen
from edge.line import scripts
from edge.line.lease import Lease, Leased
from edge.line.line import Counting
from edge.line.pace import Pace
from edge.line.store import Store

MOST_KEPT = 1_000

Fate = Literal["delivered", "given_up", "gone"]


class _Id(msgspec.Struct):
    id: str


class Entry(msgspec.Struct, frozen=True):
    """An event that is not settled: when it was first put (µs, the store's clock), and the bytes that are sent."""

    put_us: int
    event: msgspec.Raw

    @property
    def id(self) -> str:
        """The event's id."""
        return _decode_id(self.event).id

    @classmethod
    def of(cls, happening: Happening, now_us: int) -> "Entry":
        """Return a new one."""
        return cls(now_us, msgspec.Raw(msgspec.json.encode(happening)))


class Kept(msgspec.Struct, frozen=True):
    """An outbox as the store had it at ``now_us``; ``gone`` is the mark of a target that wants nothing more."""

    now_us: int
    seen: Seen | None
    gone: str
    pending: tuple[Entry, ...]


class _Told(msgspec.Struct):
    outcome: Literal["told", "late"]
    dropped: int


_decode = msgspec.json.Decoder(Kept).decode
_decode_told = msgspec.json.Decoder(_Told).decode
_decode_id = msgspec.json.Decoder(_Id).decode


class Outbox(Leased):
    """One room's outbox, and the lease that lets one process tell; see ``Leased``.

    Concurrency: any number of processes may read, put back and settle; who holds the lease tells. Durability: none is
    asked of the store, for every edge carries what it read last and puts it back. Every method raises StoreUnavailable;
    then it may or may not have happened, and may be done again.
    """

    def __init__(
        self, client: Store, room: str, counting: Counting, *, pace: Pace, holder: str, lease_s: float
    ) -> None:
        super().__init__(client, f"vestibule:{{{room}}}:herald", counting, pace=pace, holder=holder, lease_s=lease_s)
        self._key = f"vestibule:{{{room}}}:outbox"

    async def read(self, now_us: int | None = None) -> Kept:
        """Return what was seen last and what is to be delivered."""
        return _decode(await self._run(scripts.OUTBOX, [self._key], [], now_us))

    async def tell(
        self, lease: Lease, seen: Seen, entries: Sequence[Entry], now_us: int | None = None, *, most: int = MOST_KEPT
    ) -> int | None:
        """Remember ``seen`` and put the events; None where that came too late, and nothing was done.

        Returns how many older ones were pushed out undelivered.
        """
        return await self._tell(lease, msgspec.json.encode(seen).decode(), entries, now_us, most)

    async def put_back(self, entries: Sequence[Entry], now_us: int | None = None) -> None:
        """Put events that the store may have lost; those that it has stay as they are."""
        await self._tell(Lease("", ""), "", entries, now_us, MOST_KEPT)

    async def settle(self, event_id: str, fate: Fate, *, gone: str = "", now_us: int | None = None) -> bool:
        """Write down what became of the first pending event, and of the address; False where it is not the first."""
        return await self._run(scripts.SETTLE, [self._key], [event_id, fate, gone], now_us) == b"settled"

    async def _tell(
        self, lease: Lease, seen: str, entries: Sequence[Entry], now_us: int | None, most: int
    ) -> int | None:
        events = [part for entry in entries for part in (entry.id, entry.put_us, bytes(entry.event).decode())]
        arguments = [lease.holder, lease.term, seen, most, *events]
        reply = _decode_told(await self._run(scripts.TELL, [self._key, self._lease_key], arguments, now_us))
        return reply.dropped if reply.outcome == "told" else None
