"""``vestibule decision`` and ``vestibule override``, against a served origin."""

import pytest

from tests.answers_world import TOMORROW, denied
from tests.http.test_deploy_rules_cli import Run, lines, origin, run
from tests.origin_world import Origin

__all__ = ["origin", "run"]
ASK = ("--product", "140", "--dose", "1", "--until", TOMORROW)


async def test_a_decision_is_shown_with_its_proof_and_one_that_was_altered_ends_with_status_1(
    origin: Origin, run: Run
) -> None:
    _, ref = await denied(origin)
    shown = await run("decision", "show", ref)
    assert shown.exit_code == 0, shown.output
    assert "Recorded and recomputed the same" in shown.stdout
    assert "Age: at least 65" in shown.stdout
    person = await origin.world.connection.fetchval("SELECT encode(person, 'hex') FROM decision")
    assert lines(await run("decision", "find", person))[1][0] == ref
    await origin.world.connection.execute("UPDATE decision SET outcome = 'incomplete'")
    altered = await run("decision", "show", ref)
    assert altered.exit_code == 1
    assert "it must never happen" in altered.stdout


async def test_an_override_goes_from_asked_to_revoked(origin: Origin, run: Run) -> None:
    ana, ref = await denied(origin)
    slot = await origin.world.slot()
    asked = lines(await run("override", "ask", ref, *ASK, "--reason", "her doctor", "--as", "vera"))
    override = asked[1][0]
    assert asked[1][1] == "pending"
    own = await run("override", "confirm", override, "--reason", "x", "--as", "vera")
    assert (own.exit_code, "own_override" in own.stderr) == (2, True)
    confirmed = lines(await run("override", "confirm", override, "--reason", "seen", "--as", "victor"))
    assert confirmed[1][1] == "live"
    assert (await ana.book(slot, confirmed[1][-1])).status_code == 201
    listed = lines(await run("override", "list", "demo"))
    assert listed[1][:2] == [override, "live"]
    assert lines(await run("override", "revoke", override, "--reason", "done", "--as", "vera"))[1][1] == "revoked"


@pytest.mark.parametrize("until", ["tomorrow", "2027-03-02T00:00:00"])
async def test_a_moment_needs_its_offset(origin: Origin, run: Run, until: str) -> None:
    _, ref = await denied(origin)
    refused = await run("override", "ask", ref, *ASK[:-1], until, "--reason", "x", "--as", "vera")
    assert refused.exit_code == 2
    assert "no moment with its offset" in refused.stderr
