"""``vestibule programme course``, against a served origin."""

import pytest

from tests.http.test_deploy_rules_cli import Run, lines, origin, run
from tests.origin_world import Origin

__all__ = ["origin", "run"]


@pytest.mark.usefixtures("origin")
async def test_a_course_is_set_shown_and_removed(run: Run) -> None:
    empty = await run("programme", "course", "list", "demo")
    assert (empty.exit_code, empty.stdout.strip()) == (0, "No dose follows another in demo.")
    made = await run(
        "programme", "course", "set", "demo", "208", "--days", "21-28", "--both-only", "--reason", "the leaflet"
    )
    assert made.exit_code == 0, made.output
    assert made.stdout.split()[-5:] == ["208", "1", "21-28", "days", "no"]
    assert lines(await run("programme", "course", "list", "demo")) == lines(made)
    gone = await run("programme", "course", "remove", "demo", "208", "--reason", "no longer made")
    assert (gone.exit_code, gone.stdout.strip()) == (0, "No dose follows another in demo.")


async def test_each_change_is_audited_once(origin: Origin, run: Run) -> None:
    for _ in range(2):
        await run("programme", "course", "set", "demo", "208", "--days", "21-28", "--reason", "the leaflet")
    assert await origin.world.count("audit_event", "kind = 'course_set'") == 1


@pytest.mark.usefixtures("origin")
@pytest.mark.parametrize("days", ["21", "28-21", "0-3", "a-b", "-3"])
async def test_days_that_are_none_are_refused(run: Run, days: str) -> None:
    refused = await run("programme", "course", "set", "demo", "208", f"--days={days}", "--reason", "x")
    assert (refused.exit_code, "as in 21-28" in refused.stderr) == (2, True)
