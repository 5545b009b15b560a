"""``vestibule programme``, against a served origin."""

import pytest
from typer.testing import Result

from tests.http.test_deploy_rules_cli import Run, lines, origin, run
from tests.origin_world import Origin

__all__ = ["origin", "run"]
SET = ("programme", "set", "demo", "--reason", "a test", "--as", "oscar")
AT_FIRST = {
    "programme": "demo",
    "hold-lasts": "2m",
    "change-until": "0d",
    "moves-at-most": "any",
    "cancels-at-most": "any",
    "offer-lasts": "2d",
    "offer-lead": "2h",
    "offer-radius-km": "50",
    "offer-days": "14",
    "return-within": "30d",
    "waitlist": "no",
    "waitlist-lasts": "30m",
}
CHANGED = {
    "hold-lasts": "90s",
    "change-until": "12h",
    "moves-at-most": "3",
    "cancels-at-most": "0",
    "offer-lasts": "36h",
    "offer-lead": "0d",
    "offer-radius-km": "20",
    "offer-days": "7",
    "return-within": "10d",
    "waitlist-lasts": "1h",
}


async def test_policies_are_set_and_shown(origin: Origin, run: Run) -> None:
    def shown(result: Result) -> dict[str, str]:
        return dict(line[:2] for line in lines(result))

    assert shown(await run("programme", "show", "demo")) == AT_FIRST
    options = [text for name, value in CHANGED.items() for text in (f"--{name}", value)]
    after = AT_FIRST | CHANGED | {"waitlist": "yes"}
    assert shown(await run(*SET, *options, "--waitlist")) == after
    after |= {"moves-at-most": "any"}
    assert shown(await run(*SET, "--moves-at-most", "any")) == after
    after |= {"waitlist": "no"}
    assert shown(await run(*SET, "--no-waitlist")) == after
    assert shown(await run("programme", "show", "demo")) == after
    assert await origin.world.count("audit_event", "kind = 'policies'") == 3


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--hold-lasts", "soon", "no length of time"),
        ("--hold-lasts", "2h", "invalid_body: Expected `int` <= 3600"),
        ("--moves-at-most", "often", "no number of times"),
        ("--offer-lasts", "0", "invalid_body: Expected `int` >= 1"),
        ("--offer-radius-km", "0", "invalid_body: Expected `int` >= 1"),
        ("--offer-days", "400", "invalid_body: Expected `int` <= 366"),
        ("--waitlist-lasts", "a while", "no length of time"),
    ],
)
async def test_what_cannot_be_is_said_in_one_line(origin: Origin, run: Run, option: str, value: str, told: str) -> None:
    refused = await run(*SET, option, value)
    assert (refused.exit_code, told in refused.stderr, refused.stderr.count("\n")) == (2, True, 1)
    assert await origin.world.count("audit_event", "kind = 'policies'") == 0
