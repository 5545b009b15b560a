"""``vestibule programme``, against a served origin."""

import pytest

from tests.http.test_deploy_rules_cli import Run, lines, origin, run
from tests.origin_world import Origin

__all__ = ["origin", "run"]
SET = ("programme", "set", "demo", "--reason", "a test", "--as", "oscar")


async def test_policies_are_set_and_shown(origin: Origin, run: Run) -> None:
    at_first = dict(line[:2] for line in lines(await run("programme", "show", "demo")))
    assert at_first == {
        "programme": "demo",
        "hold-lasts": "2m",
        "change-until": "0d",
        "moves-at-most": "any",
        "cancels-at-most": "any",
    }
    changed = ("--hold-lasts", "90", "--change-until", "12h", "--moves-at-most", "3", "--cancels-at-most", "0")
    after = dict(line[:2] for line in lines(await run(*SET, *changed)))
    assert after == {
        "programme": "demo",
        "hold-lasts": "90s",
        "change-until": "12h",
        "moves-at-most": "3",
        "cancels-at-most": "0",
    }
    after |= {"moves-at-most": "any"}
    assert dict(line[:2] for line in lines(await run(*SET, "--moves-at-most", "any"))) == after
    assert dict(line[:2] for line in lines(await run("programme", "show", "demo"))) == after
    assert await origin.world.count("audit_event", "kind = 'policies'") == 2


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--hold-lasts", "soon", "no length of time"),
        ("--hold-lasts", "2h", "invalid_body: Expected `int` <= 3600"),
        ("--moves-at-most", "often", "no number of times"),
    ],
)
async def test_what_cannot_be_is_said_in_one_line(origin: Origin, run: Run, option: str, value: str, told: str) -> None:
    refused = await run(*SET, option, value)
    assert (refused.exit_code, told in refused.stderr, refused.stderr.count("\n")) == (2, True, 1)
    assert await origin.world.count("audit_event", "kind = 'policies'") == 0
