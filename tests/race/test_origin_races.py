"""Races over HTTP, against four origins that share a database.

Beside each stands its negative control: the same race, met by a store that checks and then writes, on a database
without the constraint. There it must go wrong, or the test proves nothing.
"""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.origin_world import admission
from tests.race.town import Town, codes


async def rush_for_one_slot(town: Town, people: int, capacity: int) -> Counter[str]:
    slot = await town.world.slot(capacity=capacity)
    visitors = [town.visitor(number) for number in range(people)]
    decisions = await asyncio.gather(*(each.decision() for each in visitors))
    pairs = zip(visitors, decisions, strict=True)
    return codes(await asyncio.gather(*(each.book(slot, decision) for each, decision in pairs)))


@pytest.mark.parametrize("capacity", [1, 7])
async def test_the_last_places_are_sold_once(guarded: Town, capacity: int) -> None:
    """B1."""
    assert await rush_for_one_slot(guarded, 40, capacity) == {"booked": capacity, "slot_gone": 40 - capacity}
    assert await guarded.tell() == [(capacity, 0, capacity)]


async def test_check_then_write_sells_the_last_place_twice(naive: Town) -> None:
    assert (await rush_for_one_slot(naive, 8, 1))["booked"] > 1
    assert (await naive.tell())[0][2] > 1


async def one_person_wants_everything(town: Town, attempts: int) -> Counter[str]:
    slots = [await town.world.slot(hours=24 + number) for number in range(attempts)]
    visitors = [town.visitor(number, sub="ana") for number in range(attempts)]
    decisions = [await each.decision() for each in visitors]
    wanted = zip(visitors, slots, decisions, strict=True)
    return codes(await asyncio.gather(*(each.book(slot, decision) for each, slot, decision in wanted)))


async def test_a_person_gets_one_of_many_slots_asked_for_at_once(guarded: Town) -> None:
    """B2."""
    assert await one_person_wants_everything(guarded, 16) == {"booked": 1, "already_booked": 15}
    assert sum(1 - remaining for _, remaining, _ in await guarded.tell()) == 1


async def test_check_then_write_books_a_person_twice(naive: Town) -> None:
    assert (await one_person_wants_everything(naive, 8))["booked"] > 1


async def one_key_many_times(town: Town, times: int) -> list[httpx.Response]:
    slot, token = await town.world.slot(capacity=times), admission()
    visitors = [town.visitor(number, sub="ana", token=token) for number in range(times)]
    decision = await visitors[0].decision()
    return list(await asyncio.gather(*(each.book(slot, decision, key="same") for each in visitors)))


async def test_one_key_sent_many_times_at_once_books_once(guarded: Town) -> None:
    """B4, in flight: the same answer, or 409."""
    answers = await one_key_many_times(guarded, 16)
    assert set(codes(answers)) <= {"booked", "key_in_flight"}
    assert len({each.content for each in answers if each.status_code == 201}) == 1
    assert [active for _, _, active in await guarded.tell()] == [1]


async def test_check_then_write_books_twice_under_one_key(naive: Town) -> None:
    await one_key_many_times(naive, 8)
    assert (await naive.tell())[0][2] > 1


async def one_admission_for_many(town: Town, people: int) -> Counter[str]:
    token = admission()
    slots = [await town.world.slot(hours=24 + number) for number in range(people)]
    visitors = [town.visitor(number, token=token) for number in range(people)]
    decisions = [await each.decision() for each in visitors]
    wanted = zip(visitors, slots, decisions, strict=True)
    return codes(await asyncio.gather(*(each.book(slot, decision) for each, slot, decision in wanted)))


async def test_one_admission_books_once_whoever_shares_it(guarded: Town) -> None:
    """B7."""
    assert await one_admission_for_many(guarded, 16) == {"booked": 1, "admission_used": 15}
    assert sum(active for _, _, active in await guarded.tell()) == 1


async def test_check_then_write_lets_one_admission_book_twice(naive: Town) -> None:
    assert (await one_admission_for_many(naive, 8))["booked"] > 1


async def cancel_while_others_book(town: Town, places: int, others: int) -> None:
    slot = await town.world.slot(capacity=places)
    holders = [town.visitor(number) for number in range(places)]
    held = [await each.book(slot, await each.decision()) for each in holders]
    assert codes(held) == {"booked": places}
    takers = [town.visitor(100 + number) for number in range(others)]
    decisions = [await each.decision() for each in takers]
    leaving = [
        each.client.delete(answer.headers["location"], headers=each.headers)
        for each, answer in zip(holders, held, strict=True)
    ]
    coming = [each.book(slot, decision) for each, decision in zip(takers, decisions, strict=True)]
    together = [call for pair in zip(leaving, coming, strict=False) for call in pair]
    answers = await asyncio.gather(*together, *coming[places:])
    assert {each.status_code for each in answers} <= {201, 204, 409}


async def test_what_is_cancelled_while_others_book_is_neither_lost_nor_sold_twice(guarded: Town) -> None:
    """B6 and B1: the books add up at any moment, and what is left can be booked at once."""
    await cancel_while_others_book(guarded, places=8, others=16)
    capacity, remaining, active = (await guarded.tell())[0]
    assert remaining == capacity - active
    late = [guarded.visitor(200 + number) for number in range(remaining + 1)]
    slot = await guarded.world.connection.fetchval("SELECT id FROM slot")
    answers = codes([await each.book(slot, await each.decision()) for each in late])
    assert answers == Counter({"booked": remaining, "slot_gone": 1}) + Counter()


async def test_check_then_write_loses_what_is_cancelled_at_once(naive: Town) -> None:
    slot = await naive.world.slot(capacity=2)
    holders = [naive.visitor(number) for number in range(2)]
    decisions = [await each.decision() for each in holders]
    held = await asyncio.gather(*(each.book(slot, ref) for each, ref in zip(holders, decisions, strict=True)))
    await naive.world.connection.execute("UPDATE slot SET remaining = 0")
    leaving = zip(holders, held, strict=True)
    await asyncio.gather(
        *(each.client.delete(answer.headers["location"], headers=each.headers) for each, answer in leaving)
    )
    capacity, remaining, active = (await naive.tell())[0]
    assert remaining != capacity - active
