"""Freezes and moves of the rules, against bookings and decisions on four origins.

The negative control makes the same change without waiting for bookings under way; there it must go wrong.
"""

import asyncio
from datetime import timedelta

import httpx
import pytest

from origin.db.pool import connect
from tests.origin_world import SENIOR, Visitor
from tests.race.gun import waiting
from tests.race.overtaking import appointments_after
from tests.race.town import Town
from tests.rules_world import Officials, from_age


async def senior(guarded: Town) -> tuple[Visitor, str]:
    """Somebody who may book, with the decision that says so."""
    ana = guarded.visitor(1)
    return ana, await ana.decision()


@pytest.mark.parametrize("region", [None, "ES-MD"])
async def test_nothing_is_booked_from_the_moment_a_freeze_returns(
    guarded: Town, database_url: str, region: str | None
) -> None:
    """B8."""
    operator = Officials(guarded.clients[0])

    async def freeze() -> httpx.Response:
        return await operator.call("operator", ":freeze", region=region)

    there, end = await appointments_after(guarded, database_url, await senior(guarded), freeze, waits=True)
    assert (there, end) == (1, 1)
    slot, late = await guarded.world.slot(capacity=9, hours=30), [guarded.visitor(number) for number in range(2, 10)]
    decisions = [await each.decision() for each in late]
    answers = await asyncio.gather(*(each.book(slot, ref) for each, ref in zip(late, decisions, strict=True)))
    assert {answer.status_code for answer in answers} == {423}


async def test_a_freeze_that_does_not_wait_is_overtaken_by_a_booking(guarded: Town, database_url: str) -> None:
    async def freeze() -> str:
        return await guarded.world.connection.execute(
            "UPDATE programme SET frozen_since = now(), frozen_reason = 'naive'"
        )

    assert await appointments_after(guarded, database_url, await senior(guarded), freeze, waits=False) == (0, 1)


async def test_a_freeze_in_the_middle_of_a_rush_is_a_clean_cut(guarded: Town) -> None:
    """B8, from the outside: whoever asks after the freeze has answered gets nothing."""
    slot = await guarded.world.slot(capacity=500)
    visitors = [guarded.visitor(number) for number in range(60)]
    decisions = [await each.decision() for each in visitors]
    rush = [asyncio.create_task(each.book(slot, ref)) for each, ref in zip(visitors, decisions, strict=True)]
    await asyncio.wait(rush, return_when=asyncio.FIRST_COMPLETED)
    frozen = await Officials(guarded.clients[3]).call("operator", ":freeze")
    there = await guarded.world.count("appointment")
    assert frozen.status_code == 200
    answers = await asyncio.gather(*rush)
    assert await guarded.world.count("appointment") == there == sum(answer.status_code == 201 for answer in answers)
    assert {answer.status_code for answer in answers} <= {201, 423}


@pytest.mark.parametrize("move", ["activate", "rollback"])
async def test_no_booking_under_older_rules_commits_once_a_move_has_returned(
    guarded: Town, database_url: str, move: str
) -> None:
    """E4 and E5."""
    officials = Officials(guarded.clients[0])
    version = await officials.approved(from_age(20))
    if move == "rollback":
        await officials.activate(version)

    async def moved() -> object:
        return await (officials.activate(version) if move == "activate" else officials.rollback(version))

    assert await appointments_after(guarded, database_url, await senior(guarded), moved, waits=True) == (1, 1)


async def test_a_move_that_does_not_wait_is_overtaken_by_a_booking_under_older_rules(
    guarded: Town, database_url: str
) -> None:
    version = await Officials(guarded.clients[0]).approved(from_age(80))

    async def moved() -> str:
        return await guarded.world.connection.execute(
            "INSERT INTO rule_move (pointer, act, programme, version, scheduled, since, actor, reason)"
            " VALUES ('active', 'activated', 'demo', $1, false, clock_timestamp(), 'x', 'x')",
            version,
        )

    assert await appointments_after(guarded, database_url, await senior(guarded), moved, waits=False) == (0, 1)


async def test_whoever_asks_any_origin_after_a_move_is_under_the_new_rules(guarded: Town) -> None:
    """No decision is stored under rules not in force at its moment: moves back and forth amid a crowd that asks."""
    officials = Officials(guarded.clients[0])
    version = await officials.approved(from_age(80))
    slot = await guarded.world.slot(capacity=500)
    done, numbers = asyncio.Event(), iter(range(1000, 100_000))

    async def ask_on(origin: int) -> None:
        while not done.is_set():
            visitor = guarded.visitor(origin, sub=f"crowd-{next(numbers)}")
            answer = await visitor.evaluate()
            assert answer.status_code == 200, answer.text
            assert (answer.json()["rule_version"] == version) == (answer.json()["outcome"] == "not_eligible")

    crowd = [asyncio.create_task(ask_on(origin)) for origin in range(4)]
    for _ in range(8):
        for in_force in (version, 1):
            if in_force == version:
                await officials.activate(version)
            else:
                assert (await officials.rollback(version)).status_code == 200
            visitors = [guarded.visitor(origin, sub=f"after-{next(numbers)}") for origin in range(4)]
            answers = await asyncio.gather(*(each.evaluate(SENIOR) for each in visitors))
            assert [answer.json()["rule_version"] for answer in answers] == [in_force] * 4
            refs = [str(answer.json()["decision_ref"]) for answer in answers]
            booked = await asyncio.gather(*(each.book(slot, ref) for each, ref in zip(visitors, refs, strict=True)))
            assert {answer.status_code for answer in booked} == {201 if in_force == 1 else 403}
    done.set()
    await asyncio.gather(*crowd)
    under = "SELECT count(*) FROM appointment a JOIN decision d ON d.ref = a.decision WHERE d.rule_version <> 1"
    assert await guarded.world.connection.fetchval(under) == 0


async def test_no_decision_under_older_rules_commits_once_a_move_has_returned(guarded: Town, database_url: str) -> None:
    """A decision that has looked at the rules, and is not committed yet, is waited for."""
    officials = Officials(guarded.clients[0])
    version = await officials.approved(from_age(80))
    deciding = await connect(database_url)
    try:
        transaction = deciding.transaction()
        await transaction.start()
        kept = await deciding.fetchval(
            "SELECT keep_decisions(ARRAY[gen_random_uuid()], '{demo}', '{ES-MD}', ARRAY[sha256('')], '{not_eligible}',"
            " '{1}', '{NULL}', ARRAY[(SELECT min(id) FROM ruleset)], '{1}', ARRAY[current_date], '{NULL}', '{NULL}',"
            " '{\\x}', '{[]}', '{\\x}', ARRAY[now()], ARRAY[now()], '{x}')"
        )
        assert kept is not None
        moving = asyncio.create_task(officials.activate(version))
        await waiting(guarded.world.connection, 1)
        assert not moving.done()
        await transaction.commit()
        await moving
    finally:
        await deciding.close()


async def test_a_moment_that_comes_while_a_crowd_asks_is_the_same_for_everybody(guarded: Town) -> None:
    """E4: by the database's clock, whoever is decided before the moment is under the old rules, after it the new."""
    officials = Officials(guarded.clients[0])
    version = await officials.approved(from_age(80))
    clock = "SELECT clock_timestamp()"
    at = await guarded.world.connection.fetchval(clock) + timedelta(seconds=1)
    await officials.activate(version, at.isoformat())
    told: set[tuple[bool, int]] = set()

    async def ask_on(origin: int, database: asyncio.Lock) -> None:
        for number in range(10_000):
            async with database:
                before = await guarded.world.connection.fetchval(clock)
            answer = await guarded.visitor(origin, sub=f"{origin}-{number}").evaluate()
            async with database:
                after = await guarded.world.connection.fetchval(clock)
            if before >= at or after < at:
                told.add((before >= at, answer.json()["rule_version"]))
            if before >= at + timedelta(seconds=0.3):
                return

    database = asyncio.Lock()
    await asyncio.gather(*(ask_on(origin, database) for origin in range(4)))
    assert told == {(False, 1), (True, version)}
