"""What a programme allows, over HTTP: set by an operator with a reason, told to officials, and kept."""

from typing import Any

import httpx
import msgspec

from tests.origin_world import Origin, bearer
from tests.sites_world import Clinic

PATH = "/v1/admin/programmes/demo"
AT_FIRST = {
    "programme": "demo",
    "name": "Demo programme",
    "hold_lasts_s": 120,
    "change_until_s": 0,
    "moves_at_most": None,
    "cancels_at_most": None,
    "offer_lasts_s": 48 * 3600,
    "offer_lead_s": 2 * 3600,
    "offer_radius_km": 50,
    "offer_days": 14,
    "return_within_s": 30 * 24 * 3600,
    "waitlist": False,
    "waitlist_lasts_s": 1800,
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


async def test_what_is_offered_where_a_site_cancels_is_changed_and_holds_from_the_next_offer_on(
    origin: Origin, clinic: Clinic
) -> None:
    slot, _ = await origin.world.slot(), await origin.world.slot(hours=100)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    offers: dict[str, Any] = {
        "offer_lasts_s": 3600,
        "offer_lead_s": 0,
        "offer_radius_km": 5,
        "offer_days": 4,
        "return_within_s": 600,
    }
    changed = await ask(origin, "operator", reason="few places", **offers)
    assert (changed.status_code, changed.json()) == (200, AT_FIRST | offers)
    assert (await ask(origin, "operator")).json() == AT_FIRST | offers
    await clinic.cancel(slot, 1)
    await clinic.work()
    offer = await clinic.offer(ana)
    assert (offer["state"], offer["until"]) == ("offered", "2027-03-01T10:00:00Z")
    assert (await ask(origin, "operator", reason="fewer", offer_days=3)).json() == AT_FIRST | offers | {"offer_days": 3}
    origin.world.clock.advance(3600)
    await clinic.work()
    assert (await clinic.offer(ana))["may_return"]
    origin.world.clock.advance(600)
    late = await origin.client.post(f"/v1/appointments/{appointment}:return", headers=ana.headers)
    assert (late.status_code, late.json()["code"]) == (409, "no_way_back")


async def test_a_waitlist_is_opened_and_closed(origin: Origin) -> None:
    ana = origin.visitor()
    wish = {
        "decision_ref": await ana.decision(),
        "site_id": 1,
        "from": "2027-03-02T00:00:00Z",
        "to": "2027-03-09T00:00:00Z",
    }

    async def join() -> tuple[int, str]:
        answer = await origin.client.post("/v1/waitlist", json=wish, headers=ana.headers)
        return answer.status_code, answer.json().get("code", "")

    assert await join() == (409, "no_waitlist")
    opened = await ask(origin, "operator", reason="many wait", waitlist=True, waitlist_lasts_s=3600)
    assert opened.json() == AT_FIRST | {"waitlist": True, "waitlist_lasts_s": 3600}
    assert await join() == (201, "")
    closed = await ask(origin, "operator", reason="enough", waitlist=False)
    assert closed.json() == AT_FIRST | {"waitlist_lasts_s": 3600}
    assert await join() == (409, "no_waitlist")


async def test_a_change_has_its_audit_row_with_the_reason_and_no_change_has_none(origin: Origin) -> None:
    for _ in range(2):
        await ask(origin, "operator", reason="slow forms", hold_lasts_s=300)
    rows = await origin.world.connection.fetch("SELECT actor, details FROM audit_event WHERE kind = 'policies'")
    assert [(row["actor"], msgspec.json.decode(row["details"])) for row in rows] == [
        (
            "operator",
            {name: value for name, value in AT_FIRST.items() if name not in {"programme", "name"}}
            | {"hold_lasts_s": 300, "reason": "slow forms"},
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
        {"reason": "a test", "offer_lasts_s": 0},
        {"reason": "a test", "offer_lasts_s": 30 * 24 * 3600 + 1},
        {"reason": "a test", "offer_lead_s": -1},
        {"reason": "a test", "offer_radius_km": 0},
        {"reason": "a test", "offer_radius_km": 1001},
        {"reason": "a test", "offer_radius_km": 1.5},
        {"reason": "a test", "offer_days": 0},
        {"reason": "a test", "offer_days": 367},
        {"reason": "a test", "return_within_s": -1},
        {"reason": "a test", "return_within_s": None},
        {"reason": "a test", "waitlist": "yes"},
        {"reason": "a test", "waitlist": None},
        {"reason": "a test", "waitlist_lasts_s": 0},
        {"reason": "a test", "waitlist_lasts_s": 7 * 24 * 3600 + 1},
    ):
        assert await code("operator", **form) == (422, "invalid_body")
    assert (await ask(origin, "operator")).json() == AT_FIRST
