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
from origin.booking.store import Attempt
from origin.db.pool import Database
from origin.db.together import Together
from origin.inventory.nearest import Around, Nearest
from origin.metrics import OriginMetrics
from shared.clock import Clock
from shared.ids import Ids

_MOST_REMEMBERED = 10_000
_encode = msgspec.json.encode


@dataclass(eq=False)
class _Told:
    """What a herd is told. ``is_kept``: the database has the text."""

    around: Around
    refusal: Refusal
    shared: SharedAnswer
    is_kept: bool = False


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
        self._told: dict[tuple[int, str], _Told] = {}
        self._together: Together[Attempt, Refusal | None] = Together(self._send, metrics.refusal_batch_size)

    async def refuse(self, attempt: Attempt) -> Refusal | None:
        """Return the refusal, which is kept under the key; None where the attempt must be made.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        if not any(self._nearest.lately(attempt.slot, attempt.now)):
            return None
        return await self._together.ask(attempt)

    async def whole(self, answer: UUID) -> str:
        """Return what a shared answer is made from, JSON.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        async with self._database.connection() as connection:
            body = await self._store.shared_answer(connection, answer)
        return body if body is not None else _encode(Refusal.of(errors.SLOT_GONE)).decode()  # past its life

    async def _send(self, attempts: list[Attempt]) -> Sequence[Refusal | None]:
        told = self._known({attempt.slot for attempt in attempts})
        if not told:
            return [None] * len(attempts)
        shared = [each.shared if not each.is_kept else each.shared.without_body() for each in told.values()]
        async with self._database.connection() as connection:
            try:
                refused = await self._store.refuse_gone(connection, attempts, shared)
            except asyncpg.DeadlockDetectedError:
                return [None] * len(attempts)
        for each in told.values():
            each.is_kept = True
        return [None if answer is None else told[answer].refusal for answer in refused]

    def _known(self, slots: set[int]) -> dict[UUID, _Told]:
        now = self._clock.now()
        told = (self._tell(slot, around) for slot in slots for around in self._nearest.lately(slot, now))
        return {each.shared.id: each for each in told}

    def _tell(self, slot: int, around: Around) -> _Told:
        key = (slot, around.products)
        told = self._told.get(key)
        if told is None or told.around is not around:
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            refusal = Refusal.of(errors.SLOT_GONE, alternatives=around.slots)
            shared = SharedAnswer(self._ids.uuid(), slot, around.products, _encode(refusal).decode())
            told = self._told[key] = _Told(around, refusal, shared)
        return told
