"""Bad input and bad days: each gets a problem with a stable code, and nothing is lost or spent."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from origin.db.pool import connect
from origin.db.sql import Connection
from shared.keys import KeyRing
from shared.signing import Sealer
from shared.token import AdmissionToken, AdmissionTokens
from tests import origin_world
from tests.origin_world import ADMISSION_KEYS, START, Origin, bearer

JSON = {"Content-Type": "application/json"}
WHERE = {"lat": "40.4", "lng": "-3.7"}
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path, pool_size=2, pool_wait_s=0.3) as made:
        yield made


def told(answer: httpx.Response) -> tuple[int, str]:
    """The status and code, after what every problem must have."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["type"] == f"urn:vestibule:problem:{body['code']}"
    assert body["status"] == answer.status_code
    if answer.status_code in {429, 503}:
        assert int(answer.headers["retry-after"]) >= 1
    return answer.status_code, body["code"]


def token(**changes: Any) -> str:
    """An admission token that says something else."""
    now = int(START.timestamp())
    good: dict[str, Any] = {
        "v": 1,
        "kid": "a1",
        "room": "demo",
        "scope": "book",
        "id": "i" * 24,
        "iat": now,
        "exp": now + 900,
    }
    payload = AdmissionToken(**(good | changes))
    ring = KeyRing(payload.kid, {payload.kid: ADMISSION_KEYS.signing_key})
    return Sealer(AdmissionToken, ring, "admission token").seal(payload)


def altered(text: str) -> str:
    return text[:-1] + ("A" if text[-1] != "A" else "B")


NOW = int(START.timestamp())
REFUSED = [
    (None, "missing"),
    ("", "missing"),
    ("garbage", "malformed"),
    ("ey.ey", "malformed"),
    ("x" * 5000, "malformed"),
    (altered(token()), "bad_signature"),
    (token(kid="other"), "unknown_key"),
    (
        AdmissionTokens(KeyRing("a1", {"a1": b"forged-key-for-tests-of-32-bytes"})).issue(
            room="demo", ticket_id="t", iat=NOW, ttl_s=900
        ),
        "bad_signature",
    ),
    (token(iat=NOW - 2000, exp=NOW - 1000), "expired"),
    (token(iat=NOW + 60), "not_yet_valid"),
    (token(room="elsewhere"), "wrong_room"),
    (token(scope="read"), "wrong_scope"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[f"{number}-{row[1]}" for number, row in enumerate(REFUSED)])
async def test_an_admission_that_does_not_admit_is_refused_and_counted(
    origin: Origin, text: str | None, reason: str
) -> None:
    headers = {"Authorization": f"Bearer {bearer('ana')}"} | ({} if text is None else {"Admission-Token": text})
    calls = [
        await origin.client.get("/v1/slots", params=WHERE, headers=headers),
        await origin.client.post("/v1/eligibility:evaluate", json={"facts": {}}, headers=headers),
        await origin.client.post("/v1/appointments", json={}, headers=headers | {"Idempotency-Key": "k"}),
    ]
    assert {told(call) for call in calls} == {(403, f"admission_{reason}")}
    if text and len(text) <= 2048:
        exchanged = await origin.client.post("/v1/admission:exchange", json={"token": text})
        assert told(exchanged) == (403, f"admission_{reason}")
        calls.append(exchanged)
    assert origin.metric("admission_refused_total", reason=reason) == len(calls)
    assert origin.metric("exchanged_total") == 0


async def test_an_admission_cookie_is_checked_like_a_token(origin: Origin) -> None:
    exchanged = await origin.client.post("/v1/admission:exchange", json={"token": token()})
    cookie = exchanged.cookies["vestibule_admission"]
    assert "httponly" in exchanged.headers["set-cookie"].lower()
    assert "samesite=lax" in exchanged.headers["set-cookie"].lower()

    async def search(value: str) -> httpx.Response:
        async with origin_world.client(str(origin.client.base_url)) as fresh:
            headers = {"Cookie": f"unrelated={{; vestibule_admission={value}; other"}
            return await fresh.get("/v1/slots", params=WHERE, headers=headers)

    assert (await search(cookie)).status_code == 200
    assert told(await search(altered(cookie))) == (403, "admission_bad_signature")
    assert told(await search(token())) == (403, "admission_malformed")
    origin.world.clock.advance(1799)
    assert (await search(cookie)).status_code == 200
    origin.world.clock.advance(1)
    assert told(await search(cookie)) == (403, "admission_expired")


async def test_clock_skew_within_the_leeway_is_forgiven_and_measured(origin: Origin) -> None:
    ahead = token(iat=NOW + 4, exp=NOW + 900)
    assert (await origin.client.post("/v1/admission:exchange", json={"token": ahead})).status_code == 200
    assert origin.metric("clock_skew_seconds_sum") == 4
    assert origin.metric("token_age_seconds_count") == 1


async def test_who_does_not_sign_in_is_told_so(origin: Origin) -> None:
    admitted = {"Admission-Token": token()}
    for headers in (
        admitted,
        admitted | {"Authorization": "Bearer nonsense"},
        admitted | {"Cookie": "vestibule_session=x"},
    ):
        answer = await origin.client.post("/v1/eligibility:evaluate", json={"facts": {}}, headers=headers)
        assert told(answer) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for method in ("GET", "DELETE"):
        assert told(await origin.client.request(method, "/v1/appointments/x")) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "malformed_json"),
        (b"\xff", JSON, 400, "malformed_json"),
        (b"", JSON, 400, "malformed_json"),
        (b"[]", JSON, 422, "invalid_body"),
        (b'{"facts": {"birth_date": 1950}}', JSON, 422, "invalid_body"),
        (b'{"facts": {"birth_date": "1950-13-01"}}', JSON, 422, "invalid_body"),
        (b'{"facts": {"birth_date": "1850-01-01"}}', JSON, 422, "invalid_body"),
        (b'{"facts": {"birth_date": "2028-01-01"}}', JSON, 422, "invalid_body"),
        (b'{"facts": {"shoe_size": 43}}', JSON, 422, "invalid_body"),
        (b'{"facts": {"conditions": "diabetes"}}', JSON, 422, "invalid_body"),
        (b'{"facts": {}}', {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b'{"facts": {"region": "' + b"x" * 17_000 + b'"}}', JSON, 413, "body_too_large"),
        (b"[" * 16_000, JSON, 422, "invalid_body"),
    ],
    ids=lambda value: value[:24].decode("ascii", "replace") if isinstance(value, bytes) else None,
)
async def test_a_body_of_the_wrong_form_is_refused(
    origin: Origin, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    ana = origin.visitor()
    answer = await origin.client.post("/v1/eligibility:evaluate", content=content, headers=ana.headers | headers)
    assert told(answer) == (status, code)
    assert await origin.world.count("decision") == 0


async def test_a_body_without_a_length_is_stopped_where_it_gets_too_large(origin: Origin) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(30):  # over the limit, and not over what is read to the end so that the answer arrives
            yield b" " * 1024

    answer = await origin.client.post(
        "/v1/eligibility:evaluate", content=endless(), headers=origin.visitor().headers | JSON
    )
    assert told(answer) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        (None, {"slot_id": 1, "decision_ref": "x"}, 400, "idempotency_key_missing"),
        ("", {}, 400, "idempotency_key_malformed"),
        ('"open', {}, 400, "idempotency_key_malformed"),
        ("k", {"slot_id": "1", "decision_ref": "7b0c1fd6-94e4-4f5d-8dd8-6b6a6a8a4a11"}, 422, "invalid_body"),
        ("k", {"slot_id": 1, "decision_ref": "not-a-uuid"}, 422, "invalid_body"),
        ("k", {"slot_id": 2**63, "decision_ref": "7b0c1fd6-94e4-4f5d-8dd8-6b6a6a8a4a11"}, 422, "invalid_body"),
        ("k", {"slot_id": 1}, 422, "invalid_body"),
        ("k", {"slot_id": 77, "decision_ref": "7b0c1fd6-94e4-4f5d-8dd8-6b6a6a8a4a11"}, 404, "slot_unknown"),
    ],
)
async def test_a_booking_of_the_wrong_form_is_refused(
    origin: Origin, key: str | None, body: dict[str, Any], status: int, code: str
) -> None:
    headers = origin.visitor().headers | ({} if key is None else {"Idempotency-Key": key})
    assert told(await origin.client.post("/v1/appointments", json=body, headers=headers)) == (status, code)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"lat": "91", "lng": "0"},
        {"lat": "nan", "lng": "0"},
        {"lat": "1e400", "lng": "0"},
        WHERE | {"radius_km": "0"},
        WHERE | {"radius_km": "5000"},
        WHERE | {"from": "yesterday"},
        WHERE | {"from": "2027-03-01T09:00:00"},
        WHERE | {"from": "0001-01-01T00:00:00+14:00"},
        WHERE | {"to": "9999-12-31T23:59:59-12:00"},
        WHERE | {"from": "2027-03-09T09:00:00Z", "to": "2027-03-08T09:00:00Z"},
        WHERE | {"from": "2027-03-09T09:00:00Z", "to": "2027-09-08T09:00:00Z"},
        WHERE | {"product": "1\x00"},
        WHERE | {"limit": "201"},
        WHERE | {"surprise": "1"},
    ],
)
async def test_a_query_of_the_wrong_form_is_refused(origin: Origin, query: dict[str, str]) -> None:
    answer = await origin.client.get("/v1/slots", params=query, headers=origin.visitor().headers)
    assert told(answer) == (422, "invalid_query")


async def test_unknown_addresses_and_methods_are_problems_too(origin: Origin) -> None:
    signed_in = {"Authorization": f"Bearer {bearer('ana')}"}
    assert told(await origin.client.get("/v1/nothing")) == (404, "not_found")
    assert told(await origin.client.put("/v1/slots")) == (405, "method_not_allowed")
    assert told(await origin.client.get("/v1/appointments/not-a-uuid", headers=signed_in)) == (
        404,
        "appointment_unknown",
    )


async def test_a_programme_without_rules_says_come_back(origin: Origin) -> None:
    await origin.world.connection.execute("ALTER TABLE rule_move DISABLE TRIGGER append_only; DELETE FROM rule_move")
    assert told(await origin.visitor().evaluate()) == (503, "rules_missing")


async def test_a_new_programme_is_known_within_a_second(origin: Origin) -> None:
    await origin.client.post("/v1/admission:exchange", json={"token": token()})
    await origin.world.connection.execute(
        "INSERT INTO programme (id, name, room) VALUES ('spring', 'Spring', 'spring')"
    )
    origin.world.clock.advance(1)
    exchanged = await origin.client.post("/v1/admission:exchange", json={"token": token(room="spring")})
    assert exchanged.json()["programme"] == "spring"


async def test_when_no_connection_gets_free_the_answer_is_come_back(origin: Origin, database_url: str) -> None:
    """Both connections of the pool hang on a lock; a third caller waits its time, is told to come back, and can."""
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    blocker = await connect(database_url)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE site IN ACCESS EXCLUSIVE MODE")
            hanging = [
                asyncio.create_task(origin.client.get("/v1/slots", params=WHERE, headers=ana.headers)) for _ in range(2)
            ]
            await _until_waiting(origin.world.connection, 2)
            assert told(await ana.book(slot, decision, key="k1")) == (503, "store_unavailable")
    finally:
        await blocker.close()
    assert [answer.status_code for answer in await asyncio.gather(*hanging)] == [200, 200]
    assert (await ana.book(slot, decision, key="k1")).status_code == 201
    assert origin.metric("store_errors_total", fault="TimeoutError") == 1


async def _until_waiting(connection: Connection, number: int) -> None:
    async with asyncio.timeout(5):
        while True:
            if await connection.fetchval(_WAITING) == number:
                return
            await asyncio.sleep(0.01)


async def test_a_slot_that_stays_locked_is_come_back_not_a_fault(origin: Origin) -> None:
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    async with origin.world.connection.transaction():
        await origin.world.connection.execute("SELECT * FROM slot WHERE id = $1 FOR UPDATE", slot)
        assert told(await ana.book(slot, decision, key="k1")) == (503, "store_unavailable")
    assert (await ana.book(slot, decision, key="k1")).status_code == 201


async def test_the_openapi_document_names_every_code_that_booking_can_answer(origin: Origin) -> None:
    document = (await origin.client.get("/openapi.json")).json()
    answers = json.dumps(document["paths"]["/v1/appointments"]["post"]["responses"])
    for code in ("slot_gone", "ineligible", "key_reused", "frozen", "idempotency_key_missing", "admission_expired"):
        assert f"`{code}`" in answers
