"""The waitlist over HTTP: who waits is offered what becomes free, oldest first, and books it without the queue."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from origin.waitlist.offering import Offering
from tests import origin_world
from tests.origin_world import MADRID, SENIOR, START, Origin, Visitor, bearer

DAYS = {"from": START.isoformat(), "to": (START + timedelta(days=7)).isoformat()}
AT_SITE = {"site_id": 1} | DAYS
_NOBODYS = "7e6f8f0e-3c2a-4f0e-9d7e-0123456789ab"
AROUND = {"lat": MADRID[0], "lng": MADRID[1], "radius_km": 20} | DAYS


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path) as made:
        await made.world.connection.execute("UPDATE programme SET waitlist = true")
        yield made


async def join(visitor: Visitor, wish: dict[str, Any], **changes: Any) -> httpx.Response:
    body = wish | {"decision_ref": changes.pop("decision", None) or await visitor.decision()}
    return await visitor.client.post("/v1/waitlist", json=body | changes, headers=visitor.headers)


async def joined(origin: Origin, sub: str, wish: dict[str, Any]) -> tuple[Visitor, str]:
    """Somebody on the waitlist, a second after who came before; and their entry."""
    visitor = origin.visitor(sub)
    answer = await join(visitor, wish)
    assert answer.status_code == 201, answer.text
    origin.world.clock.advance(1)
    return visitor, str(answer.json()["id"])


async def entry(visitor: Visitor) -> dict[str, Any]:
    (only,) = (await visitor.client.get("/v1/waitlist", headers=visitor.headers)).json()["entries"]
    assert isinstance(only, dict)
    return only


async def work(origin: Origin) -> int:
    state = origin.state
    return await Offering(state.database, origin.world.clock, state.ids, state.metrics, state.waitlist).run()


async def told(origin: Origin) -> list[str]:
    rows = await origin.world.connection.fetch("SELECT kind FROM outbox WHERE waitlist_entry IS NOT NULL ORDER BY id")
    return [row["kind"] for row in rows]


async def take(origin: Origin, visitor: Visitor, entry_id: str, slot: int) -> httpx.Response:
    """Come in again and book, as a browser would whose admission has expired long ago."""
    entered = await origin.client.post(f"/v1/waitlist/{entry_id}:enter", headers=visitor.headers)
    assert entered.status_code == 200, entered.text
    cookie = f"vestibule_admission={entered.cookies['vestibule_admission']}"
    origin.client.cookies.clear()
    headers = {"Authorization": f"Bearer {bearer(visitor.sub)}", "Cookie": cookie, "Idempotency-Key": uuid4().hex}
    asked = await origin.client.post("/v1/eligibility:evaluate", json={"facts": SENIOR}, headers=headers)
    body = {"slot_id": slot, "decision_ref": asked.json()["decision_ref"]}
    return await origin.client.post("/v1/appointments", json=body, headers=headers)


async def test_a_freed_place_is_offered_to_who_has_waited_longest_and_wants_it(origin: Origin) -> None:
    slot = await origin.world.slot()
    booker = origin.visitor("first")
    appointment = (await booker.book(slot, await booker.decision())).json()["id"]
    elsewhere, _ = await joined(origin, "elsewhere", {"site_id": 3} | DAYS)
    ana, anas = await joined(origin, "ana", AROUND)
    bruno, _ = await joined(origin, "bruno", AT_SITE)
    assert await work(origin) == 0
    await origin.client.delete(f"/v1/appointments/{appointment}", headers=booker.headers)
    assert await work(origin) == 1
    offered = await entry(ana)
    assert (offered["state"], offered["slot"]["id"]) == ("offered", slot)
    assert (await entry(bruno))["state"] == (await entry(elsewhere))["state"] == "waiting"
    late = origin.visitor("late")
    assert (await late.book(slot, await late.decision())).json()["code"] == "slot_gone"
    origin.world.clock.advance(1500)  # the admission that she joined with has expired
    ana.token = ana.token
    booked = await take(origin, ana, anas, slot)
    assert booked.status_code == 201, booked.text
    assert await work(origin) == 1
    assert (await entry(ana))["state"] == "booked"
    assert await told(origin) == ["place_offered"]
    assert await origin.world.count("hold") == 0
    assert await origin.world.count("slot", "remaining = 0") == 1


async def test_what_is_not_taken_in_time_goes_to_the_next_and_three_times_are_the_end(origin: Origin) -> None:
    ana, anas = await joined(origin, "ana", AT_SITE)
    bruno, _ = await joined(origin, "bruno", AT_SITE)
    slots = [await origin.world.slot(hours=24 + number) for number in range(3)]
    for slot in slots[1:]:
        await origin.world.connection.execute("UPDATE slot SET remaining = 0, capacity = 0 WHERE id = $1", slot)
    await work(origin)
    assert ((await entry(ana))["slot"]["id"], (await entry(bruno))["state"]) == (slots[0], "waiting")
    origin.world.clock.advance(1800)
    over = await origin.client.post(f"/v1/waitlist/{anas}:enter", headers=ana.headers)
    assert (over.status_code, over.json()["code"]) == (409, "offer_over")
    assert await work(origin) == 2
    assert ((await entry(ana))["state"], (await entry(bruno))["slot"]["id"]) == ("waiting", slots[0])
    for slot in slots[1:]:
        await origin.world.connection.execute("UPDATE slot SET remaining = 1, capacity = 1 WHERE id = $1", slot)
        await origin.client.delete(f"/v1/waitlist/{(await entry(bruno))['id']}", headers=bruno.headers)
        await work(origin)
        assert (await entry(ana))["slot"]["id"] == slot
        origin.world.clock.advance(1800)
        await work(origin)
    assert (await entry(ana))["state"] == "over"
    assert await told(origin) == [
        "place_offered",
        "place_missed",
        "place_offered",
        "place_offered",
        "place_missed",
        "place_offered",
        "waitlist_over",
    ]
    assert await origin.world.count("slot", "remaining = capacity") == 3


async def test_who_leaves_gives_back_what_is_held_for_them(origin: Origin) -> None:
    ana, anas = await joined(origin, "ana", AT_SITE)
    await origin.world.slot()
    await work(origin)
    bruno = origin.visitor("bruno")
    foreign = await origin.client.delete(f"/v1/waitlist/{anas}", headers=bruno.headers)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "entry_unknown")
    for _ in range(2):
        assert (await origin.client.delete(f"/v1/waitlist/{anas}", headers=ana.headers)).status_code == 204
    assert (await entry(ana))["state"] == "left"
    assert await origin.world.count("slot", "remaining = 1") == 1
    assert await origin.world.count("hold") == 0
    assert await work(origin) == 0


async def test_one_admission_books_once_whichever_way(origin: Origin) -> None:
    """B7."""
    ana, anas = await joined(origin, "ana", AT_SITE)
    slot, other = await origin.world.slot(), await origin.world.slot(site=2)
    await work(origin)
    assert (await ana.book(other, await ana.decision())).status_code == 201
    used = await take(origin, ana, anas, slot)
    assert (used.status_code, used.json()["code"]) == (409, "admission_used")
    await work(origin)
    assert (await entry(ana))["state"] == "booked"
    assert await origin.world.count("slot", f"id = {slot} AND remaining = 1") == 1


async def test_who_is_booked_another_way_waits_no_longer(origin: Origin) -> None:
    ana, _ = await joined(origin, "ana", AT_SITE)
    again = origin.visitor("ana")
    assert (await again.book(await origin.world.slot(site=2), await again.decision())).status_code == 201
    assert await work(origin) == 1
    assert (await entry(ana))["state"] == "left"


async def test_an_entry_ends_with_its_days_and_its_person_is_told(origin: Origin) -> None:
    ana, _ = await joined(origin, "ana", AT_SITE)
    origin.world.clock.advance(7 * 86_400)
    assert await work(origin) == 1
    ana.token = origin_world.admission(now=origin.world.clock.now())
    assert (await entry(ana))["state"] == "over"
    assert await told(origin) == ["waitlist_over"]


async def test_nothing_is_offered_in_a_frozen_programme(origin: Origin) -> None:
    await joined(origin, "ana", AT_SITE)
    await origin.world.slot()
    await origin.world.connection.execute("UPDATE programme SET frozen_since = now(), frozen_reason = 'r'")
    assert await work(origin) == 0
    await origin.world.connection.execute("UPDATE programme SET frozen_since = NULL, frozen_reason = NULL")
    assert await work(origin) == 1


async def test_who_may_not_wait_is_told_why(origin: Origin) -> None:
    async def code(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["code"]

    ana = origin.visitor("ana")
    decision = await ana.decision()
    for wrong in (DAYS, AT_SITE | AROUND, AROUND | {"lat": None}, AT_SITE | {"to": DAYS["from"]}):
        assert await code(await join(ana, wrong, decision=decision)) == (422, "invalid_body")
    far = {"to": (START + timedelta(days=63)).isoformat()}
    assert await code(await join(ana, AT_SITE | far, decision=decision)) == (422, "invalid_body")
    assert await code(await join(ana, AT_SITE, site_id=99, decision=decision)) == (404, "site_unknown")
    assert await code(await join(ana, AT_SITE, decision=str(uuid4()))) == (404, "decision_unknown")
    assert await code(await join(ana, AT_SITE, decision=await ana.decision(origin_world.ADULT))) == (403, "ineligible")
    assert (await join(ana, AT_SITE, decision=decision)).status_code == 201
    assert await code(await join(ana, AT_SITE, decision=decision)) == (409, "already_waiting")
    assert (await ana.book(await origin.world.slot(), decision)).status_code == 201
    assert await code(await join(ana, AT_SITE, decision=decision)) == (409, "admission_used")
    ana.token = origin_world.admission()
    assert await code(await join(ana, AT_SITE, decision=decision)) == (409, "already_booked")
    bruno = origin.visitor("bruno")
    decision = await bruno.decision()
    origin.world.clock.advance(3600)
    bruno.token = origin_world.admission(now=origin.world.clock.now())
    assert await code(await join(bruno, AT_SITE, decision=decision)) == (403, "decision_expired")
    await origin.world.connection.execute("UPDATE programme SET waitlist = false")
    assert await code(await join(bruno, AT_SITE)) == (409, "no_waitlist")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/waitlist", AT_SITE | {"decision_ref": _NOBODYS}),
        ("GET", "/v1/waitlist", None),
        ("DELETE", f"/v1/waitlist/{_NOBODYS}", None),
        ("POST", f"/v1/waitlist/{_NOBODYS}:enter", None),
    ],
)
async def test_every_call_needs_somebody_and_joining_an_admission(
    origin: Origin, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """U5, for the waitlist."""
    admitted = {"Admission-Token": origin_world.admission()} if body else {}
    signed = {"Authorization": f"Bearer {bearer('ana')}"}
    assert (await origin.client.request(method, path, json=body, headers=admitted)).status_code == 401
    if body:
        missing = await origin.client.request(method, path, json=body, headers=signed)
        assert (missing.status_code, missing.json()["code"]) == (403, "admission_missing")
    known = await origin.client.request(method, path, json=body, headers=admitted | signed)
    assert known.status_code in {200, 404}
