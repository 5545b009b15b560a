"""Things that work once: each gets a number when it is made, and a bit in the store when it is used.

A number costs nothing to hand out and one bit to use, so what was never used is never stored, and a minute in which a
whole country solves challenges takes kilobytes. Where the store loses everything, what was used lately works once more.
"""

from collections.abc import Sequence

import msgspec
from redis.exceptions import RedisClusterException, RedisError

from edge.line.line import Counting, StoreUnavailable
from edge.line.scripts import SPEND, UNSPEND
from edge.line.shuttle import Shuttle
from edge.line.store import Store
from shared.clock import Clock
from shared.ids import Ids

_BATCH_S = 60
_TRIP_LIMIT = 256
_LINGER_S = 0.002


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number that is handed out once: the ``n``-th of a batch. It has to be signed along with what it marks."""

    batch: str
    n: int


class Spent:
    """The marks of one kind that were used in one room.

    Guarantee: of all attempts to spend a mark, over all edges, one succeeds, as long as no ``keep_s`` seconds pass in
    which nothing of its batch is spent.
    """

    def __init__(self, client: Store, room: str, kind: str, counting: Counting, *, keep_s: int) -> None:
        self._client = client
        self._prefix = f"vestibule:{{{room}}}:{kind}:"
        self._counting = counting
        self._keep_s = keep_s
        self._shuttle: Shuttle[Mark, bool] = Shuttle(self._spend, limit=_TRIP_LIMIT, linger_s=_LINGER_S)

    async def spend(self, mark: Mark) -> bool:
        """Use it; return whether this is the first time.

        Raises:
            StoreUnavailable: nothing is known about whether it was used.
        """
        return await self._shuttle.submit(mark)

    async def give_back(self, mark: Mark) -> None:
        """Make it good for one more time, because what it was spent for did not come about.

        Raises:
            StoreUnavailable: nothing is known about whether it is.
        """
        try:
            await UNSPEND.run(self._client, [self._prefix + mark.batch], [mark.n])
        except (RedisError, RedisClusterException, OSError) as error:
            self._counting.store_failed("unspend")
            raise StoreUnavailable(type(error).__name__) from error

    async def _spend(self, marks: Sequence[Mark]) -> list[bool]:
        batches: dict[str, list[int]] = {}
        for mark in marks:
            batches.setdefault(mark.batch, []).append(mark.n)
        answers = {batch: iter(await self._run(batch, numbers)) for batch, numbers in batches.items()}
        return [next(answers[mark.batch]) for mark in marks]

    async def _run(self, batch: str, numbers: Sequence[int]) -> list[bool]:
        try:
            reply = await SPEND.run(self._client, [self._prefix + batch], [self._keep_s, *numbers])
        except (RedisError, RedisClusterException, OSError) as error:
            self._counting.store_failed("spend")
            raise StoreUnavailable(type(error).__name__) from error
        return [bit == 49 for bit in reply]


class Once(Spent):
    """The marks of one room, as this process hands them out; any edge may spend them, within ``keep_s``."""

    def __init__(self, client: Store, room: str, counting: Counting, *, clock: Clock, ids: Ids, keep_s: int) -> None:
        super().__init__(client, room, "spent", counting, keep_s=keep_s + _BATCH_S)
        self._clock = clock
        self._ids = ids
        self._batch, self._next, self._ends_at = "", 0, 0.0

    def mark(self) -> Mark:
        """Hand out a number."""
        now = self._clock.unix()
        if now >= self._ends_at:
            self._batch, self._next, self._ends_at = self._ids.secret(9), 0, now + _BATCH_S
        self._next += 1
        return Mark(self._batch, self._next - 1)
