"""Races of what is booked together, against four origins that share a database: whole or not at all.

The negative control is a store that books part after part and stops at the first that is refused.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest

from origin.booking.store import Attempt, BookingStore, GroupAttempt, Result
from origin.db.sql import Connection
from origin.household.members import MOST_MEMBERS
from tests.groups_world import Holder, operator, part, set_course
from tests.race.town import Town, codes, town

FAMILIES = 12


class PartByPart(BookingStore):
    """Books one part after the other, each in its own transaction, and stops at the first that is refused."""

    async def book_group(self, connection: Connection, attempt: GroupAttempt) -> Result:
        booked: list[msgspec.Raw] = []
        for number, each in enumerate(attempt.parts, start=1):
            assert each.person is not None
            single = Attempt(
                person=each.person,
                key=f"{attempt.key}.{number}",
                fingerprint=attempt.fingerprint,
                programme=attempt.programme,
                slot=each.slot,
                decision=each.decision,
                admission=f"{attempt.admission}.{number}",
                appointment=each.appointment,
                now=attempt.now,
            )
            [result] = await self.book(connection, [single])
            if result.outcome != "booked":
                return msgspec.structs.replace(result, part=number)
            booked.append(msgspec.Raw((result.answer or "").encode()))
            await asyncio.sleep(0)
        return Result("booked", msgspec.json.encode(booked).decode())


@pytest.fixture
async def naive(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(database_url, tmp_path, PartByPart()) as made:
        yield made


def holder(town: Town, number: int) -> Holder:
    visitor = town.visitor(number)
    return Holder(visitor.client, visitor.sub, visitor.token)


async def families_wanting(
    town: Town, slots: Sequence[int], families: int
) -> list[Coroutine[None, None, httpx.Response]]:
    """Return the calls of families: each wants a place for a parent and one for a child, in the slots in turn."""
    calls = []
    for number in range(families):
        parent = holder(town, number)
        child = await parent.member(document=f"child{number}")
        own, theirs = await parent.decision(), await parent.decision_for(child)
        first, second = slots[number % len(slots)], slots[(number + 1) % len(slots)]
        calls.append(parent.book_all(part(first, own), part(second, theirs, member=child)))
    return calls


async def families_at_once(town: Town, slots: Sequence[int], families: int) -> list[httpx.Response]:
    """Let them all book at the same time."""
    return list(await asyncio.gather(*await families_wanting(town, slots, families)))


async def sizes(town: Town) -> list[int]:
    """How many appointments each parent has made."""
    rows = await town.world.connection.fetch(
        "SELECT count(*) AS number FROM appointment GROUP BY coalesce(booked_by, person)"
    )
    return [row["number"] for row in rows]


async def test_of_two_families_that_want_the_last_two_places_one_gets_both(guarded: Town) -> None:
    slot = await guarded.world.slot(capacity=2)
    assert codes(await families_at_once(guarded, [slot], 2)) == {"booked": 1, "slot_gone": 1}
    assert (await guarded.tell(), await sizes(guarded)) == ([(2, 0, 2)], [2])


async def test_a_crowd_of_families_is_booked_whole_or_not_at_all(guarded: Town) -> None:
    """B9 and B1; the slots are locked in the other order by every second family."""
    slots = [await guarded.world.slot(hours=24 + number, capacity=7) for number in range(2)]
    assert codes(await families_at_once(guarded, slots, FAMILIES)) == {"booked": 7, "slot_gone": FAMILIES - 7}
    assert await guarded.tell() == [(7, 0, 7), (7, 0, 7)]
    assert set(await sizes(guarded)) == {2}


async def test_part_by_part_leaves_half_a_family(naive: Town) -> None:
    slots = [await naive.world.slot(hours=24, capacity=9), await naive.world.slot(hours=25)]
    parent = holder(naive, 0)
    child, bo = await parent.member(), naive.visitor(1)
    own, theirs = await parent.decision(), await parent.decision_for(child)
    assert (await bo.book(slots[1], await bo.decision())).status_code == 201
    refused = await parent.book_all(part(slots[0], own), part(slots[1], theirs, member=child))
    assert refused.json()["code"] == "slot_gone"
    assert await naive.world.count("appointment", f"slot = {slots[0]}") == 1


async def doses_at_once(town: Town, people: int) -> list[httpx.Response]:
    """Many want both doses; there is room for few of the second."""
    await set_course(town.world)
    first = await town.world.slot(hours=24, capacity=people)
    second = await town.world.slot(hours=24 * 25, capacity=3)
    everybody = [holder(town, number) for number in range(people)]
    decisions = await asyncio.gather(*(each.decision() for each in everybody))
    pairs = zip(everybody, decisions, strict=True)
    return list(
        await asyncio.gather(*(each.book_all(part(first, ref), part(second, ref, follows=1)) for each, ref in pairs))
    )


async def test_nobody_has_a_first_dose_whose_second_was_gone(guarded: Town) -> None:
    assert codes(await doses_at_once(guarded, 10)) == {"booked": 3, "slot_gone": 7}
    assert await guarded.tell() == [(10, 7, 3), (3, 0, 3)]


async def test_part_by_part_leaves_first_doses_without_a_second(naive: Town) -> None:
    await doses_at_once(naive, 4)
    assert (await naive.tell())[0][2] > (await naive.tell())[1][2]


async def test_a_first_dose_that_is_not_had_alone_is_not_had_in_a_crowd_either(guarded: Town) -> None:
    """Bookings that share a round trip are judged like one alone."""
    await set_course(guarded.world, first_alone=False)
    slot = await guarded.world.slot(capacity=40)
    visitors = [guarded.visitor(number) for number in range(24)]
    decisions = await asyncio.gather(*(each.decision() for each in visitors))
    pairs = zip(visitors, decisions, strict=True)
    answers = await asyncio.gather(*(each.book(slot, decision) for each, decision in pairs))
    assert codes(answers) == {"next_dose_missing": 24}
    assert await guarded.tell() == [(40, 40, 0)]


async def test_two_parents_who_name_the_same_children_do_not_wait_for_each_other_for_ever(guarded: Town) -> None:
    """B2 for groups: the one or the other has them, whoever names them in whichever order."""
    slots = [await guarded.world.slot(hours=24 + number, capacity=20) for number in range(2)]
    for turn in range(4):
        parents = [holder(guarded, 2 * turn), holder(guarded, 2 * turn + 1)]
        calls = []
        for number, parent in enumerate(parents):
            children = [await parent.member(document=f"{turn} child {each}") for each in ("one", "two")]
            asked = [part(slots[number], await parent.decision_for(child), member=child) for child in children]
            calls.append(parent.book_all(*(asked if number == 0 else reversed(asked))))
        answers = await asyncio.gather(*calls)
        assert codes(answers) == {"booked": 1, "already_booked": 1}, [each.text for each in answers]
    assert set(await sizes(guarded)) == {2}


async def test_one_admission_books_one_group_whoever_shares_it(guarded: Town) -> None:
    """B7 for groups."""
    slot = await guarded.world.slot(capacity=40)
    first = holder(guarded, 0)
    calls = []
    for number in range(8):
        each = Holder(guarded.clients[number % 4], f"person-{number}", first.token)
        child = await each.member(document=f"child{number}")
        own, theirs = await each.decision(), await each.decision_for(child)
        calls.append(each.book_all(part(slot, own), part(slot, theirs, member=child)))
    assert codes(await asyncio.gather(*calls)) == {"booked": 1, "admission_used": 7}
    assert (await guarded.tell())[0][2] == 2


async def test_one_key_sent_many_times_at_once_books_one_group(guarded: Town) -> None:
    """B4 for groups."""
    slot, parent = await guarded.world.slot(capacity=40), holder(guarded, 0)
    child = await parent.member()
    parts = part(slot, await parent.decision()), part(slot, await parent.decision_for(child), member=child)
    everywhere = [Holder(client, parent.sub, parent.token) for client in guarded.clients]
    answers = await asyncio.gather(*(each.book_all(*parts, key="same") for each in everywhere * 3))
    assert set(codes(answers)) <= {"booked", "key_in_flight"}
    assert len({each.content for each in answers if each.status_code == 201}) == 1
    assert (await guarded.tell())[0][2] == 2


async def test_a_freeze_in_the_middle_of_a_rush_of_families_is_a_clean_cut(guarded: Town) -> None:
    """B8 and B9: nobody waits for a freeze that waits for them, and no family is cut in two."""
    slots = [await guarded.world.slot(hours=24 + number, capacity=40) for number in range(2)]

    async def freeze() -> httpx.Response:
        body, path = {"reason": "a test"}, "/v1/admin/programmes/demo:freeze"
        return await guarded.clients[0].post(path, json=body, headers=operator())

    rush = [asyncio.ensure_future(each) for each in await families_wanting(guarded, slots, FAMILIES)]
    await asyncio.wait(rush, return_when=asyncio.FIRST_COMPLETED)
    frozen = await freeze()
    booked = await guarded.world.count("appointment")
    assert frozen.status_code == 200, frozen.text
    assert set(codes(await asyncio.gather(*rush))) <= {"booked", "frozen"}
    assert await guarded.world.count("appointment") == booked
    assert set(await sizes(guarded)) == {2}


async def test_many_who_are_named_at_once_are_no_more_than_there_is_room_for(guarded: Town) -> None:
    parent = holder(guarded, 0)
    everywhere = [Holder(client, parent.sub, parent.token) for client in guarded.clients]
    calls = [each.add(document=f"number{turn}{index}") for turn in range(5) for index, each in enumerate(everywhere)]
    answers = await asyncio.gather(*calls)
    assert codes(answers) == {"booked": MOST_MEMBERS, "household_full": len(calls) - MOST_MEMBERS}
    assert await guarded.world.count("household_member") == MOST_MEMBERS
