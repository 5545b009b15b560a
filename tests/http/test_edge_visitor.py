"""The visitors' JSON, over HTTP against a served edge."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.line.line import Line
from edge.line.ticket import Ticket, Tickets
from shared.keys import KeyRing
from shared.token import AdmissionTokens, token_id
from tests.conftest import Serve
from tests.edge_processes import until
from tests.edge_world import ADMISSION_KEYS, TICKET_KEYS, client, config, line, metric, plan, spots

CALLED = {"rate_per_s": 2000.0, "burst": 1000}  # everybody is called as they come
WAITING = {"rate_per_s": 0.01, "burst": 1}  # nobody is called while the test lasts


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve) -> str:
    """An edge with a room that calls everybody, one that calls nobody, and a closed one."""
    rooms = [
        plan(**CALLED),
        plan(id="slow", **WAITING),
        plan(id="shut", state="closed"),
        plan(id="strict", rate_per_s=0.01, burst=1),
    ]
    return await serve(create_app(config(valkey_server.url, *rooms)))


@pytest.fixture
async def visitor(base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(base) as browser:
        yield browser


def code(response: httpx.Response) -> str:
    """The stable code of a refusal, which is problem+json in every respect."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:vestibule:problem:{body['code']}"
    if response.status_code in {429, 503}:
        assert int(response.headers["retry-after"]) >= 1
    return str(body["code"])


async def called(visitor: httpx.AsyncClient, room: str = "demo") -> None:
    """Join and wait for the call."""
    assert (await visitor.post(f"/v1/rooms/{room}/tickets")).status_code == 201
    for _ in range(500):
        if (await visitor.get(f"/v1/rooms/{room}/tickets/me")).json()["state"] == "called":
            return
    raise AssertionError("nobody was called")


async def test_a_join_gives_a_place_and_a_cookie(visitor: httpx.AsyncClient) -> None:
    response = await visitor.post("/v1/rooms/slow/tickets")
    body = response.json()
    assert response.status_code == 201
    assert set(body) == {
        "ticket",
        "place",
        "ahead",
        "state",
        "wait",
        "wait_reason",
        "poll_after_s",
        "room_state",
        "lane",
        "entry",
        "opens_at",
        "outlook",
        "why",
        "as_of",
    }
    assert (body["place"], body["ahead"], body["state"], body["room_state"]) == (1, 0, "waiting", "open")
    assert 0 < body["wait"]["p50_s"] <= body["wait"]["p90_s"]
    assert 1.8 <= body["poll_after_s"] <= 66
    assert datetime.fromisoformat(body["as_of"]).utcoffset() is not None
    assert response.headers["cache-control"] == "no-store"
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"vestibule_ticket_slow={body['ticket']}; Path=/; ")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie, "the local stack speaks plain HTTP"


async def test_outside_the_local_stack_the_cookie_is_for_https_only(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    base = await serve(create_app(config(valkey_server.url, environment="production")))
    async with client(base) as visitor:
        assert "; Secure" in (await visitor.post("/v1/rooms/demo/tickets")).headers["set-cookie"]


async def test_the_same_cookie_gets_the_same_place(visitor: httpx.AsyncClient) -> None:
    first = await visitor.post("/v1/rooms/slow/tickets")
    again = await visitor.post("/v1/rooms/slow/tickets", json={})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["ticket"] == first.json()["ticket"]
    assert again.json()["place"] == first.json()["place"]
    assert (await visitor.get("/v1/rooms/slow")).json()["joined"] == 1


async def test_a_ticket_in_the_header_is_as_good_as_a_cookie(base: str, visitor: httpx.AsyncClient) -> None:
    ticket = (await visitor.post("/v1/rooms/slow/tickets")).json()["ticket"]
    async with client(base) as other:
        header = {"Authorization": f"Ticket {ticket}"}
        standing = await other.get("/v1/rooms/slow/tickets/me", headers=header)
        assert standing.json()["place"] == 1
        assert (await other.post("/v1/rooms/slow/tickets", headers=header)).status_code == 200


async def test_places_are_given_in_the_order_of_arrival(base: str) -> None:
    async with client(base) as one, client(base) as two, client(base) as three:
        places = [(await who.post("/v1/rooms/slow/tickets")).json() for who in (one, two, three)]
    assert [place["place"] for place in places] == [1, 2, 3]
    assert [place["ahead"] for place in places] == [0, 1, 2]


async def test_the_public_status_is_the_same_for_all_and_may_be_cached_for_a_second(visitor: httpx.AsyncClient) -> None:
    response = await visitor.get("/v1/rooms/slow")
    assert response.headers["cache-control"] == "public, max-age=1"
    body = response.json()
    assert set(body) == {
        "room",
        "name",
        "state",
        "epoch",
        "joined",
        "called",
        "admitted",
        "rate_per_s",
        "burst",
        "prequeue_at",
        "opens_at",
        "closes_at",
        "discipline",
        "lottery",
        "lanes",
        "why",
        "remaining",
        "as_of",
    }
    assert (body["room"], body["state"], body["rate_per_s"], body["opens_at"]) == ("slow", "open", 0.01, None)
    assert (await visitor.head("/v1/rooms/slow")).status_code == 200


async def test_whoever_is_called_goes_through_and_may_ask_again(visitor: httpx.AsyncClient) -> None:
    await called(visitor)
    first = await visitor.post("/v1/rooms/demo/admissions")
    again = await visitor.post("/v1/rooms/demo/admissions", json={})
    assert (first.status_code, again.status_code) == (201, 201)
    assert set(first.json()) == {"token", "expires_at", "enter_url"}
    assert first.json()["enter_url"] == "http://127.0.0.1:8081/enter"
    expires = datetime.fromisoformat(first.json()["expires_at"]).timestamp()
    tokens = AdmissionTokens(ADMISSION_KEYS)
    one, two = (
        tokens.verify(answer.json()["token"], rooms={"demo"}, now=expires - 450, leeway_s=0)
        for answer in (first, again)
    )
    assert one.id == two.id
    assert one.exp == expires
    assert one.exp - one.iat == 900
    assert (await visitor.get("/v1/rooms/demo/tickets/me")).json()["state"] == "admitted"
    assert (await visitor.get("/v1/rooms/demo")).json()["admitted"] <= 1


async def test_nobody_goes_through_before_the_call(visitor: httpx.AsyncClient) -> None:
    await visitor.post("/v1/rooms/slow/tickets")
    response = await visitor.post("/v1/rooms/slow/admissions")
    assert response.status_code == 409
    assert code(response) == "not_called"
    body = response.json()
    assert (body["place"], body["ahead"], body["state"]) == (1, 0, "waiting")
    assert body["poll_after_s"] > 0


async def test_whoever_meets_an_empty_bucket_is_paced_and_keeps_the_turn(
    valkey: Redis, base: str, visitor: httpx.AsyncClient
) -> None:
    await visitor.post("/v1/rooms/strict/tickets")
    await run_far_ahead(line(valkey, id="strict", **WAITING))
    response = await visitor.post("/v1/rooms/strict/admissions")
    assert response.status_code == 429
    assert code(response) == "paced"
    assert (await visitor.get("/v1/rooms/strict/tickets/me")).json()["state"] == "called"


async def run_far_ahead(room: Line) -> None:
    """Call everybody, without a single token: as another edge that has seen them called does."""
    room._called = [1]
    await room.look([])


async def test_a_place_that_was_given_back_is_gone(visitor: httpx.AsyncClient) -> None:
    joined = (await visitor.post("/v1/rooms/demo/tickets")).json()
    header = {"Authorization": f"Ticket {joined['ticket']}"}
    gone = await visitor.delete("/v1/rooms/demo/tickets/me")
    assert gone.status_code == 204
    assert "vestibule_ticket_demo=; " in gone.headers["set-cookie"]
    assert "Max-Age=0" in gone.headers["set-cookie"]
    assert (await visitor.get("/v1/rooms/demo/tickets/me")).status_code == 401, "the browser has let go of it"
    assert (await visitor.get("/v1/rooms/demo/tickets/me", headers=header)).json()["state"] == "left"
    refused = await visitor.post("/v1/rooms/demo/admissions", headers=header)
    assert refused.status_code == 410
    assert code(refused) == "ticket_left"
    assert (await visitor.delete("/v1/rooms/demo/tickets/me", headers=header)).status_code == 204
    anew = await visitor.post("/v1/rooms/demo/tickets", headers=header)
    assert anew.status_code == 201
    assert anew.json()["place"] == 2


async def test_a_closed_room_takes_nobody_in(visitor: httpx.AsyncClient) -> None:
    response = await visitor.post("/v1/rooms/shut/tickets")
    assert response.status_code == 409
    assert code(response) == "room_closed"
    assert (await visitor.get("/v1/rooms/shut")).json()["joined"] == 0


def refused_tickets() -> dict[str, str]:
    """One ticket per reason, each otherwise good."""
    good = {"room": "demo", "epoch": 1, "number": 1, "ticket_id": "i" * 22, "iat": 1_800_000_000}
    tickets = Tickets(TICKET_KEYS)
    signed = tickets.issue(**good)  # type: ignore[arg-type]  # a table of mixed values
    body, _, signature = signed.partition(".")
    other = Tickets(KeyRing("t1", {"t1": b"another-edges-key-of-32-bytes-yes"}))
    unknown = Tickets(KeyRing("t9", {"t9": b"a-key-that-nobody-knows-32-bytes!"}))
    return {
        "malformed": "no-ticket-at-all",
        "unknown_key": unknown.issue(**good),  # type: ignore[arg-type]  # as above
        "bad_signature": f"{body}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        "wrong_room": tickets.issue(**good | {"room": "slow"}),  # type: ignore[arg-type]  # as above
        "stale": tickets.issue(**good | {"epoch": 7}),  # type: ignore[arg-type]  # as above
        "forged": other.issue(**good),  # type: ignore[arg-type]  # as above
    }


@pytest.mark.parametrize(
    "kind", ["missing", "malformed", "unknown_key", "bad_signature", "wrong_room", "stale", "forged"]
)
@pytest.mark.parametrize("call", ["GET tickets/me", "DELETE tickets/me", "POST admissions"])
async def test_a_ticket_that_holds_no_place_is_refused_with_a_counted_reason(
    visitor: httpx.AsyncClient, kind: str, call: str
) -> None:
    reason = "bad_signature" if kind == "forged" else kind
    method, path = call.split(" ")
    headers = {} if kind == "missing" else {"Authorization": f"Ticket {refused_tickets()[kind]}"}
    before = await metric(visitor, "tickets_refused_total", reason=reason)
    response = await visitor.request(method, f"/v1/rooms/demo/{path}", headers=headers)
    assert response.status_code == 401
    assert code(response) == f"ticket_{reason}"
    assert response.headers["www-authenticate"] == "Ticket"
    assert await metric(visitor, "tickets_refused_total", reason=reason) == before + 1


@pytest.mark.parametrize("kind", ["malformed", "bad_signature", "wrong_room", "stale"])
async def test_a_join_with_a_bad_ticket_gives_a_new_place(visitor: httpx.AsyncClient, kind: str) -> None:
    cookie = {"Cookie": f"other=1; vestibule_ticket_demo={refused_tickets()[kind]}; x=y"}
    response = await visitor.post("/v1/rooms/demo/tickets", headers=cookie)
    assert response.status_code == 201
    assert response.json()["place"] == 1
    assert await metric(visitor, "tickets_refused_total", reason=kind) == 1


@pytest.mark.parametrize(
    ("cookie", "status"),
    [
        ("vestibule_ticket_demo=", "missing"),
        ("vestibule_ticket_demo", "missing"),
        ("not_vestibule_ticket_demo=abc", "missing"),
        (";;;=;", "missing"),
        ('odd="quo\\"ted; vestibule_ticket_demo=x.y', "malformed"),
        ("vestibule_ticket_demo=" + "a" * 5000, "malformed"),
        ("vestibule_ticket_demo=\xff\xfe.\xff", "malformed"),
    ],
)
async def test_whatever_cookies_come_along_they_break_nothing(
    visitor: httpx.AsyncClient, cookie: str, status: str
) -> None:
    headers = [(b"cookie", cookie.encode("latin-1"))]
    response = await visitor.get("/v1/rooms/demo/tickets/me", headers=headers)
    assert code(response) == f"ticket_{status}"


def test_every_field_of_a_ticket_is_signed() -> None:
    assert set(Ticket.__struct_fields__) == {
        "v",
        "kid",
        "room",
        "epoch",
        "number",
        "id",
        "iat",
        "lane",
        "entry",
        "told",
    }
    assert token_id("a" * 22) != token_id("b" * 22)


BAD_JOINS: list[tuple[str, bytes, str, int, str]] = [
    ("malformed JSON", b"{", "application/json", 400, "malformed_json"),
    ("not UTF-8", b"\xff\xfe", "application/json", 400, "malformed_json"),
    ("wrong type", b"[]", "application/json", 422, "invalid_body"),
    ("unknown member", b'{"place": 1}', "application/json", 422, "invalid_body"),
    ("other media type", b"place=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    ("too large", b'{"a": "' + b"x" * 20_000 + b'"}', "application/json", 413, "body_too_large"),
    ("too deep", b"[" * 8_000 + b"]" * 8_000, "application/json", 422, "invalid_body"),
]


@pytest.mark.parametrize(
    ("body", "media", "status", "told"), [case[1:] for case in BAD_JOINS], ids=[c[0] for c in BAD_JOINS]
)
async def test_a_bad_join_burns_no_place(
    visitor: httpx.AsyncClient, body: bytes, media: str, status: int, told: str
) -> None:
    response = await visitor.post("/v1/rooms/slow/tickets", content=body, headers={"Content-Type": media})
    assert response.status_code == status
    assert code(response) == told
    assert (await visitor.post("/v1/rooms/slow/tickets")).json()["place"] == 1


async def test_an_unknown_room_is_not_found_and_gives_no_place(visitor: httpx.AsyncClient, valkey: Redis) -> None:
    for method, path in [
        ("GET", ""),
        ("POST", "/tickets"),
        ("GET", "/tickets/me"),
        ("POST", "/admissions"),
        ("DELETE", "/tickets/me"),
    ]:
        for room in ("nowhere", "DEMO", "demo%20", "%00", "a" * 300):
            response = await visitor.request(method, f"/v1/rooms/{room}{path}")
            assert response.status_code == 404
            assert code(response) == "not_found"
    assert not await valkey.exists("vestibule:{nowhere}:room")


async def test_a_wrong_method_is_told_the_right_ones(visitor: httpx.AsyncClient) -> None:
    response = await visitor.put("/v1/rooms/demo/tickets/me")
    assert response.status_code == 405
    assert code(response) == "method_not_allowed"
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE"}


async def test_the_common_calls_answer(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/healthz")).json() == {"status": "ok"}
    assert (await visitor.get("/readyz")).json() == {"status": "ready"}
    assert (await visitor.get("/openapi.json")).json()["openapi"] == "3.1.0"


async def test_the_funnel_is_counted(visitor: httpx.AsyncClient) -> None:
    await called(visitor)
    await visitor.post("/v1/rooms/demo/admissions")
    await visitor.get("/v1/rooms/demo/tickets/me")
    for step in ("joined", "called", "answered", "admitted"):
        assert await metric(visitor, f"{step}_total", room="demo") == 1, step
    await visitor.delete("/v1/rooms/demo/tickets/me")
    assert await metric(visitor, "left_total", room="demo") == 1
    assert await metric(visitor, "claims_total", outcome="admitted") == 1


async def test_waits_are_held_against_what_was_told(valkey_server: Valkey, valkey: Redis, serve: Serve) -> None:
    base = await serve(create_app(config(valkey_server.url, plan(rate_per_s=2.0, burst=1))))
    async with client(base) as browser:
        tickets = [await browser.post("/v1/rooms/demo/tickets", headers={"Cookie": ""}) for _ in range(4)]
        last = tickets[-1].json()
        assert last["state"] == "waiting"
        assert last["wait"]["p50_s"] >= 2
        holder = {"Authorization": f"Ticket {last['ticket']}", "Cookie": ""}

        async def through() -> bool:
            return (await browser.post("/v1/rooms/demo/admissions", headers=holder)).status_code == 201

        assert await metric(browser, "waits_told_total", within="p50") == 0
        await until(through)
        assert await metric(browser, "waits_told_total", within="p50") == 1, "the stock is called ahead of the tokens"
        assert await metric(browser, "wait_ratio_count") == 1
        await through()
        assert await metric(browser, "wait_ratio_count") == 1, "coming in again is no second wait"


async def test_whoever_waits_is_answered_from_memory(visitor: httpx.AsyncClient) -> None:
    await visitor.post("/v1/rooms/slow/tickets")
    before = await metric(visitor, "trip_size_count", act="look")
    for _ in range(5):
        assert (await visitor.get("/v1/rooms/slow/tickets/me")).json()["state"] == "waiting"
    assert await metric(visitor, "trip_size_count", act="look") == before


async def test_a_place_given_back_over_another_edge_is_known_here_in_a_moment(
    base: str, visitor: httpx.AsyncClient, valkey: Redis
) -> None:
    ticket = (await visitor.post("/v1/rooms/slow/tickets")).json()["ticket"]
    await line(valkey, id="slow", **WAITING).leave(spots([1]))
    deadline = asyncio.get_running_loop().time() + 3
    header = {"Authorization": f"Ticket {ticket}"}
    while (await visitor.get("/v1/rooms/slow/tickets/me", headers=header)).json()["state"] != "left":
        assert asyncio.get_running_loop().time() < deadline
