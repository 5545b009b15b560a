"""The visitors' JSON, over HTTP against a served edge: joining, waiting, going through, leaving."""

from datetime import datetime

import httpx
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.line.line import Line
from shared.token import AdmissionTokens
from tests.edge_visiting import WAITING, called, code
from tests.edge_world import ADMISSION_KEYS, client, config, line
from tests.serving import Serve


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
