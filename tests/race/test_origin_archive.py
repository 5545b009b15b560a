"""Archiving beside people who book: nobody waits for it, and it takes nothing that somebody has.

Beside it stand the negative controls: movers that lock what others want, or wait for what others have.
"""

import asyncio
from datetime import timedelta

from origin.db.pool import connect
from origin.inventory.archive import ArchiveStore, archive_all
from tests.race.gun import loaded, waiting
from tests.race.town import Town, codes

PEOPLE = 12
DAYS = 30
AGO = -(DAYS + 5) * 24


def silent(_archived: int, _at: int, _last: int) -> None:
    """Be told how far it is."""


async def test_people_book_while_a_batch_is_being_moved(guarded: Town, database_url: str) -> None:
    old = [await guarded.world.slot(hours=AGO + number, capacity=3) for number in range(5)]
    slot = await guarded.world.slot(capacity=PEOPLE)
    now, mover = guarded.world.clock.now(), await connect(database_url)
    before = now - timedelta(days=DAYS)
    await ArchiveStore().archive(mover, before=before, after=0, now=now)  # makes the partitions
    visitors = [guarded.visitor(number) for number in range(PEOPLE)]
    decisions = await asyncio.gather(*(each.decision() for each in visitors))
    async with mover.transaction():
        assert (await ArchiveStore().archive(mover, before=before, after=0, now=now)).archived == len(old)
        answers = codes(
            await asyncio.gather(*(each.book(slot, ref) for each, ref in zip(visitors, decisions, strict=True)))
        )
        assert answers == {"booked": PEOPLE}
        past = await guarded.visitor(99).book(old[0], await guarded.visitor(99).decision())
        assert (past.status_code, past.json()["code"]) == (409, "slot_past")
    await mover.close()
    assert await guarded.tell() == [(PEOPLE, 0, PEOPLE)]
    assert await guarded.world.unbalanced() == []


async def test_a_mover_that_locks_all_it_looks_at_makes_people_wait(guarded: Town, database_url: str) -> None:
    slot = await guarded.world.slot(capacity=1)
    visitor = guarded.visitor(1)
    decision = await visitor.decision()
    async with loaded(database_url, "SELECT FROM slot WHERE id > 0 ORDER BY id LIMIT 5000 FOR UPDATE") as gun:
        booking = asyncio.create_task(visitor.book(slot, decision))
        await gun.gathered(1)
        await gun.fire()
    assert (await booking).status_code == 201


async def test_what_somebody_has_locked_is_not_waited_for_and_goes_the_next_time(
    guarded: Town, database_url: str
) -> None:
    slots = [await guarded.world.slot(hours=AGO + number) for number in range(3)]
    now = guarded.world.clock.now()
    async with loaded(database_url, "SELECT FROM slot WHERE id = $1 FOR NO KEY UPDATE", slots[1]):
        async with asyncio.timeout(5):
            assert await archive_all(guarded.world.connection, DAYS, now, silent) == 2
    assert await archive_all(guarded.world.connection, DAYS, now, silent) == 1
    assert await guarded.world.count("slot_archive") == 3


async def test_a_slot_that_is_given_to_somebody_at_this_moment_stays_with_them(
    guarded: Town, database_url: str
) -> None:
    """As when staff enter by hand who came: the foreign key's lock is seen, and afterwards the appointment."""
    slot = await guarded.world.slot(hours=AGO, capacity=2)
    [(person, ref)] = (await guarded.world.decided([b"p" * 32])).items()
    now, staff = guarded.world.clock.now(), await connect(database_url)
    async with staff.transaction():
        await staff.execute(
            "INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at,"
            " changed_at, cancelled_by)"
            " VALUES (gen_random_uuid(), 'demo', $1, 1, $2, 'cancelled', $3, 'a', $4, $4, 'site')",
            person,
            slot,
            ref,
            now,
        )
        async with asyncio.timeout(5):
            assert await archive_all(guarded.world.connection, DAYS, now, silent) == 0
    await staff.close()
    assert await archive_all(guarded.world.connection, DAYS, now, silent) == 0
    assert await guarded.world.count("slot", f"id = {slot}") == 1


async def test_a_mover_that_skips_nothing_waits_for_whoever_has_a_slot(guarded: Town, database_url: str) -> None:
    slots = [await guarded.world.slot(hours=AGO + number) for number in range(3)]
    mover = await connect(database_url)
    async with loaded(database_url, "SELECT FROM slot WHERE id = $1 FOR NO KEY UPDATE", slots[1]) as gun:
        moving = asyncio.create_task(mover.execute("DELETE FROM slot_untouched WHERE id = ANY ($1)", slots))
        await waiting(gun.watcher, 1)
        assert not moving.done()
        await gun.fire()
    assert await moving == "DELETE 3"
    await mover.close()
