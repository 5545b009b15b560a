"""Who may take a place, over HTTP: limits per address, the challenge, the cookie that comes back."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.guard.challenge import LIVES_S
from edge.line.room import RoomPlan
from shared.clock import ManualClock
from tests.edge_world import Issuer, client, config, metric, plan, solved
from tests.serving import Serve

JOIN = "/v1/rooms/demo/tickets"
EFFORT = 200
ASKING = plan(challenge="altcha", challenge_effort=EFFORT)

Edge = Callable[..., Awaitable[str]]


@pytest.fixture
def edge(valkey: Redis, valkey_server: Valkey, serve: Serve) -> Edge:
    """Serve an edge of some rooms; 127.0.0.1 is a trusted proxy, so that a test may come from anywhere."""

    async def start(*rooms: RoomPlan, clock: ManualClock | None = None, **changes: Any) -> str:
        told = config(valkey_server.url, *rooms, trusted_proxies=("127.0.0.1/32",), **changes)
        return await serve(create_app(told, clock=clock))

    return start


async def join(browser: httpx.AsyncClient, address: str = "198.51.100.7", **more: Any) -> httpx.Response:
    """Join as somebody new."""
    headers = {"Cookie": "", "X-Forwarded-For": address} | more.pop("headers", {})
    return await browser.post(JOIN, headers=headers, **more)


async def joined(browser: httpx.AsyncClient) -> int:
    """How many places were given out."""
    headers = {"Cookie": ""}
    before = (await browser.get("/v1/rooms/demo", headers=headers)).json()
    async with asyncio.timeout(5):
        while (now := (await browser.get("/v1/rooms/demo", headers=headers)).json())["as_of"] == before["as_of"]:
            pass
    return int(now["joined"])


# ---- limits


async def test_a_limit_is_exact_over_two_edges_and_says_when_to_come_back(edge: Edge) -> None:
    room = plan(limits={"joins": 6})
    async with client(await edge(room)) as one, client(await edge(room)) as two:
        answers = [await join(each) for each in (one, two, one, two, one, two, one, two)]
        assert [answer.status_code for answer in answers] == [201] * 6 + [429] * 2
        refused = answers[-1]
        assert refused.json()["code"] == "too_many_requests"
        assert refused.headers["content-type"] == "application/problem+json"
        after = int(refused.headers["retry-after"])
        assert 50 <= after <= 60
        assert refused.headers["ratelimit-policy"] == '"joins";q=6;w=60'
        assert refused.headers["ratelimit"] == f'"joins";r=0;t={after}'
        assert (await join(one, "198.51.100.8")).status_code == 201, "another address is another matter"
        assert await joined(one) == 7
        counted = [await metric(each, "limited_total", kind="joins") for each in (one, two)]
        assert counted == [1, 1]


async def test_an_answer_within_the_limit_tells_the_policy_and_what_is_left(edge: Edge) -> None:
    async with client(await edge(plan())) as browser:
        first, second = await join(browser), await join(browser)
        assert first.headers["ratelimit-policy"] == second.headers["ratelimit-policy"] == '"joins";q=600;w=60'
        assert first.headers["ratelimit"].startswith('"joins";r=599;t=')
        assert second.headers["ratelimit"].startswith('"joins";r=598;t=')
        headers = {"Authorization": f"Ticket {first.json()['ticket']}"}
        claim = await browser.post("/v1/rooms/demo/admissions", headers=headers)
        assert claim.headers["ratelimit-policy"] == '"acts";q=3000;w=60'
        assert "ratelimit" not in (await browser.get("/v1/rooms/demo")).headers


async def test_every_other_act_has_a_limit_too(edge: Edge) -> None:
    async with client(await edge(plan(limits={"acts": 2}))) as browser:
        calls = [("POST", "/v1/rooms/demo/admissions"), ("DELETE", "/v1/rooms/demo/tickets/me")] * 2
        statuses = [(await browser.request(method, path)).status_code for method, path in calls]
        assert statuses == [401, 401, 429, 429]
        assert (await browser.get("/v1/rooms/demo/challenge")).status_code == 429
        assert (await browser.post("/v1/ops/rooms/demo:pause")).status_code == 429, "before any token is looked at"
        assert (await browser.post("/rooms/demo/leave", headers={"Accept": "text/html"})).status_code == 429
        assert (await join(browser)).status_code == 201, "joins are counted apart"
        assert (await browser.get("/v1/rooms/demo/tickets/me")).status_code == 200, "to look is free"


async def test_a_form_over_the_limit_gets_a_page(edge: Edge) -> None:
    async with client(await edge(plan(limits={"joins": 1}))) as browser:
        assert (await browser.post("/rooms/demo/join")).status_code == 303
        browser.cookies.clear()
        refused = await browser.post("/rooms/demo/join", headers={"Accept": "text/html"})
        assert refused.status_code == 429
        assert "Please wait a moment" in refused.text
        assert 'href="/rooms/demo"' in refused.text
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["ratelimit-policy"] == '"joins";q=1;w=60'


async def test_people_behind_one_carriers_address_are_not_hurt(edge: Edge) -> None:
    """Six hundred may join in a minute; an edge alone never gives more than a tenth beyond the limit."""
    async with client(await edge(plan())) as browser:
        answers = [await join(browser) for _ in range(700)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:540] == [201] * 540
        assert statuses.count(201) <= 660
        assert statuses[-1] == 429


async def test_a_subscribers_many_ipv6_addresses_count_as_one(edge: Edge) -> None:
    async with client(await edge(plan(limits={"joins": 2}))) as browser:
        statuses = [(await join(browser, f"2001:db8:1:2::{host:x}")).status_code for host in range(4)]
        assert statuses == [201, 201, 429, 429]
        assert (await join(browser, "2001:db8:1:3::1")).status_code == 201


async def test_forwarded_headers_of_strangers_are_not_believed(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    base = await serve(create_app(config(valkey_server.url, plan(limits={"joins": 2}))))
    async with client(base) as browser:
        statuses = [(await join(browser, f"198.51.100.{host}")).status_code for host in range(4)]
        assert statuses == [201, 201, 429, 429]


async def test_a_limit_gives_way_when_the_store_does_not_count(edge: Edge, valkey: Redis) -> None:
    async with client(await edge(plan(limits={"joins": 2}))) as browser:
        await valkey.set("vestibule:limits:{demo}:joins/198.51.100.7/2/60/second", "what no window is")
        assert [(await join(browser)).status_code for _ in range(5)] == [201] * 5
        assert await metric(browser, "limits_open_total", kind="joins") >= 1
        assert await metric(browser, "limited_total", kind="joins") == 0


async def test_a_room_may_have_no_limit(edge: Edge) -> None:
    async with client(await edge(plan(limits={"joins": None}))) as browser:
        answer = await join(browser)
        assert answer.status_code == 201
        assert "ratelimit" not in answer.headers


# ---- the challenge


async def test_a_solved_challenge_gives_one_place_once(edge: Edge) -> None:
    async with client(await edge(ASKING)) as browser:
        challenge = await browser.get("/v1/rooms/demo/challenge")
        assert challenge.headers["cache-control"] == "no-store"
        text = solved(challenge.json())
        first = await join(browser, json={"challenge": text})
        again = await join(browser, json={"challenge": text})
        assert (first.status_code, first.json()["place"]) == (201, 1)
        assert again.status_code == 403
        assert (again.json()["code"], again.json()["reason"]) == ("challenge_refused", "spent")
        kept = {"Authorization": f"Ticket {first.json()['ticket']}"}
        assert (await browser.post(JOIN, headers=kept)).status_code == 200, "whoever has a place solves nothing"
        assert await joined(browser) == 1
        for outcome in ("issued", "accepted", "spent"):
            assert await metric(browser, "challenges_total", outcome=outcome) == 1


async def test_a_missing_or_refused_challenge_burns_no_place(edge: Edge) -> None:
    clock = ManualClock(datetime.now(UTC))
    other = plan(id="other", challenge="altcha", challenge_effort=EFFORT)
    async with client(await edge(ASKING, other, clock=clock)) as browser:
        foreign = solved((await browser.get("/v1/rooms/other/challenge")).json())
        old = solved((await browser.get("/v1/rooms/demo/challenge")).json())
        told = [
            (await join(browser), 422, "challenge_missing", None),
            (await join(browser, json={}), 422, "challenge_missing", None),
            (await join(browser, json={"challenge": "nonsense"}), 403, "challenge_refused", "malformed"),
            (await join(browser, json={"challenge": "no.note"}), 403, "challenge_refused", "malformed"),
            (await join(browser, json={"challenge": foreign}), 403, "challenge_refused", "wrong_room"),
            (await join(browser, json={"challenge": 5}), 422, "invalid_body", None),
        ]
        clock.advance(LIVES_S)
        told.append((await join(browser, json={"challenge": old}), 403, "challenge_refused", "expired"))
        for answer, status, code, reason in told:
            assert (answer.status_code, answer.json()["code"], answer.json().get("reason")) == (status, code, reason)
        good = solved((await browser.get("/v1/rooms/demo/challenge")).json())
        assert (await join(browser, json={"challenge": good})).json()["place"] == 1
        assert await metric(browser, "challenges_total", outcome="missing") == 2


async def test_a_closed_room_uses_no_solution_up(edge: Edge) -> None:
    async with client(await edge(plan(challenge="altcha", challenge_effort=EFFORT, state="closed"))) as browser:
        text = solved((await browser.get("/v1/rooms/demo/challenge")).json())
        for _ in range(2):
            assert (await join(browser, json={"challenge": text})).json()["code"] == "room_closed"


async def test_operators_switch_the_challenge_on_every_edge_within_a_second(edge: Edge, tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    room = plan(challenge_effort=EFFORT)
    edges = [await edge(room, issuers=(issuer.trusted,)) for _ in range(2)]
    async with client(edges[0]) as one, client(edges[1]) as two:
        assert (await two.get("/v1/rooms/demo/challenge")).status_code == 204
        answer = await one.patch(
            "/v1/ops/rooms/demo", json={"challenge": "altcha", "reason": "robots"}, headers=issuer.operator()
        )
        assert answer.json()["challenge"] == "altcha"
        async with asyncio.timeout(1):
            while (await two.get("/v1/rooms/demo/challenge")).status_code != 200:
                pass
        assert (await join(two)).json()["code"] == "challenge_missing"
        await two.patch(
            "/v1/ops/rooms/demo", json={"challenge": "off", "reason": "they are gone"}, headers=issuer.operator()
        )
        assert (await join(two)).status_code == 201


async def test_who_does_not_compute_waits_instead(edge: Edge) -> None:
    clock = ManualClock(datetime.now(UTC))
    room = plan(challenge="altcha", challenge_wait_s=20, limits={"waits": 2})
    async with client(await edge(room, clock=clock)) as browser:
        page = await browser.post("/rooms/demo/join", data={"challenge": ""})
        assert page.status_code == 422
        assert "<strong>20</strong>" in page.text
        note = page.text.split('name="challenge" value="')[1].split('"')[0]
        clock.advance(12)
        early = await browser.post("/rooms/demo/join", data={"challenge": note})
        assert early.status_code == 403
        assert re.search(r"<strong>[89]</strong>", early.text)
        assert note in early.text
        clock.advance(8.1)
        assert (await browser.post("/rooms/demo/join", data={"challenge": note})).status_code == 303
        assert "vestibule_ticket_demo" in browser.cookies
        browser.cookies.clear()
        spent = await browser.post("/rooms/demo/join", data={"challenge": note})
        assert spent.status_code == 403
        assert "<strong>20</strong>" in spent.text, "a fresh note"
        assert (await browser.post("/rooms/demo/join", headers={"Accept": "text/html"})).status_code == 429
        assert await joined(browser) == 1


# ---- the cookie that comes back


async def test_a_place_is_given_only_to_who_comes_back_with_the_cookie(edge: Edge) -> None:
    async with client(await edge(plan(require_cookie=True))) as browser:
        first = await browser.post(JOIN)
        assert first.status_code == 428
        assert first.json()["code"] == "cookie_required"
        cookie = first.headers["set-cookie"]
        assert cookie.startswith("vestibule_visit_demo=")
        assert "HttpOnly" in cookie
        assert "Max-Age=600" in cookie
        second = await browser.post(JOIN)
        assert (second.status_code, second.json()["place"]) == (201, 1)
        assert (await browser.post(JOIN)).status_code == 200, "the same browser keeps its place"
        replayed = {"Cookie": f"vestibule_visit_demo={browser.cookies['vestibule_visit_demo']}"}
        assert (await join(browser, headers=replayed)).status_code == 428, "a cookie is worth one place"
        assert (await join(browser, headers={"Cookie": "vestibule_visit_demo=for.ged"})).status_code == 428
        assert await joined(browser) == 1
        for reason in ("missing", "spent", "malformed"):
            assert await metric(browser, "cookies_required_total", reason=reason) == 1


async def test_the_page_brings_the_cookie_so_that_a_browser_notices_nothing(edge: Edge) -> None:
    async with client(await edge(plan(require_cookie=True))) as browser:
        await browser.get("/rooms/demo")
        answer = await browser.post("/rooms/demo/join")
        assert (answer.status_code, answer.headers["location"]) == (303, "/rooms/demo")
        assert "vestibule_ticket_demo" in browser.cookies
        without = await browser.post("/rooms/demo/join", headers={"Cookie": ""})
        assert without.headers["location"] == "/rooms/demo?note=cookie"
        note = await browser.get(without.headers["location"], headers={"Cookie": ""})
        assert "allow cookies" in note.text


async def test_a_cookie_and_a_challenge_may_both_be_asked(edge: Edge) -> None:
    async with client(await edge(plan(require_cookie=True, challenge="altcha", challenge_effort=EFFORT))) as browser:
        text = solved((await browser.get("/v1/rooms/demo/challenge")).json())
        assert (await browser.post(JOIN, json={"challenge": text})).status_code == 428, "the solution is not used up"
        assert (await browser.post(JOIN)).status_code == 422, "neither is the cookie"
        assert (await browser.post(JOIN, json={"challenge": text})).status_code == 201
