"""A room follows its booking system, over HTTP: it stops, says why, and goes on by itself."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from origin.capacity import feed, supply
from shared.capacity import Errors, Latency
from tests import origin_world
from tests.capacity import StandIn, told
from tests.edge_world import Issuer, client, config, metric, plan
from tests.serving import Serve

TICK_S = 0.05


@dataclass
class Room:
    """An edge whose room follows a stand-in, and its operator."""

    edge: httpx.AsyncClient
    operator: httpx.AsyncClient
    behind: StandIn

    async def status(self) -> dict[str, Any]:
        answer = await self.edge.get("/v1/rooms/demo")
        body: dict[str, Any] = answer.json()
        return body

    async def join(self) -> httpx.Response:
        return await self.edge.post("/v1/rooms/demo/tickets", headers={"Cookie": ""})

    async def standing(self, ticket: str) -> dict[str, Any]:
        headers = {"Authorization": f"Ticket {ticket}", "Cookie": ""}
        body: dict[str, Any] = (await self.edge.get("/v1/rooms/demo/tickets/me", headers=headers)).json()
        return body

    async def claim(self, ticket: str) -> httpx.Response:
        headers = {"Authorization": f"Ticket {ticket}", "Cookie": ""}
        return await self.edge.post("/v1/rooms/demo/admissions", headers=headers)

    async def becomes(self, **expected: Any) -> dict[str, Any]:
        """Wait until the status says so."""
        return await until(self.status, lambda body: {name: body[name] for name in expected} == expected)

    async def govern(self, **changes: Any) -> httpx.Response:
        return await self.operator.patch("/v1/ops/rooms/demo", json={"governor": changes, "reason": "a test"})

    async def report(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.operator.get("/v1/ops/rooms/demo")).json()
        return body


async def until(
    ask: Callable[[], Awaitable[dict[str, Any]]], is_so: Callable[[dict[str, Any]], bool], timeout_s: float = 8
) -> dict[str, Any]:
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not is_so(body := await ask()):
        assert asyncio.get_running_loop().time() < deadline, f"it did not happen in time: {body}"
        await asyncio.sleep(0.01)
    return body


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
async def room(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer) -> AsyncIterator[Room]:
    behind = StandIn()
    url = f"{await serve(behind.app())}/v1/capacity"
    base = await serve(create_app(following(valkey_server.url, issuer, url)))
    async with client(base) as edge, client(base) as operator:
        operator.headers.update(issuer.operator())
        yield Room(edge, operator, behind)
        behind.released.set()


def following(redis_url: str, issuer: Issuer, url: str, **changes: object) -> Any:
    """An edge whose room ``demo`` follows the feed at ``url``, twenty times a second."""
    rooms = (plan(capacity_url=url, **changes), plan(id="alone"))
    return replace(config(redis_url, *rooms, issuers=(issuer.trusted,)), govern_every_s=TICK_S)


@pytest.mark.parametrize(
    ("fault", "says", "why"),
    [
        (500, told(), "origin_down"),
        (404, told(), "origin_down"),
        ("nonsense", told(), "origin_down"),
        ("hangs", told(), "origin_down"),
        (None, told(health="unhealthy"), "origin_unhealthy"),
        (None, told(frozen=True), "frozen"),
    ],
    ids=["fails", "unknown", "nonsense", "hangs", "unhealthy", "frozen"],
)
async def test_while_the_booking_system_cannot_take_anybody_nobody_is_called_and_the_status_says_why(
    room: Room, fault: int | str | None, says: Any, why: str
) -> None:
    early = (await room.join()).json()["ticket"]
    await until(lambda: room.standing(early), lambda body: body["state"] == "called")
    room.behind.fault, room.behind.says = fault, says
    held = await room.becomes(why=why, state="paused")
    late = [(await room.join()).json() for _ in range(5)]
    assert [body["state"] for body in late] == ["waiting"] * 5, "places are given, nobody is called"
    assert late[0]["why"] == why
    assert late[0]["wait"] is None
    claim = await room.claim(early)
    assert (claim.status_code, claim.json()["code"]) == (429, "paced"), "the turn is kept"
    asked = room.behind.asked
    await until(room.status, lambda _: room.behind.asked > asked + (0 if fault == "hangs" else 5))
    assert (await room.status())["called"] == held["called"]
    assert (await room.report())["governor"]["why"] == why
    assert await metric(room.edge, "held", room="demo", reason=why) == 1
    assert await metric(room.edge, "open", room="demo") == 0
    room.behind.fault, room.behind.says = None, told()
    room.behind.released.set()
    await room.becomes(why=None, state="open")
    await until(lambda: room.standing(late[-1]["ticket"]), lambda body: body["state"] == "called")
    assert (await room.claim(early)).status_code == 201
    assert await metric(room.edge, "governor_decisions_total", room="demo", action="resume") >= 1


async def test_one_bad_reading_is_an_accident(room: Room) -> None:
    await until(room.status, lambda _: room.behind.asked > 2)
    room.behind.fault = 500
    asked = room.behind.asked
    await until(room.status, lambda _: room.behind.asked > asked)
    room.behind.fault = None
    asked = room.behind.asked
    await until(room.status, lambda _: room.behind.asked > asked + 3)
    assert await metric(room.edge, "capacity_reads_total", room="demo", outcome="refused") >= 1
    assert await metric(room.edge, "governor_decisions_total", room="demo", action="hold") == 0


async def test_an_operators_pause_outlives_whatever_the_booking_system_does(room: Room) -> None:
    await room.operator.post("/v1/ops/rooms/demo:pause", json={"reason": "snow"})
    room.behind.says = told(frozen=True)
    await room.becomes(why="frozen", state="paused")
    room.behind.says = told()
    await room.becomes(why=None)
    asked = room.behind.asked
    await until(room.status, lambda _: room.behind.asked > asked + 5)
    assert (await room.status())["state"] == "paused"
    assert (await room.report())["state"] == "paused"


async def test_a_room_without_a_booking_system_follows_nothing(room: Room) -> None:
    room.behind.says = told(frozen=True)
    await room.becomes(why="frozen")
    alone = (await room.edge.get("/v1/rooms/alone")).json()
    assert (alone["why"], alone["remaining"], alone["state"]) == (None, None, "open")
    report = (await room.operator.get("/v1/ops/rooms/alone")).json()
    assert report["governor"] is None
    refused = await room.operator.patch(
        "/v1/ops/rooms/alone", json={"governor": {"mode": "automatic"}, "reason": "a test"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "no_capacity_feed")


async def test_more_people_ahead_than_doses_left_makes_it_unlikely_before_they_wait(
    valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer
) -> None:
    behind = StandIn(told(remaining=3))
    url = f"{await serve(behind.app())}/v1/capacity"
    base = await serve(create_app(following(valkey_server.url, issuer, url, rate_per_s=0.01, burst=1)))
    async with client(base) as edge, client(base) as operator:
        slow = Room(edge, operator, behind)
        await slow.becomes(remaining=3)
        joined = [(await slow.join()).json() for _ in range(6)]
        assert [body["ahead"] for body in joined] == [0, 1, 2, 3, 4, 5]
        assert [body["outlook"] for body in joined] == [None] * 4 + ["unlikely"] * 2
        unlikely = '<div id="unlikely" class="note warn">'
        door = await edge.get("/rooms/demo", headers={"Cookie": ""})
        assert unlikely in door.text
        assert "Take my place in line" in door.text, "they may all the same"
        for index, body in enumerate(joined):
            page = await edge.get("/rooms/demo", headers={"Cookie": f"vestibule_ticket_demo={body['ticket']}"})
            assert (unlikely in page.text) == (index > 3)
        behind.says = told(remaining=100)
        await slow.becomes(remaining=100)
        assert (await slow.standing(joined[-1]["ticket"]))["outlook"] is None


async def test_at_zero_joining_closes_with_a_kind_word_and_opens_again_when_something_is_given_back(room: Room) -> None:
    held_place = (await room.join()).json()
    room.behind.says = told(remaining=0)
    await room.becomes(why="sold_out", state="closed", remaining=0)
    refused = await room.join()
    assert (refused.status_code, refused.json()["code"]) == (409, "sold_out")
    assert "by itself" in refused.json()["detail"]
    kept = await room.edge.post(
        "/v1/rooms/demo/tickets", headers={"Authorization": f"Ticket {held_place['ticket']}", "Cookie": ""}
    )
    assert (kept.status_code, kept.json()["place"], kept.json()["outlook"]) == (200, held_place["place"], "unlikely")
    assert (await room.status())["joined"] == 1, "a refusal burns no place"
    room.behind.says = told(remaining=1)
    await room.becomes(why=None, state="open")
    assert (await room.join()).status_code == 201


@pytest.mark.parametrize(
    ("says", "why", "text"),
    [
        (told(remaining=0), "sold_out", "All appointments are taken for now."),
        (told(frozen=True), "frozen", "Booking is stopped for the moment."),
        (told(health="unhealthy"), "origin_unhealthy", "The booking system does not answer at the moment."),
    ],
    ids=["sold out", "frozen", "unhealthy"],
)
async def test_the_page_says_why_before_and_after_joining(room: Room, says: Any, why: str, text: str) -> None:
    async def shown(cookie: str) -> list[str]:
        page = (await room.edge.get("/rooms/demo", headers={"Cookie": cookie})).text
        return re.findall(r'<p data-why="\w+"><strong>([^<]+)</strong>', page)

    await room.becomes(remaining=1000)
    ours = f"vestibule_ticket_demo={(await room.join()).json()['ticket']}"
    assert await shown("") == await shown(ours) == []
    room.behind.says = says
    await room.becomes(why=why)
    assert await shown("") == await shown(ours) == [text]
    door = (await room.edge.get("/rooms/demo", headers={"Cookie": ""})).text
    assert ("Take my place in line" in door) == (why != "sold_out")
    assert "Refresh" in (await room.edge.get("/rooms/demo", headers={"Cookie": ""})).headers or why != "sold_out"


async def test_an_automatic_room_grows_while_people_wait_and_falls_when_answers_are_slow(room: Room) -> None:
    await room.becomes(remaining=1000)
    set_to = await room.govern(mode="automatic", min_rate_per_s=1, max_rate_per_s=40, max_inside=500)
    assert set_to.json()["governor"] == {
        "mode": "automatic",
        "min_rate_per_s": 1,
        "max_rate_per_s": 40,
        "max_inside": 500,
        "why": None,
        "remaining": 1000,
    }
    await room.becomes(rate_per_s=40)
    await room.operator.patch("/v1/ops/rooms/demo", json={"rate_per_s": 1, "burst": 1, "reason": "a test"})
    for _ in range(20):
        await room.join()
    await until(room.status, lambda body: 1 < body["rate_per_s"] < 2)
    assert await metric(room.edge, "governor_decisions_total", room="demo", action="increase") >= 1
    await room.operator.patch("/v1/ops/rooms/demo", json={"rate_per_s": 40, "reason": "a test"})
    slow = Latency(500, 2000, 1000, 100)
    room.behind.says = told(health="degraded", latency=slow, errors=Errors(0, 0.05, 100))
    await until(room.status, lambda body: 25 < body["rate_per_s"] <= 29)
    assert await metric(room.edge, "governor_decisions_total", room="demo", action="latency") == 1
    room.behind.says = told(inside=10, time_inside_s=100.0)
    await room.becomes(rate_per_s=5)
    room.behind.says = told(inside=500, time_inside_s=100.0)
    await room.becomes(why="full", state="paused")
    room.behind.says = told(inside=449, time_inside_s=100.0)
    await room.becomes(why=None, state="open")
    assert await metric(room.edge, "inside", room="demo") >= 449
    await room.govern(mode="manual")
    room.behind.says = told(latency=slow, health="degraded")
    await room.operator.patch("/v1/ops/rooms/demo", json={"rate_per_s": 33, "reason": "a test"})
    asked = room.behind.asked
    await until(room.status, lambda _: room.behind.asked > asked + 5)
    assert (await room.status())["rate_per_s"] == 33, "a manual rate is the operator's"


async def test_switched_off_a_broken_feed_holds_nobody(room: Room) -> None:
    room.behind.fault = "nonsense"
    await room.becomes(why="origin_down")
    await room.govern(mode="off")
    await room.becomes(why=None, state="open", remaining=None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "fast"},
        {"min_rate_per_s": 0},
        {"min_rate_per_s": 60},
        {"max_rate_per_s": 1, "min_rate_per_s": 2},
        {"max_inside": 0},
        {"speed": 1},
        5,
    ],
)
async def test_bounds_that_make_no_sense_change_nothing(room: Room, wrong: object) -> None:
    before = (await room.report())["governor"]
    refused = await room.operator.patch(
        "/v1/ops/rooms/demo", json={"rate_per_s": 9, "governor": wrong, "reason": "a test"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    after = await room.report()
    assert {**after["governor"], "remaining": 0} == {**before, "remaining": 0}
    assert after["rate_per_s"] == 50


async def test_a_real_origin_is_followed_from_frozen_to_sold_out_and_back(
    valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer, database_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(feed, "FRESH_S", 0.0)
    monkeypatch.setattr(supply, "_SOONEST_S", 0.0)
    monkeypatch.setattr(supply, "_SHARE", float("inf"))
    async with origin_world.origin(database_url, tmp_path) as origin:
        slot = await origin.world.slot(capacity=1)
        base = await serve(create_app(following(valkey_server.url, issuer, f"{origin.client.base_url}/v1/capacity")))
        async with client(base) as edge, client(base) as operator:
            room = Room(edge, operator, StandIn())
            await room.becomes(why=None, remaining=1)
            freeze = "UPDATE programme SET frozen_since = now(), frozen_reason = 'recall'"
            await origin.world.connection.execute(freeze)
            await room.becomes(why="frozen", state="paused")
            await origin.world.connection.execute("UPDATE programme SET frozen_since = NULL, frozen_reason = NULL")
            await room.becomes(why=None, state="open")
            visitor = origin.visitor()
            booked = await visitor.book(slot, await visitor.decision())
            assert booked.status_code == 201
            await room.becomes(why="sold_out", state="closed", remaining=0)
            assert (await room.join()).json()["code"] == "sold_out"
            gone = await origin.client.delete(booked.headers["location"], headers=visitor.headers)
            assert gone.status_code in {200, 204}
            await room.becomes(why=None, state="open", remaining=1)
