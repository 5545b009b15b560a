"""What visitors bring that is no good: tickets, cookies, bodies, rooms. It is refused by name and costs no place."""

import httpx
import pytest
from redis.asyncio import Redis

from edge.line.ticket import Ticket, Tickets
from shared.keys import KeyRing
from shared.token import token_id
from tests.edge_visiting import code
from tests.edge_world import TICKET_KEYS, metric


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
