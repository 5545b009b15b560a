"""What the database itself says about exceptions, whatever is sent to it."""

from datetime import timedelta

import asyncpg
import pytest

from tests import origin_world
from tests.answers_world import Helpers, denied
from tests.origin_world import START, Origin

MAKE = """
INSERT INTO override (id, programme, person, overrules, product, dose, author, made_by, reason, made_at, expires_at)
SELECT gen_random_uuid(), programme, person, ref, '140', 1, $2, $3, 'why', $4, $5
  FROM decision WHERE ref = $1::text::uuid
RETURNING id
"""
CONFIRM = """
INSERT INTO override_confirmation (override, author, made_by, person, confirmer, confirmed_by, reason, at)
SELECT id, author, made_by, person, $2, $3, 'why', made_at FROM override WHERE id = $1
"""
DECIDE = """
INSERT INTO decision (ref, programme, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                      inputs_hash, branches, created_at, expires_at, override)
SELECT gen_random_uuid(), programme, person, 'eligible', rule_version, ruleset, $2, as_of, '{140}', 1, inputs_hash,
       '[]', created_at, expires_at, $1
  FROM decision LIMIT 1
"""
VERA, VICTOR = b"v" * 32, b"w" * 32


async def made(origin: Origin, *, by: bytes = VERA, until: timedelta = timedelta(days=1)) -> object:
    _, ref = await denied(origin)
    return await origin.world.connection.fetchval(MAKE, ref, "vera", by, START, START + until)


@pytest.mark.parametrize(
    ("confirmer", "confirmed_by"), [("vera", VERA), ("vera", VICTOR), ("victor", VERA)], ids=["both", "name", "person"]
)
async def test_one_person_cannot_make_and_confirm(origin: Origin, confirmer: str, confirmed_by: bytes) -> None:
    override = await made(origin)
    with pytest.raises(asyncpg.CheckViolationError, match="override_takes_two"):
        await origin.world.connection.execute(CONFIRM, override, confirmer, confirmed_by)


async def test_nobody_makes_or_confirms_one_for_themselves(origin: Origin) -> None:
    ana = origin.state.people.pseudonym(origin_world.ISSUER, "ana")
    with pytest.raises(asyncpg.CheckViolationError, match="override_not_ones_own"):
        await made(origin, by=ana)
    override = await made(origin)
    with pytest.raises(asyncpg.CheckViolationError, match="override_takes_two"):
        await origin.world.connection.execute(CONFIRM, override, "ana", ana)


async def test_who_made_it_and_for_whom_cannot_be_told_differently_when_it_is_confirmed(origin: Origin) -> None:
    override = await made(origin)
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="override_confirmation_of"):
        await origin.world.connection.execute(
            "INSERT INTO override_confirmation SELECT id, 'nobody', $2, person, author, made_by, 'why', made_at"
            " FROM override WHERE id = $1",
            override,
            VICTOR,
        )


async def test_there_is_no_decision_by_override_without_its_confirmation_nor_a_second(origin: Origin) -> None:
    override = await made(origin)
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="decision_confirmed"):
        await origin.world.connection.execute(DECIDE, override, "override")
    await origin.world.connection.execute(CONFIRM, override, "victor", VICTOR)
    with pytest.raises(asyncpg.CheckViolationError, match="decision_by"):
        await origin.world.connection.execute(DECIDE, override, "2.0.0")
    with pytest.raises(asyncpg.CheckViolationError, match="decision_by"):
        await origin.world.connection.execute(DECIDE, None, "override")
    await origin.world.connection.execute(DECIDE, override, "override")
    with pytest.raises(asyncpg.UniqueViolationError, match="decision_one_per_override"):
        await origin.world.connection.execute(DECIDE, override, "override")


@pytest.mark.parametrize("until", [timedelta(0), timedelta(days=31, seconds=1)])
async def test_every_override_ends_within_a_month(origin: Origin, until: timedelta) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="override_ends"):
        await made(origin, until=until)


async def test_what_was_done_is_never_edited(origin: Origin) -> None:
    _, ref = await denied(origin)
    helpers = Helpers(origin.client)
    override, _ = await helpers.granted(ref)
    await helpers.revoke(override)
    for table in ("override", "override_confirmation", "override_revocation"):
        for act in (f"UPDATE {table} SET reason = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await origin.world.connection.execute(act)
