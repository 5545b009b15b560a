"""Answers that are kept under an Idempotency-Key: refusals, those that many share, and the end of their life."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from origin.booking.store import GroupAttempt, Keyed, Wish, columns
from origin.db.sql import Connection, load

_QUERIES = Path(__file__).with_name("answers.sql")


class Refused(msgspec.Struct, frozen=True):
    """A request that was refused: the status of the answer, and what the answer is made from, JSON."""

    asked: Keyed | GroupAttempt
    status: int
    body: str


class SharedAnswer(msgspec.Struct, frozen=True):
    """The one answer to all who want a slot that is gone, and may have ``products`` (JSON, as ``book`` tells them).

    ``body``: what the answer is made from, JSON; None where the database has it.
    """

    id: UUID
    slot: int
    products: str
    body: str | None

    def without_body(self) -> "SharedAnswer":
        """Return it as the name of what the database has."""
        return msgspec.structs.replace(self, body=None)


class AnswerStore:
    """Each method is one statement and, outside a transaction, one commit. Confirmations are kept by who confirms."""

    async def remember_refusals(self, connection: Connection, refused: Sequence[Refused]) -> list[str | None]:
        """Keep each refusal as the answer to its request's key; return the answers that count, in the same order.

        That is an earlier one where there is one, and None where the key belongs to another request. A crash right
        after may forget them.
        """
        rows = await load(_QUERIES)["remember_refusals"].rows(
            connection,
            persons=[each.asked.person for each in refused],
            keys=[each.asked.key for each in refused],
            fingerprints=[each.asked.fingerprint for each in refused],
            statuses=[each.status for each in refused],
            bodies=[each.body for each in refused],
            nows=[each.asked.now for each in refused],
        )
        kept: list[str | None] = [None] * len(refused)
        for place, body in rows:
            kept[place - 1] = body
        return kept

    async def refuse_gone(
        self, connection: Connection, wishes: Sequence[Wish], shared: Sequence[SharedAnswer]
    ) -> list[UUID | None]:
        """Refuse every wish that would be refused because its slot is gone, with the shared answer that fits.

        Return which answer each got, and None for those that must be tried: nothing was done for them. A crash right
        after may forget the refusals.

        Raises:
            asyncpg.DeadlockDetectedError: somebody books under these keys; nothing was done.
        """
        rows = await load(_QUERIES)["refuse_gone"].rows(
            connection,
            **columns(wishes),
            gone=[each.slot for each in shared],
            granted=[each.products for each in shared],
            answers=[each.id for each in shared],
            bodies=[each.body for each in shared],
        )
        refused: list[UUID | None] = [None] * len(wishes)
        for place, answer in rows:
            refused[place - 1] = answer
        return refused

    async def shared_answer(self, connection: Connection, answer: UUID) -> str | None:
        """Return what an answer is made from that many were given."""
        row = await load(_QUERIES)["shared_answer"].row(connection, answer=answer)
        body: str | None = None if row is None else row["body"]
        return body

    async def sweep_keys(self, connection: Connection, *, before: datetime, at_most: int) -> int:
        """Forget at most ``at_most`` answers that were given before ``before``; return how many."""
        return await load(_QUERIES)["sweep_keys"].run(connection, before=before, at_most=at_most)

    async def sweep_shared_answers(self, connection: Connection, *, before: datetime, at_most: int) -> int:
        """Forget at most ``at_most`` shared answers that no key given since ``before`` can name; return how many."""
        return await load(_QUERIES)["sweep_shared_answers"].run(connection, before=before, at_most=at_most)
