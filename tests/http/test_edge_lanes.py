"""Lanes over HTTP: who may join which, what a pass is worth, and that nothing is used up for nothing."""

from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.guard.passes import Passes
from edge.line.room import RoomPlan
from shared.token import AdmissionTokens
from tests.edge_world import ADMISSION_KEYS, TICKET_KEYS, Issuer, client, config, line, metric, plan
from tests.serving import Serve

LANES = [
    {"lane": "general", "weight": 3},
    {"lane": "over-80", "access": "pass"},
    {"lane": "phone", "access": "assisted"},
]
ROOM = plan(rate_per_s=2000, burst=1000, lanes=LANES)
BATCH = "K7Q2M9XD"


def a_pass(number: int, room: RoomPlan = ROOM, lane: str = "over-80") -> str:
    return Passes(TICKET_KEYS).issue(room.id, lane, BATCH, number)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer) -> str:
    by_letter = plan(id="letters", lanes=[{"lane": "invited", "access": "pass"}])
    shut = plan(id="shut", state="closed", lanes=LANES)
    return await serve(create_app(config(valkey_server.url, ROOM, by_letter, shut, issuers=(issuer.trusted,))))


async def join(base: str, room: str = "demo", **body: str) -> httpx.Response:
    async with client(base) as browser:
        return await browser.post(f"/v1/rooms/{room}/tickets", json=body)


async def admitted(base: str, ticket: str) -> str:
    """Claim until there is a token."""
    async with client(base) as browser:
        for _ in range(500):
            claim = await browser.post("/v1/rooms/demo/admissions", headers={"Authorization": f"Ticket {ticket}"})
            if claim.status_code == 201:
                return str(claim.json()["token"])
    raise AssertionError("nobody was let through")


async def test_a_pass_opens_its_lane_once(base: str) -> None:
    first = (await join(base, **{"pass": a_pass(1)})).json()
    assert (first["lane"], first["place"]) == ("over-80", 1)
    assert (await join(base)).json()["lane"] == "general"
    again = await join(base, **{"pass": a_pass(1)})
    assert (again.status_code, again.json()["code"]) == (409, "pass_used")
    other = (await join(base, **{"pass": a_pass(2).lower().replace("-", " ")})).json()
    assert (other["lane"], other["place"]) == ("over-80", 2), "as people type"


async def test_what_opens_no_lane_says_why_and_burns_no_place(base: str) -> None:
    refused = [
        (await join(base, **{"pass": a_pass(1, lane="phone")}), 403, "pass_refused"),
        (await join(base, **{"pass": "what is this"}), 403, "pass_refused"),
        (await join(base, lane="over-80"), 422, "pass_missing"),
        (await join(base, lane="phone"), 403, "forbidden"),
        (await join(base, lane="nowhere"), 422, "invalid_body"),
        (await join(base, room="letters"), 422, "pass_missing"),
        (await join(base, room="letters", **{"pass": a_pass(1)}), 403, "pass_refused"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer, _, _ in refused] == [
        (status, code) for _, status, code in refused
    ]
    async with client(base) as anybody:
        lanes = (await anybody.get("/v1/rooms/demo")).json()["lanes"]
    assert [lane["joined"] for lane in lanes] == [0, 0, 0]


async def test_a_pass_is_good_again_when_it_brought_no_place(base: str, valkey: Redis) -> None:
    shut = a_pass(7, plan(id="shut"))
    assert (await join(base, room="shut", **{"pass": shut})).json()["code"] == "room_closed"
    await line(valkey, id="shut", state="closed", lanes=LANES).change({"state": "open"})
    assert (await join(base, room="shut", **{"pass": shut})).status_code == 201
    async with client(base) as anybody:
        assert await metric(anybody, "passes_total", outcome="given_back") == 1


async def test_who_brings_a_pass_and_a_ticket_keeps_both(base: str) -> None:
    async with client(base) as browser:
        mine = (await browser.post("/v1/rooms/demo/tickets")).json()
        kept = await browser.post("/v1/rooms/demo/tickets", json={"pass": a_pass(3)})
        assert (kept.status_code, kept.json()["place"], kept.json()["lane"]) == (200, mine["place"], "general")
    assert (await join(base, **{"pass": a_pass(3)})).status_code == 201, "the pass was not used up"


async def test_a_leaked_pass_admits_once_even_when_the_store_has_forgotten_that_it_was_used(
    base: str, valkey: Redis
) -> None:
    ids = []
    for _ in range(2):
        ticket = (await join(base, **{"pass": a_pass(4)})).json()["ticket"]
        token = await admitted(base, ticket)
        ids.append(AdmissionTokens(ADMISSION_KEYS).verify(token, rooms={"demo"}, now=0, leeway_s=2e9).id)
        await valkey.flushall()
    assert ids[0] == ids[1], "the origin takes each id once"


async def test_a_revoked_pass_opens_nothing_from_a_moment_later(base: str, valkey: Redis) -> None:
    await line(valkey, rate_per_s=2000, burst=1000, lanes=LANES).change(
        {"revoked": f'{{"{BATCH}":[5]}}', "revoked_at": 1}
    )
    codes: set[str] = set()
    while "pass_revoked" not in codes and len(codes) < 3:
        codes.add((await join(base, **{"pass": a_pass(5)})).json().get("code", "joined"))
    assert codes <= {"joined", "pass_used", "pass_revoked"}
    assert (await join(base, **{"pass": a_pass(6)})).status_code == 201


async def test_staff_join_for_others_and_take_no_place_of_their_own(base: str, issuer: Issuer) -> None:
    staff = {"Authorization": f"Bearer {issuer.token('assistant')}"}
    async with client(base) as browser:
        mine = (await browser.post("/v1/rooms/demo/tickets")).json()
        calls = [await browser.post("/v1/rooms/demo/tickets", json={"lane": "phone"}, headers=staff) for _ in range(2)]
        assert [(call.status_code, call.json()["lane"], call.json()["place"]) for call in calls] == [
            (201, "phone", 1),
            (201, "phone", 2),
        ]
        assert all("set-cookie" not in call.headers for call in calls)
        assert (await browser.get("/v1/rooms/demo/tickets/me")).json()["place"] == mine["place"]
        nobody = {"Authorization": f"Bearer {issuer.token('visitor')}"}
        refused = await browser.post("/v1/rooms/demo/tickets", json={"lane": "phone"}, headers=nobody)
        assert refused.status_code == 403
