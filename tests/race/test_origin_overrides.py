"""Exceptions when two act at once: revoked while they are booked with, confirmed by many, confirmed and revoked.

The negative controls do the same without the lock, or without the constraint; there it must go wrong.
"""

import asyncio

from origin.db.pool import connect
from tests.answers_world import OVERRIDES, Helpers
from tests.origin_world import ADULT, Visitor
from tests.race.meeting import Meeting
from tests.race.overtaking import appointments_after
from tests.race.town import Town


async def by_exception(town: Town) -> tuple[str, tuple[Visitor, str]]:
    """Somebody for whom an exception was made, with the decision to book with; and the exception."""
    ana = town.visitor(1)
    override, granted = await Helpers(town.clients[0]).granted(await ana.decision(ADULT))
    return override, (ana, granted)


async def test_nothing_is_booked_with_an_exception_from_the_moment_its_revocation_returns(
    guarded: Town, database_url: str
) -> None:
    """E4: the booking that has passed every check is waited for."""
    override, asked = await by_exception(guarded)

    async def revoke() -> None:
        assert (await Helpers(guarded.clients[2]).revoke(override)).status_code == 200

    assert await appointments_after(guarded, database_url, asked, revoke, waits=True) == (1, 1)


async def test_a_revocation_that_does_not_wait_is_overtaken_by_a_booking(guarded: Town, database_url: str) -> None:
    override, asked = await by_exception(guarded)

    async def revoke() -> None:
        await guarded.world.connection.execute(
            "INSERT INTO override_revocation VALUES ($1::text::uuid, 'naive', 'naive', now())", override
        )

    assert await appointments_after(guarded, database_url, asked, revoke, waits=False) == (0, 1)


async def test_whoever_books_after_a_revocation_on_any_origin_gets_nothing(guarded: Town) -> None:
    helpers = Helpers(guarded.clients[0])
    slot = await guarded.world.slot(capacity=500)
    people = [guarded.visitor(number, sub=f"p{number}") for number in range(24)]
    granted = [await helpers.granted(await each.decision(ADULT)) for each in people]
    asked = [(each, ref) for each, (_, ref) in zip(people, granted, strict=True)]
    rush = [asyncio.create_task(each.book(slot, ref)) for each, ref in asked[:12]]
    await asyncio.wait(rush, return_when=asyncio.FIRST_COMPLETED)
    revoked = await asyncio.gather(*(Helpers(guarded.clients[3]).revoke(override) for override, _ in granted))
    there = await guarded.world.count("appointment")
    assert {answer.status_code for answer in revoked} == {200}
    late = await asyncio.gather(*(each.book(slot, ref) for each, ref in asked[12:]))
    answers = await asyncio.gather(*rush)
    assert await guarded.world.count("appointment") == there == sum(answer.status_code == 201 for answer in answers)
    assert {answer.json().get("code", "booked") for answer in answers} <= {"booked", "override_ended"}
    assert {answer.json()["code"] for answer in late} == {"override_ended"}


async def test_many_confirm_at_once_and_one_does(guarded: Town) -> None:
    override = await Helpers(guarded.clients[0]).made(await guarded.visitor(0).decision(ADULT))
    answers = await asyncio.gather(
        *(Helpers(guarded.clients[number % 4]).confirm(override, sub=f"victor-{number}") for number in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_confirmed"}
    assert await guarded.world.count("decision", "override IS NOT NULL") == 1
    assert await guarded.world.count("audit_event", "kind = 'override_confirmed'") == 1


async def test_whoever_looks_and_then_confirms_without_constraint_and_lock_confirms_twice(
    guarded: Town, database_url: str
) -> None:
    override = await Helpers(guarded.clients[0]).made(await guarded.visitor(0).decision(ADULT))
    both = Meeting()

    async def confirm(name: str) -> None:
        connection = await connect(database_url)
        try:
            seen = await connection.fetchval(
                "SELECT count(*) FROM override_confirmation WHERE override = $1::text::uuid", override
            )
            await both()
            if not seen:
                await connection.execute(
                    "INSERT INTO override_confirmation"
                    " (override, author, made_by, person, confirmer, confirmed_by, reason, at)"
                    " SELECT id, author, made_by, person, $2, sha256($2::text::bytea), 'x', now() FROM override"
                    " WHERE id = $1::text::uuid",
                    override,
                    name,
                )
        finally:
            await connection.close()

    await guarded.world.connection.execute(
        "ALTER TABLE override_confirmation DROP CONSTRAINT override_confirmed_once CASCADE"
    )
    await asyncio.gather(confirm("victor"), confirm("viola"))
    assert await guarded.world.count("override_confirmation") == 2


async def test_confirmed_and_revoked_at_once_it_is_never_live_afterwards(guarded: Town) -> None:
    helpers = Helpers(guarded.clients[0])
    for number in range(8):
        override = await helpers.made(await guarded.visitor(number % 4, sub=f"r{number}").decision(ADULT))
        confirmed, revoked = await asyncio.gather(
            Helpers(guarded.clients[1]).confirm(override), Helpers(guarded.clients[2]).revoke(override)
        )
        assert revoked.status_code == 200
        assert confirmed.json().get("code", "confirmed") in {"confirmed", "override_over"}
        told = (await helpers.get(f"{OVERRIDES}/{override}")).json()
        assert told["state"] == "revoked"
        assert (told["decision_ref"] is not None) == (confirmed.status_code == 200)
