"""What a programme allows, over HTTP: set by an operator with a reason, told to officials, and kept."""

from typing import Any

import httpx
import msgspec

from tests.origin_world import Origin, bearer

PATH = "/v1/admin/programmes/demo"
AT_FIRST = {
    "programme": "demo",
    "name": "Demo programme",
    "hold_lasts_s": 120,
    "change_until_s": 0,
    "moves_at_most": None,
    "cancels_at_most": None,
}


async def ask(origin: Origin, role: str, path: str = PATH, **form: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {bearer('olga', role)}"}
    if form:
        return await origin.client.patch(path, json=form, headers=headers)
    return await origin.client.get(path, headers=headers)


async def test_an_operator_changes_what_is_given_and_the_rest_stays(origin: Origin) -> None:
    assert (await ask(origin, "support")).json() == AT_FIRST
    first = await ask(origin, "operator", reason="slow forms", hold_lasts_s=300, moves_at_most=2)
    assert (first.status_code, first.json()) == (200, AT_FIRST | {"hold_lasts_s": 300, "moves_at_most": 2})
    then = await ask(origin, "operator", reason="as law", change_until_s=3600, cancels_at_most=0, moves_at_most=None)
    assert then.json() == AT_FIRST | {"hold_lasts_s": 300, "change_until_s": 3600, "cancels_at_most": 0}
    assert (await ask(origin, "rules_author")).json() == then.json()
    ana = origin.visitor()
    held = await ana.hold(await origin.world.slot(), await ana.decision())
    assert held.json()["expires_at"] == "2027-03-01T09:05:00Z"


async def test_a_change_has_its_audit_row_with_the_reason_and_no_change_has_none(origin: Origin) -> None:
    for _ in range(2):
        await ask(origin, "operator", reason="slow forms", hold_lasts_s=300)
    rows = await origin.world.connection.fetch("SELECT actor, details FROM audit_event WHERE kind = 'policies'")
    assert [(row["actor"], msgspec.json.decode(row["details"])) for row in rows] == [
        (
            "operator",
            {
                "hold_lasts_s": 300,
                "change_until_s": 0,
                "moves_at_most": None,
                "cancels_at_most": None,
                "reason": "slow forms",
            },
        )
    ]


async def test_what_cannot_be_is_refused_and_nothing_changes(origin: Origin) -> None:
    async def code(role: str, path: str = PATH, **form: Any) -> tuple[int, str]:
        answer = await ask(origin, role, path, **form)
        return answer.status_code, answer.json()["code"]

    assert await code("support", reason="a test", hold_lasts_s=300) == (403, "forbidden")
    assert await code("visitor") == (403, "forbidden")
    assert await code("operator", PATH + "x") == (404, "programme_unknown")
    assert await code("operator", PATH + "x", reason="a test") == (404, "programme_unknown")
    for form in (
        {"hold_lasts_s": 300},
        {"reason": "", "hold_lasts_s": 300},
        {"reason": "a test", "hold_lasts_s": 0},
        {"reason": "a test", "hold_lasts_s": 3601},
        {"reason": "a test", "change_until_s": -1},
        {"reason": "a test", "moves_at_most": 40_000},
        {"reason": "a test", "hold_lasts_s": None},
        {"reason": "a test", "moves": 1},
    ):
        assert await code("operator", **form) == (422, "invalid_body")
    assert (await ask(origin, "operator")).json() == AT_FIRST
