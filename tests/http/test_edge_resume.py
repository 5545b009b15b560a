"""A place carried to another device by a code, over HTTP against served edges."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.visitors.resume import LIVES_S
from shared.token import AdmissionTokens
from tests.edge_visiting import CALLED, WAITING, called, code
from tests.edge_world import ADMISSION_KEYS, client, config, metric, plan
from tests.serving import Serve

CODES = "/v1/rooms/slow/resume-codes"
RESUME = "/v1/rooms/slow/tickets:resume"
KEYS = "vestibule:{slow}:resume:*"


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve) -> str:
    """An edge with a room that calls everybody, and one that calls nobody but the first."""
    rooms = [plan(**CALLED), plan(id="slow", **WAITING, limits={"acts": 30})]
    return await serve(create_app(config(valkey_server.url, *rooms)))


@pytest.fixture
async def phone(base: str) -> AsyncIterator[httpx.AsyncClient]:
    """The device that joined."""
    async with client(base) as browser:
        yield browser


@pytest.fixture
async def laptop(base: str) -> AsyncIterator[httpx.AsyncClient]:
    """The other device."""
    async with client(base) as browser:
        yield browser


async def made(device: httpx.AsyncClient, room: str = "slow") -> str:
    """Make a code."""
    response = await device.post(f"/v1/rooms/{room}/resume-codes")
    assert response.status_code == 201
    return str(response.json()["code"])


async def test_a_code_brings_the_place_and_its_cookie_to_another_device(
    phone: httpx.AsyncClient, laptop: httpx.AsyncClient
) -> None:
    joined = (await phone.post("/v1/rooms/slow/tickets")).json()
    response = await laptop.post(RESUME, json={"code": await made(phone)})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    resumed = response.json()
    assert set(resumed) == set(joined)
    assert (resumed["ticket"], resumed["place"]) == (joined["ticket"], joined["place"])
    for device in (phone, laptop):  # each by its cookie
        assert (await device.get("/v1/rooms/slow/tickets/me")).json()["place"] == joined["place"]


async def test_both_devices_go_through_with_one_token_id(phone: httpx.AsyncClient, laptop: httpx.AsyncClient) -> None:
    await called(phone)
    await laptop.post("/v1/rooms/demo/tickets:resume", json={"code": await made(phone, "demo")})
    admissions = [(await device.post("/v1/rooms/demo/admissions")).json() for device in (phone, laptop, phone)]
    tokens = AdmissionTokens(ADMISSION_KEYS)
    assert (
        len({tokens.verify(admission["token"], rooms={"demo"}, now=0, leeway_s=10**10).id for admission in admissions})
        == 1
    )
    assert (await phone.get("/v1/rooms/demo")).json()["admitted"] == 1


async def test_a_code_is_typed_as_people_type(phone: httpx.AsyncClient, laptop: httpx.AsyncClient) -> None:
    await phone.post("/v1/rooms/slow/tickets")
    shown = await made(phone)
    assert [len(group) for group in shown.split("-")] == [5, 5]
    typed = f" {shown.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
    assert (await laptop.post(RESUME, json={"code": typed})).status_code == 200


async def test_a_code_that_is_unknown_used_or_too_old_gets_the_same_words(
    phone: httpx.AsyncClient, laptop: httpx.AsyncClient, valkey: Redis
) -> None:
    await phone.post("/v1/rooms/slow/tickets")
    used, old = await made(phone), await made(phone)
    await laptop.post(RESUME, json={"code": used})
    laptop.cookies.clear()
    (key,) = [key async for key in valkey.scan_iter(KEYS)]
    assert LIVES_S - 5 < await valkey.ttl(key) <= LIVES_S
    await valkey.expireat(key, 1)  # as after ten minutes
    answers = [
        await laptop.post(RESUME, json={"code": typed}) for typed in (used, old, "ZZZZZ-ZZZZZ", "", "no code at all")
    ]
    assert {code(answer) for answer in answers} == {"resume_code_unknown"}
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


async def test_a_code_says_until_when_it_works(phone: httpx.AsyncClient) -> None:
    as_of = (await phone.post("/v1/rooms/slow/tickets")).json()["as_of"]
    expires_at = (await phone.post(CODES)).json()["expires_at"]
    lives = datetime.fromisoformat(expires_at) - datetime.fromisoformat(as_of)
    assert timedelta(seconds=LIVES_S) <= lives < timedelta(seconds=LIVES_S + 5)


async def test_a_code_of_one_room_opens_no_other(phone: httpx.AsyncClient, laptop: httpx.AsyncClient) -> None:
    await phone.post("/v1/rooms/slow/tickets")
    shown = await made(phone)
    assert code(await laptop.post("/v1/rooms/demo/tickets:resume", json={"code": shown})) == "resume_code_unknown"
    assert (await laptop.post(RESUME, json={"code": shown})).status_code == 200


async def test_the_store_learns_neither_code_nor_anything_in_an_address(
    phone: httpx.AsyncClient, valkey: Redis
) -> None:
    await phone.post("/v1/rooms/slow/tickets")
    symbols = (await made(phone)).replace("-", "").encode()
    keys = [key async for key in valkey.scan_iter("*")]
    assert any(b"resume" in key for key in keys)
    assert not any(symbols in key for key in keys)


async def test_who_has_no_place_gets_no_code(phone: httpx.AsyncClient, laptop: httpx.AsyncClient) -> None:
    assert code(await phone.post(CODES)) == "ticket_missing"
    await phone.post("/v1/rooms/slow/tickets")
    late = await made(phone)
    ticket = phone.cookies["vestibule_ticket_slow"]
    await phone.delete("/v1/rooms/slow/tickets/me")
    assert code(await laptop.post(CODES, headers={"Authorization": f"Ticket {ticket}"})) == "ticket_left"
    assert code(await laptop.post(RESUME, json={"code": late})) == "ticket_left"
    assert code(await laptop.post(RESUME, json={"code": late})) == "resume_code_unknown"


async def test_guessing_is_limited_by_address(laptop: httpx.AsyncClient) -> None:
    answers = [await laptop.post(RESUME, json={"code": f"ZZZZZ-ZZZ{n:02}"}) for n in range(31)]
    assert [answer.status_code for answer in answers] == [404] * 30 + [429]
    assert await metric(laptop, "limited_total", kind="acts") == 1
