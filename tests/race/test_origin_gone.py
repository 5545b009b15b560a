"""One key at a slot that is gone, over four origins, while its place comes back: one answer, whichever it is."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from origin.booking.answer_store import AnswerStore, SharedAnswer
from origin.booking.store import Attempt
from tests.origin_world import admission
from tests.race.town import ORIGINS, Town, codes

ROUNDS = 12


async def answers_to_one_key(town: Town, number: int) -> set[str]:
    """A slot is gone, as all know; one key is sent to all while its holder gives it back, and once more after."""
    slot = await town.world.slot(hours=24 + number)
    holder, *others = (town.visitor(each, sub=f"{number}-{each}") for each in range(ORIGINS + 1))
    held = await holder.book(slot, await holder.decision())
    assert codes([await each.book(slot, await each.decision()) for each in others]) == {"slot_gone": ORIGINS}
    token = admission()
    ana = [town.visitor(each, sub=f"{number}-ana", token=token) for each in range(3 * ORIGINS)]
    decision = await ana[0].decision()
    sent = [each.book(slot, decision, key="same") for each in ana]
    back = holder.client.delete(held.headers["location"], headers=holder.headers)
    answers = await asyncio.gather(*sent[:4], back, *sent[4:])
    answers[4] = await ana[0].book(slot, decision, key="same")
    return set(codes(answers)) - {"key_in_flight"}


async def test_one_key_at_a_slot_that_is_gone_has_one_answer_while_its_place_comes_back(guarded: Town) -> None:
    """B4, with the short way of refusing: what it says is kept before it is said."""
    told = [await answers_to_one_key(guarded, number) for number in range(ROUNDS)]
    assert all(len(each) == 1 for each in told), told
    for capacity, remaining, active in await guarded.tell():
        assert remaining == capacity - active


async def test_a_refusal_that_is_not_kept_is_contradicted(guarded: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def only_look(
        _store: AnswerStore, connection: Any, attempts: Sequence[Attempt], shared: Sequence[SharedAnswer]
    ) -> list[UUID | None]:
        free = await connection.fetchval("SELECT remaining FROM slot WHERE id = $1", attempts[0].slot)
        return [None if free else shared[0].id] * len(attempts)

    monkeypatch.setattr(AnswerStore, "refuse_gone", only_look)
    told = [await answers_to_one_key(guarded, number) for number in range(ROUNDS)]
    assert {"booked", "slot_gone"} in told
