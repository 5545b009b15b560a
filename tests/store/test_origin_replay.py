"""Whom wrong rules have touched; and past decisions come out the same with the evaluator and rules of their day."""

from uuid import UUID, uuid4

import pytest

from origin.eligibility.replay import Affected, Progress, Replay, VersionMissing
from origin.eligibility.verify import Verification, Verified
from tests.origin_world import ADULT, SENIOR, START, Origin
from tests.rules_world import Officials, from_age

YOUNG = SENIOR | {"birth_date": "1960-01-01"}


def replay_of(origin: Origin) -> Replay:
    return Replay(origin.world.connection, origin.state.decisions.sealer)


async def replayed(origin: Origin, from_version: int, to_version: int) -> Progress:
    replay = replay_of(origin)
    return await replay.run(await replay.begin(uuid4(), "demo", from_version, to_version, START), START, _say_nothing)


def _say_nothing(_: object) -> None:
    """Nobody watches."""


async def test_a_replay_names_the_affected_by_pseudonym_reason_and_region_and_their_appointments(
    origin: Origin,
) -> None:
    officials, slot = Officials(origin.client), await origin.world.slot(capacity=9)
    wrong = await officials.active(from_age(60))
    booked, asked, old, gone = (origin.visitor(name) for name in ("booked", "asked", "old", "gone"))
    ref, lost = await booked.decision(YOUNG), await gone.decision(YOUNG)
    await asked.decision(YOUNG | {"region": "ES-CM"})
    await old.decision(SENIOR | {"birth_date": "1930-01-01"})
    await old.decision(ADULT)
    appointment = (await booked.book(slot, ref)).json()["id"]
    kept = (await gone.book(slot, lost)).json()["id"]
    await origin.world.connection.execute("UPDATE decision SET facts_sealed = NULL WHERE ref = $1", UUID(lost))
    assert (await officials.rollback(wrong)).status_code == 200
    right = await officials.active(from_age(75))
    progress = await replayed(origin, wrong, right)
    assert (progress.total, progress.seen, progress.changed, progress.erased) == (5, 5, 2, 1)
    assert await replay_of(origin).affected(progress.id) == [
        Affected("ES-CM", "eligible", "not_eligible", "AGE_65_OR_OLDER", 1, 1, 0),
        Affected("ES-MD", "eligible", "not_eligible", "AGE_65_OR_OLDER", 1, 1, 1),
        Affected("ES-MD", "eligible", None, None, 1, 1, 1),
    ]
    found = await replay_of(origin).findings(progress.id)
    assert {(str(each.decision), each.after, str(each.appointment)) for each in found[:2]} == {
        (ref, "not_eligible", appointment),
        (lost, None, kept),
    }
    assert next(each.person for each in found if str(each.decision) == ref) == await origin.world.connection.fetchval(
        "SELECT encode(person, 'hex') FROM decision WHERE ref = $1", UUID(ref)
    )
    assert (len(found), found[2].appointment, found[2].reasons) == (3, None, ["AGE_65_OR_OLDER"])


async def test_a_version_that_is_not_there_cannot_be_replayed(origin: Origin) -> None:
    with pytest.raises(VersionMissing):
        await replay_of(origin).begin(uuid4(), "demo", 1, 9, START)


async def verified(origin: Origin) -> Verified:
    found = Verified()
    verification = Verification(origin.world.connection, origin.state.decisions.sealer)
    for version in await verification.versions("demo"):
        await verification.run("demo", version, found, _say_nothing)
    return found


async def test_every_past_decision_comes_out_the_same_with_the_rules_of_its_day(origin: Origin) -> None:
    """E6: whatever rules came since; erased facts are counted, and nothing else is left out."""
    officials, ana = Officials(origin.client), origin.visitor()
    refs = [await ana.decision(facts) for facts in (SENIOR, ADULT, {}, SENIOR | {"region": "nowhere"})]
    await officials.active(from_age(80))
    refs += [await ana.decision(facts) for facts in (SENIOR, YOUNG, ADULT)]
    await officials.active(from_age(50), "ES-MD")
    refs += [await ana.decision(facts) for facts in (SENIOR, YOUNG)]
    await origin.world.connection.execute("UPDATE decision SET facts_sealed = NULL WHERE ref = $1", UUID(refs[0]))
    found = await verified(origin)
    assert found.counts == {"same": 8, "erased": 1}
    assert found.wrong == []


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ("outcome = 'not_eligible', products = NULL, dose = NULL", "different"),
        ("branches = jsonb_set(branches, '{0,2}', 'false')", "different"),
        ("branches = branches - 0", "different"),
        ("inputs_hash = '\\x00'", "different"),
        ("as_of = as_of - 4000", "different"),
        ("evaluator = '0'", "evaluator_unknown"),
        ("ruleset = (SELECT max(id) FROM ruleset WHERE id <> ruleset_before.id)", "rules_altered"),
    ],
)
async def test_a_decision_that_was_altered_is_found_and_named(origin: Origin, change: str, result: str) -> None:
    """E6, the other way round."""
    await Officials(origin.client).approved(from_age(80))
    ref = await origin.visitor().decision(YOUNG | {"birth_date": "1965-01-01"})
    sql = f"UPDATE decision SET {change} FROM (SELECT ruleset AS id FROM decision) ruleset_before"
    await origin.world.connection.execute(sql)
    found = await verified(origin)
    assert [(str(each), why) for each, why in found.wrong] == [(ref, result)]
