"""The herd that wants a slot which is gone: refused together, by a statement that does nothing else, with one answer.

Who loses a slot first is refused as ever. Who wants the same slot in the moment after is asked about by the short
statement: whether it is still gone, and nothing else is to be said. If so, the refusal is kept under their key, as a
name of the text that they all got. If anything is different, they are booked as if this had not been tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from origin import errors
from origin.booking.answer_store import AnswerStore, SharedAnswer
from origin.booking.refusals import Refusal
from origin.booking.store import Wish
from origin.db.pool import Database
from origin.db.sql import Connection
from origin.db.together import Together
from origin.inventory.nearest import Around, Nearest
from origin.metrics import OriginMetrics
from shared.clock import Clock
from shared.ids import Ids
from shared.problem import Problem

_MOST_REMEMBERED = 10_000
_encode = msgspec.json.encode


@dataclass(eq=False)
class Told:
    """What a herd is told. ``answer``: all of it, JSON. ``is_kept``: the database has what it is made from."""

    around: Around
    refusal: Refusal
    shared: SharedAnswer
    answer: bytes
    is_kept: bool = False

    def problem(self) -> Problem:
        """Return the answer to one of them."""
        return self.refusal.problem(self.answer)


class Gone:
    """Refuses attempts for slots that were lately found gone. One per process; it belongs to the running event loop."""

    def __init__(
        self,
        database: Database,
        nearest: Nearest,
        metrics: OriginMetrics,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._database = database
        self._store = AnswerStore()
        self._nearest = nearest
        self._clock = clock
        self._ids = ids
        self._told: dict[tuple[int, str], Told] = {}
        self._together: Together[Wish, Told | None] = Together(database, self._send, metrics.refusal_batch_size)

    async def refuse(self, wish: Wish) -> Told | None:
        """Return what it is refused with, which is kept under the key; None where booking must be tried.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        if not self._nearest.lately(wish.slot, wish.now):
            return None
        return await self._together.ask(wish)

    async def whole(self, answer: UUID) -> str:
        """Return what a shared answer is made from, JSON.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        async with self._database.connection() as connection:
            body = await self._store.shared_answer(connection, answer)
        return body if body is not None else _encode(Refusal.of(errors.SLOT_GONE)).decode()  # past its life

    async def _send(self, connection: Connection, wishes: list[Wish]) -> Sequence[Told | None]:
        told = self._known({wish.slot for wish in wishes})
        if not told:
            return [None] * len(wishes)
        shared = [each.shared if not each.is_kept else each.shared.without_body() for each in told.values()]
        try:
            refused = await self._store.refuse_gone(connection, wishes, shared)
        except asyncpg.DeadlockDetectedError:
            return [None] * len(wishes)
        for each in told.values():
            each.is_kept = True
        return [None if answer is None else told[answer] for answer in refused]

    def _known(self, slots: set[int]) -> dict[UUID, Told]:
        now = self._clock.now()
        told = (self._tell(slot, around) for slot in slots for around in self._nearest.lately(slot, now))
        return {each.shared.id: each for each in told}

    def _tell(self, slot: int, around: Around) -> Told:
        key = (slot, around.products)
        told = self._told.get(key)
        if told is None or told.around is not around:
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            refusal = Refusal.of(errors.SLOT_GONE, alternatives=around.slots)
            shared = SharedAnswer(self._ids.uuid(), slot, around.products, _encode(refusal).decode())
            told = self._told[key] = Told(around, refusal, shared, refusal.problem().encoded())
        return told
