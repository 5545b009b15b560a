"""Races of holds and changes over HTTP, against four origins that share a database.

Beside each stands its negative control: the same race, met by stores that check and then write. There it must go wrong.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path

import httpx
import pytest

from origin.db.pool import connect
from tests.origin_world import START, Visitor
from tests.race.check_then_move import CheckThenMove, ReadsWhileItLocks
from tests.race.gun import loaded
from tests.race.town import Town, town
from tests.rules_world import Officials

ROUNDS = 12


@pytest.fixture
async def naive(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(database_url, tmp_path, CheckThenMove()) as made:
        await made.world.connection.execute("DROP INDEX hold_one_opened")
        yield made


def codes(answers: Sequence[httpx.Response]) -> Counter[str]:
    """How often each answer was given; what went well by its status."""
    return Counter(str(each.status_code) if each.is_success else str(each.json()["code"]) for each in answers)


async def together(*calls: Awaitable[httpx.Response]) -> list[httpx.Response]:
    return list(await asyncio.gather(*calls))


async def booked(visitor: Visitor, slot: int) -> httpx.Response:
    answer = await visitor.book(slot, await visitor.decision())
    assert answer.status_code == 201, answer.text
    return answer


async def places(town: Town) -> list[int]:
    """The slots that people have, one entry an appointment."""
    rows = await town.world.connection.fetch("SELECT slot FROM appointment WHERE status <> 'cancelled' ORDER BY slot")
    return [row["slot"] for row in rows]


async def test_two_who_swap_their_places_back_and_forth_have_one_each_and_wait_for_nothing(
    guarded: Town, database_url: str
) -> None:
    """B5: with room for both. Whoever took the new place first and then let the old one go would come to a deadlock."""
    slots = [await guarded.world.slot(capacity=2, hours=24 + number) for number in range(2)]
    people = [guarded.visitor(number) for number in range(2)]
    theirs = [await booked(each, slot) for each, slot in zip(people, slots, strict=True)]
    for turn in range(ROUNDS):
        at = [turn % 2, (turn + 1) % 2]  # where each of them is
        up, down = at.index(0), at.index(1)
        async with loaded(database_url, "SELECT FROM slot WHERE id = $1 FOR UPDATE", slots[0]) as gun:
            moving = [asyncio.create_task(people[down].move(theirs[down], slots[0]))]
            await gun.gathered(1)
            moving.append(asyncio.create_task(people[up].move(theirs[up], slots[1])))
            await gun.gathered(2)
            await gun.fire()
            assert codes(await together(*moving)) == {"200": 2}
        assert await places(guarded) == slots
    assert await guarded.world.unbalanced() == []
    for client in guarded.clients:
        assert "vestibule_origin_conflicts_total 0.0" in (await client.get("/metrics")).text


async def test_two_who_want_each_others_last_place_keep_their_own(guarded: Town) -> None:
    """B5: neither is let go before the other place is certain, and neither has both."""
    slots = [await guarded.world.slot(hours=24 + number) for number in range(2)]
    people = [guarded.visitor(number) for number in range(2)]
    theirs = [await booked(each, slot) for each, slot in zip(people, slots, strict=True)]
    for _ in range(ROUNDS):
        moves = [each.move(theirs[at], slots[1 - at]) for at, each in enumerate(people)]
        assert codes(await together(*moves)) == {"slot_gone": 2}
    assert await places(guarded) == slots
    assert await guarded.world.unbalanced() == []


async def rush_to_move(town: Town, people: int) -> Counter[str]:
    old, new = await town.world.slot(capacity=people), await town.world.slot(hours=30)
    movers = [town.visitor(number) for number in range(people)]
    theirs = [await booked(each, old) for each in movers]
    return codes(await together(*(each.move(mine, new) for each, mine in zip(movers, theirs, strict=True))))


async def test_the_last_place_to_move_to_is_given_once(guarded: Town) -> None:
    """B1, B5."""
    assert await rush_to_move(guarded, 12) == {"200": 1, "slot_gone": 11}
    assert await guarded.world.unbalanced() == []


async def test_check_then_move_gives_the_last_place_twice(naive: Town) -> None:
    assert (await rush_to_move(naive, 4))["200"] > 1
    assert await naive.world.unbalanced() != []


async def rush_to_hold_and_book(town: Town, people: int) -> Counter[str]:
    slot = await town.world.slot()
    visitors = [town.visitor(number) for number in range(people)]
    decisions = [await each.decision() for each in visitors]
    asked = [
        each.hold(slot, ref) if at % 2 else each.book(slot, ref)
        for at, (each, ref) in enumerate(zip(visitors, decisions, strict=True))
    ]
    return codes(await together(*asked))


async def test_the_last_place_is_held_or_booked_once(guarded: Town) -> None:
    """B1."""
    assert await rush_to_hold_and_book(guarded, 24) == {"201": 1, "slot_gone": 23}
    assert await guarded.world.unbalanced() == []


async def test_check_then_hold_holds_the_last_place_twice(naive: Town) -> None:
    slot = await naive.world.slot()
    visitors = [naive.visitor(number) for number in range(2)]
    decisions = [await each.decision() for each in visitors]
    holds = [each.hold(slot, ref) for each, ref in zip(visitors, decisions, strict=True)]
    assert codes(await together(*holds)) == {"201": 2}
    assert await naive.world.unbalanced() != []


async def hold_everything(town: Town, slots: int) -> Counter[str]:
    ids = [await town.world.slot(hours=24 + number) for number in range(slots)]
    visitors = [town.visitor(number, sub="ana") for number in range(slots)]
    decision = await visitors[0].decision()
    return codes(await together(*(each.hold(slot, decision) for each, slot in zip(visitors, ids, strict=True))))


async def test_a_person_who_opens_many_slots_at_once_holds_one(guarded: Town) -> None:
    """One after the other: each opening gives the one before back."""
    assert await hold_everything(guarded, 8) == {"201": 8}
    assert await guarded.world.count("hold") == 1
    assert await guarded.world.unbalanced() == []


async def test_check_then_hold_lets_a_person_hold_many(naive: Town) -> None:
    await hold_everything(naive, 4)
    assert await naive.world.count("hold") > 1


async def test_lapsed_places_are_taken_over_while_the_sweep_runs(guarded: Town, database_url: str) -> None:
    """B6, B1: each goes to one person; what the sweep frees in the middle of it is free, not lost."""
    slot = await guarded.world.slot(capacity=8)
    sleepers = [guarded.visitor(number) for number in range(8)]
    for each in sleepers:
        assert (await each.hold(slot, await each.decision())).status_code == 201
    guarded.world.clock.advance(121)
    takers = [guarded.visitor(100 + number) for number in range(12)]
    decisions = [await each.decision() for each in takers]
    sweeper = await connect(database_url)
    try:
        for _ in range(2):
            sweep = sweeper.fetchval("SELECT sweep_holds($1, 1000)", guarded.world.clock.now())
            books = [each.book(slot, ref) for each, ref in zip(takers, decisions, strict=True)]
            _, *answers = await asyncio.gather(sweep, *books)
            assert codes(answers).keys() <= {"201", "slot_gone", "already_booked", "admission_used"}
            assert await guarded.world.unbalanced() == []
    finally:
        await sweeper.close()
    assert len(await places(guarded)) == 8


async def test_a_hold_that_is_released_and_booked_at_once_is_one_or_the_other(guarded: Town) -> None:
    """B1: the place is booked, whatever became of the release."""
    for number in range(ROUNDS):
        ana, slot = guarded.visitor(number), await guarded.world.slot(hours=24 + number)
        elsewhere = guarded.clients[(number + 1) % len(guarded.clients)]
        decision = await ana.decision()
        held = await ana.hold(slot, decision)
        leave = elsewhere.delete(held.headers["location"], headers=ana.headers)
        left, taken = await together(leave, ana.book(slot, decision))
        assert (left.status_code in {204, 404}, taken.status_code) == (True, 201)
    assert await guarded.world.count("hold") == 0
    assert await guarded.world.unbalanced() == []


async def test_check_then_release_gives_one_place_back_twice(naive: Town) -> None:
    slot, ana = await naive.world.slot(capacity=3), naive.visitor(0)
    holds = [
        await naive.world.connection.fetchval(
            "INSERT INTO hold VALUES (gen_random_uuid(), 'demo', $1, $2, 'opened', $3, $3) RETURNING id",
            person * 32,
            slot,
            START,
        )
        for person in (b"a", b"b")
    ]
    await naive.world.connection.execute("UPDATE slot SET remaining = 1")
    assert await naive.world.unbalanced() == []
    leave = [client.delete(f"/v1/holds/{holds[0]}", headers=ana.headers) for client in naive.clients[:2]]
    assert codes(await together(*leave)) == {"204": 2}
    assert await naive.world.unbalanced() == [(3, 3, 0, 1)]


async def move_and_cancel(town: Town, database_url: str, first: str) -> dict[str, httpx.Response]:
    """Move an appointment and cancel it, one waiting for the other."""
    ana, old, new = town.visitor(0), await town.world.slot(), await town.world.slot(hours=25)
    elsewhere = town.visitor(1, sub=ana.sub)
    mine = await booked(ana, old)
    acts = {"move": lambda: ana.move(mine, new), "cancel": lambda: elsewhere.cancel(mine)}
    async with loaded(database_url, "SELECT FROM appointment FOR UPDATE") as gun:
        running = {}
        for number, act in enumerate(sorted(acts, key=lambda act: act != first), 1):
            running[act] = asyncio.create_task(acts[act]())
            await gun.gathered(number)
        await gun.fire()
        return {act: await task for act, task in running.items()}


@pytest.mark.parametrize("first", ["move", "cancel"])
async def test_what_is_cancelled_and_moved_at_once_gives_one_place_back(
    guarded: Town, database_url: str, first: str
) -> None:
    """B5, B6: a cancellation that waited for a move frees the place that the move has taken, not the one before."""
    answers = await move_and_cancel(guarded, database_url, first)
    assert answers["cancel"].status_code == 204
    assert codes([answers["move"]]) == ({"200": 1} if first == "move" else {"appointment_cancelled": 1})
    assert await places(guarded) == []
    assert await guarded.world.unbalanced() == []


async def test_a_cancellation_that_reads_while_it_locks_loses_the_appointment(
    database_url: str, tmp_path: Path
) -> None:
    async with town(database_url, tmp_path, ReadsWhileItLocks()) as made:
        answers = await move_and_cancel(made, database_url, "move")
        assert answers["cancel"].status_code == 404  # "there is no such appointment of yours", while there is
        assert len(await places(made)) == 1


async def test_one_appointment_moved_to_many_slots_at_once_has_one_place(guarded: Town) -> None:
    """B5: moves of the same appointment come one after the other."""
    slots = [await guarded.world.slot(hours=24 + number) for number in range(6)]
    mine = await booked(guarded.visitor(0, sub="ana"), slots[0])
    visitors = [guarded.visitor(number, sub="ana") for number in range(1, 6)]
    moves = [each.move(mine, slot) for each, slot in zip(visitors, slots[1:], strict=True)]
    assert codes(await together(*moves)) == {"200": 5}
    assert len(await places(guarded)) == 1
    assert await guarded.world.unbalanced() == []


async def one_key_many_times(town: Town, times: int) -> Counter[str]:
    old, new = await town.world.slot(capacity=times), await town.world.slot(capacity=times, hours=30)
    visitors = [town.visitor(number, sub="ana") for number in range(times)]
    mine, _ = await booked(visitors[0], old), await booked(town.visitor(99), old)
    return codes(await together(*(each.move(mine, new, key="same") for each in visitors)))


async def test_one_key_sent_many_times_at_once_moves_once(guarded: Town) -> None:
    """B4, in flight: the same answer, or 409."""
    assert (await one_key_many_times(guarded, 12)).keys() <= {"200", "key_in_flight"}
    assert await guarded.world.count("appointment", "moves = 1 AND version = 2") == 1
    assert await guarded.world.count("outbox", "kind = 'moved'") == 1
    assert await guarded.world.unbalanced() == []


async def test_check_then_move_moves_twice_under_one_key(naive: Town) -> None:
    await one_key_many_times(naive, 2)
    assert await naive.world.unbalanced() != []


async def test_nothing_is_moved_or_held_from_the_moment_a_freeze_returns(guarded: Town) -> None:
    """B8, for changes: what was moved, was moved before; afterwards every answer is 423."""
    old, new = await guarded.world.slot(capacity=16), await guarded.world.slot(capacity=16, hours=30)
    people = [guarded.visitor(number) for number in range(16)]
    theirs = [await booked(each, old) for each in people]
    officials = Officials(guarded.clients[3])
    rush = asyncio.gather(*(each.move(mine, new) for each, mine in zip(people, theirs, strict=True)))
    frozen = await officials.call("operator", ":freeze")
    assert frozen.status_code == 200, frozen.text
    settled = await places(guarded)
    during = codes(await rush)
    assert during.keys() <= {"200", "frozen"}
    after = await together(*(each.move(mine, new) for each, mine in zip(people, theirs, strict=True)))
    assert codes(after) == {"frozen": 16}
    held = guarded.visitor(99)
    assert codes([await held.hold(new, await held.decision())]) == {"frozen": 1}
    assert await places(guarded) == settled
    assert await guarded.world.unbalanced() == []
