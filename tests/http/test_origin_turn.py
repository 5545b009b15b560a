"""More booking time over HTTP: who gets it, how much, and what it never does."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from origin.gate import ADMISSION_COOKIE
from origin.turn import AdmissionSession
from shared.keys import KeyRing
from shared.signing import Sealer
from tests import origin_world
from tests.origin_world import MADRID, ORIGIN_KEYS, START, Origin, admission

EXTEND = "/v1/admission:extend"
NOW = int(START.timestamp())
WHERE = {"lat": MADRID[0], "lng": MADRID[1]}


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path, admission_extensions=3) as made:
        yield made


async def _exchanged(origin: Origin, token: str | None = None) -> str:
    """Come in; return the cookie's value. The client keeps it too."""
    token = token or admission(now=origin.world.clock.now())
    answer = await origin.client.post("/v1/admission:exchange", json={"token": token})
    assert answer.status_code == 200, answer.text
    return answer.cookies[ADMISSION_COOKIE]


async def _with(origin: Origin, cookie: str, method: str = "POST", path: str = EXTEND) -> httpx.Response:
    """Call with that cookie alone."""
    async with origin_world.client(str(origin.client.base_url)) as fresh:
        headers = {"Cookie": f"{ADMISSION_COOKIE}={cookie}"} if cookie else {}
        params = WHERE if method == "GET" else None
        return await fresh.request(method, path, headers=headers, params=params)


def _told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_an_extension_moves_the_end_and_nothing_else(origin: Origin) -> None:
    first = await _exchanged(origin)
    origin.world.clock.advance(1500)
    answer = await _with(origin, first)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "room": "demo",
        "programme": "demo",
        "expires_at": "2027-03-01T10:00:00Z",
        "extensions_left": 2,
    }
    assert answer.headers["cache-control"] == "no-store"
    assert "Max-Age=2100" in answer.headers["set-cookie"]
    longer = answer.cookies[ADMISSION_COOKIE]
    sealer = Sealer(AdmissionSession, ORIGIN_KEYS, "admission session")
    assert sealer.open(longer).id == sealer.open(first).id
    origin.world.clock.advance(2099)
    assert (await _with(origin, longer, "GET", "/v1/slots")).status_code == 200
    assert _told(await _with(origin, first, "GET", "/v1/slots")) == (403, "admission_expired")
    origin.world.clock.advance(1)
    assert _told(await _with(origin, longer, "GET", "/v1/slots")) == (403, "admission_expired")
    assert origin.metric("admission_extended_total", outcome="extended") == 1


async def test_there_are_so_many_extensions_and_no_more(origin: Origin) -> None:
    cookie = await _exchanged(origin)
    ends = []
    for left in (2, 1, 0):
        answer = await _with(origin, cookie)
        assert answer.json()["extensions_left"] == left
        ends.append(answer.json()["expires_at"])
        cookie = answer.cookies[ADMISSION_COOKIE]
    assert ends == ["2027-03-01T10:00:00Z", "2027-03-01T10:30:00Z", "2027-03-01T11:00:00Z"]
    refused = await _with(origin, cookie)
    assert _told(refused) == (409, "admission_extended_enough")
    assert "set-cookie" not in refused.headers
    assert (await _with(origin, cookie, "GET", "/v1/slots")).status_code == 200
    assert origin.metric("admission_extended_total", outcome="extended") == 3
    assert origin.metric("admission_extended_total", outcome="enough") == 1


async def test_an_old_cookie_sent_again_gives_no_later_end(origin: Origin) -> None:
    first = await _exchanged(origin)
    once = await _with(origin, first)
    origin.world.clock.advance(1000)
    again = await _with(origin, first)
    assert again.json() == once.json()


async def test_no_extension_goes_beyond_the_longest_time(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path, admission_longest_s=2700) as origin:
        answer = await _with(origin, await _exchanged(origin))
        assert (answer.json()["expires_at"], answer.json()["extensions_left"]) == ("2027-03-01T09:45:00Z", 0)
        refused = await _with(origin, answer.cookies[ADMISSION_COOKIE])
        assert _told(refused) == (409, "admission_extended_enough")


async def test_what_has_ended_is_not_extended(origin: Origin) -> None:
    cookie = await _exchanged(origin)
    origin.world.clock.advance(1800)
    assert _told(await _with(origin, cookie)) == (403, "admission_expired")
    assert origin.metric("admission_refused_total", reason="expired") == 1
    assert origin.metric("admission_extended_total", outcome="extended") == 0


def _forged(ring: KeyRing, purpose: str = "admission session") -> str:
    session = AdmissionSession(v=1, kid="o1", room="demo", id="x", since=NOW, exp=NOW + 900, extended=0)
    return Sealer(AdmissionSession, ring, purpose).seal(session)


_OTHER = KeyRing("o1", {"o1": b"forged-key-for-tests-of-32-bytes"})


@pytest.mark.parametrize(
    ("cookie", "reason"),
    [
        ("", "missing"),
        ("garbage", "malformed"),
        (_forged(_OTHER), "bad_signature"),
        (_forged(ORIGIN_KEYS, "person session"), "bad_signature"),
        (admission(), "malformed"),
    ],
    ids=["missing", "malformed", "forged", "of another purpose", "a token"],
)
async def test_what_we_did_not_sign_as_a_session_is_refused_and_counted(
    origin: Origin, cookie: str, reason: str
) -> None:
    assert _told(await _with(origin, cookie)) == (403, f"admission_{reason}")
    assert origin.metric("admission_refused_total", reason=reason) == 1
    assert origin.metric("admission_extended_total", outcome="extended") == 0


async def test_a_token_alone_is_not_extended(origin: Origin) -> None:
    answer = await origin.client.post(EXTEND, headers={"Admission-Token": admission()})
    assert _told(answer) == (403, "admission_missing")


async def test_a_booking_is_made_in_the_time_that_was_added_and_only_once(origin: Origin) -> None:
    """B7: however often a session was extended, its admission books once."""
    slot = await origin.world.slot(capacity=3, hours=48)
    headers = {"Authorization": f"Bearer {origin_world.bearer('ana')}"}
    await _exchanged(origin)
    assert (await origin.client.post(EXTEND)).status_code == 200
    origin.world.clock.advance(2000)  # past the first end
    decided = await origin.client.post("/v1/eligibility:evaluate", json={"facts": origin_world.SENIOR}, headers=headers)
    body = {"slot_id": slot, "decision_ref": decided.json()["decision_ref"]}
    booked = await origin.client.post("/v1/appointments", json=body, headers=headers | {"Idempotency-Key": "k1"})
    assert booked.status_code == 201, booked.text

    assert _told(await origin.client.post(EXTEND)) == (409, "admission_used")
    assert origin.metric("admission_extended_total", outcome="used") == 1
    await origin.client.delete(booked.headers["location"], headers=headers)
    assert _told(await origin.client.post(EXTEND)) == (409, "admission_used"), "also once it is cancelled"
    again = await origin.client.post("/v1/appointments", json=body, headers=headers | {"Idempotency-Key": "k2"})
    assert _told(again) == (409, "admission_used")
    assert await origin.world.count("appointment") == 1


async def _form(origin: Origin, path: str) -> dict[str, str]:
    """Open a page; return what its button for more time sends."""
    page = await origin.client.get(path)
    return {"csrf": page.text.partition('name="csrf" value="')[2].partition('"')[0]}


async def _signed_in(origin: Origin) -> None:
    session = origin.state.people.start_session("i", "ana", frozenset(), NOW + 3600)
    origin.client.cookies.set("vestibule_session", session, domain=origin.client.base_url.host)


async def test_the_button_leads_back_with_what_was_typed_and_chosen(origin: Origin) -> None:
    await _exchanged(origin)
    await _signed_in(origin)
    form = await _form(origin, "/eligibility")
    typed = {"day": "17", "month": "5", "year": "1950", "region": "ES-MD", "conditions": "diabetes"}
    answer = await origin.client.post("/turn/extend?back=/eligibility", data=form | typed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/eligibility")
    page = (await origin.client.get("/eligibility")).text
    assert 'value="1950"' in page
    assert 'value="diabetes" checked' in page
    assert 'datetime="2027-03-01T10:00:00Z">10:00 UTC</time>' in page
    search = {"place": "Madrid", "radius": "50", "from": "2027-03-05", "accessibility": ["braille", "quiet_room"]}
    answer = await origin.client.post("/turn/extend?back=/slots%3Fplace%3DX", data=form | search)
    query = "place=Madrid&radius=50&from=2027-03-05&accessibility=braille&accessibility=quiet_room"
    assert answer.headers["location"] == f"/slots?{query}"


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example", ""])
async def test_the_button_never_leads_to_somebody_else(origin: Origin, back: str) -> None:
    await _exchanged(origin)
    await _signed_in(origin)
    form = await _form(origin, "/eligibility")
    answer = await origin.client.post("/turn/extend", params={"back": back}, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_form_that_another_site_made_gives_no_time(origin: Origin) -> None:
    await _exchanged(origin)
    answer = await origin.client.post("/turn/extend?back=/slots", data={"csrf": "o1.0"})
    assert answer.status_code == 403
    assert 'href="/slots"' in answer.text
    assert origin.metric("admission_extended_total", outcome="extended") == 0


async def test_the_sign_in_and_what_was_typed_last_as_long_as_the_turn(origin: Origin) -> None:
    await _exchanged(origin)
    await _signed_in(origin)
    form = await _form(origin, "/eligibility")
    for _ in range(3):
        answer = await origin.client.post("/turn/extend?back=/eligibility", data=form | {"day": "17", "year": "1950"})
        assert answer.status_code == 303
    origin.world.clock.advance(2 * 3600 - 60)  # a minute before the end, an hour after the first end of the sign-in
    page = await origin.client.get("/eligibility")
    assert page.status_code == 200
    assert 'value="1950"' in page.text


async def test_beyond_the_last_extension_a_page_says_how_to_go_on(origin: Origin) -> None:
    await _exchanged(origin)
    await _signed_in(origin)
    form = await _form(origin, "/eligibility")
    for _ in range(3):
        await origin.client.post("/turn/extend?back=/eligibility", data=form)
    answer = await origin.client.post("/turn/extend?back=/eligibility", data=form | {"day": "17"})
    assert answer.status_code == 409
    assert "lets you in again without queueing" in answer.text
    assert 'href="/eligibility"' in answer.text
    assert 'value="17"' in (await origin.client.get("/eligibility")).text


async def test_pages_outside_the_way_show_no_time(origin: Origin) -> None:
    await _exchanged(origin)
    await _signed_in(origin)
    assert 'id="turn"' in (await origin.client.get("/eligibility")).text
    for path in ("/", "/appointments/1"):
        assert 'id="turn"' not in (await origin.client.get(path)).text
    origin.client.cookies.delete(ADMISSION_COOKIE)
    assert 'id="turn"' not in (await origin.client.get("/eligibility")).text
