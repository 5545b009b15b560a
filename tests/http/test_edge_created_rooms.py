"""Rooms that operators create while the edges run, over HTTP: two edges on one store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.line.room import LanePlan, Limits, RoomPlan
from edge.ops.models import NewLane, NewLimits, NewRoom
from edge.ops.rooms import plan_of
from edge.register import Creation, Register, written
from shared.capacity import ProgrammeSupply
from tests.capacity import StandIn, told
from tests.edge_processes import until
from tests.edge_world import Failures, Issuer, client, config, metric, plan
from tests.serving import Serve

ROOM: dict[str, object] = {
    "id": "spring",
    "name": "Spring boosters",
    "rate_per_s": 40,
    "burst": 5,
    "enter_url": "https://book.example.org/enter",
    "reason": "the second programme opens",
}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
async def edges(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer) -> AsyncIterator["Edges"]:
    settings = config(valkey_server.url, issuers=(issuer.trusted,))
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(client(await serve(create_app(settings)))) for _ in range(2)]
        yield Edges(one, two, issuer.operator())


class Edges:
    """Two edges, and what an operator does there."""

    def __init__(self, one: httpx.AsyncClient, two: httpx.AsyncClient, operator: dict[str, str]) -> None:
        self.one = one
        self.two = two
        self.operator = operator

    async def create(self, **changes: object) -> httpx.Response:
        return await self.one.post("/v1/ops/rooms", json=ROOM | changes, headers=self.operator)

    async def reports(self, edge: httpx.AsyncClient) -> dict[str, dict[str, object]]:
        rooms = (await edge.get("/v1/ops/rooms", headers=self.operator)).json()["rooms"]
        return {room["room"]: room for room in rooms}


async def test_a_room_created_on_one_edge_is_joined_on_the_other_within_a_second(edges: Edges) -> None:
    created = await edges.create()
    assert created.status_code == 201, created.text
    report = created.json()
    assert (report["room"], report["state"], report["rate_per_s"], report["burst"]) == ("spring", "open", 40, 5)
    assert report["reason"] == ROOM["reason"]
    assert (report["created"]["actor"], report["created"]["why"]) == ("ana", ROOM["reason"])
    assert report["created"]["at"].endswith("Z")
    here = await edges.one.post("/v1/rooms/spring/tickets")
    assert (here.status_code, here.json()["place"]) == (201, 1)
    await until(lambda: joined(edges.two, "spring", 2), timeout_s=1)
    listed = await edges.reports(edges.two)
    assert listed["spring"]["created"] == report["created"]
    assert listed["demo"]["created"] is None, "the rooms file has it"
    assert "Spring boosters" in (await edges.two.get("/")).text
    assert "Spring boosters" in (await edges.two.get("/rooms/spring")).text
    assert await metric(edges.two, "rate", room="spring") == 40


async def test_a_created_room_has_limits_a_challenge_and_settings_of_its_own(edges: Edges) -> None:
    asked = {"limits": {"joins": 2, "acts": None}, "challenge": "altcha", "challenge_effort": 100}
    assert (await edges.create(**asked)).status_code == 201
    challenge = await edges.one.get("/v1/rooms/spring/challenge")
    assert challenge.status_code == 200
    assert challenge.json()["parameters"]["data"]["limit"] == 200
    assert "ratelimit" not in challenge.headers
    codes = [(await edges.one.post("/v1/rooms/spring/tickets")).json()["code"] for _ in range(3)]
    assert codes == ["challenge_missing", "challenge_missing", "too_many_requests"]
    slower = await edges.one.patch(
        "/v1/ops/rooms/spring", json={"rate_per_s": 3, "reason": "snow"}, headers=edges.operator
    )
    assert slower.json()["rate_per_s"] == 3


async def test_a_created_room_has_a_schedule_lanes_and_a_lottery_where_they_are_asked_for(edges: Edges) -> None:
    lanes = [{"lane": "general"}, {"lane": "phone", "weight": 0.5, "access": "assisted"}]
    schedule = {"prequeue_at": "2027-03-01T08:00:00Z", "opens_at": "2100-03-01T09:00:00Z"}
    assert (await edges.create(discipline="lottery", lanes=lanes, **schedule)).status_code == 201
    await until(lambda: has_room(edges.two, "spring"))
    commitments = set()
    for edge in (edges.one, edges.two):
        status = (await edge.get("/v1/rooms/spring")).json()
        assert (status["discipline"], status["opens_at"][:10]) == ("lottery", "2100-03-01")
        assert [lane["lane"] for lane in status["lanes"]] == ["general", "phone"]
        commitments.add(status["lottery"]["commitment"])
    assert len(commitments) == 1


async def test_a_created_room_follows_its_booking_system(edges: Edges, serve: Serve) -> None:
    behind = StandIn(told(programmes=[ProgrammeSupply("spring", "spring", 0, False, None)]))
    url = f"{await serve(behind.app())}/v1/capacity"
    assert (await edges.create(capacity_url=url)).json()["governor"]["mode"] == "manual"

    async def sold_out() -> bool:
        status = (await edges.two.get("/v1/rooms/spring")).json()
        return (status.get("state"), status.get("why")) == ("closed", "sold_out")

    await until(sold_out)


async def test_an_id_is_taken_once(edges: Edges) -> None:
    answers = await asyncio.gather(*(edges.create(name=f"Number {number}") for number in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"room_exists"}
    name = next(answer.json()["name"] for answer in answers if answer.status_code == 201)
    again = await edges.two.post("/v1/ops/rooms", json=ROOM, headers=edges.operator)
    assert again.json()["code"] == "room_exists", "also before this edge has heard of it"
    assert (await edges.create(id="demo")).json()["code"] == "room_exists", "the rooms file has it"
    await until(lambda: has_room(edges.two, "spring"))
    assert (await edges.reports(edges.two))["spring"]["name"] == name


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": "Spring!"}, "$.id"),
        ({"rate_per_s": 0}, "$.rate_per_s"),
        ({"enter_url": "book"}, "$.enter_url"),
        ({"enter_url": "ftp://book.example.org"}, "$.enter_url"),
        ({"capacity_url": "/v1/capacity"}, "$.capacity_url"),
        ({"limits": {"joins": 0}}, "$.limits.joins"),
        ({"reason": ""}, "$.reason"),
        ({"colour": "red"}, "colour"),
        ({"opens_at": "tomorrow"}, "$.opens_at"),
        ({"prequeue_at": "2027-03-01T09:00:00Z"}, "needs the time at which it opens"),
        ({"lanes": [{"lane": "general", "floor_per_s": 41}]}, "floors"),
    ],
)
async def test_a_plan_that_makes_no_sense_creates_nothing(edges: Edges, change: dict[str, object], path: str) -> None:
    refused = await edges.create(**change)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert path in refused.json()["detail"]
    assert set(await edges.reports(edges.one)) == {"demo"}


async def test_why_a_room_is_created_has_to_be_said(edges: Edges) -> None:
    body = {name: value for name, value in ROOM.items() if name != "reason"}
    refused = await edges.one.post("/v1/ops/rooms", json=body, headers=edges.operator)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert "`reason`" in refused.json()["detail"]


async def test_only_operators_create_rooms(edges: Edges, issuer: Issuer) -> None:
    nobody = await edges.one.post("/v1/ops/rooms", json=ROOM)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated")
    visitor = {"Authorization": f"Bearer {issuer.token('visitor')}"}
    wrong = await edges.one.post("/v1/ops/rooms", json=ROOM, headers=visitor)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "forbidden")
    assert (await edges.one.get("/v1/rooms/spring")).status_code == 404


def test_a_new_room_can_be_all_that_the_rooms_file_can_say() -> None:
    assert set(NewRoom.__struct_fields__) - {"reason"} == set(RoomPlan.model_fields)
    assert set(NewLimits.__struct_fields__) == set(Limits.model_fields)
    plan = plan_of(msgspec.convert(ROOM, NewRoom))
    assert set(NewLane.__struct_fields__) == set(LanePlan.model_fields)
    said = {name: value for name, value in ROOM.items() if name != "reason"}
    assert plan == RoomPlan.model_validate(said), "what is not said is the default"


async def test_an_edge_that_cannot_read_the_register_is_not_ready_but_serves_the_rooms_it_knows(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    await valkey.set("vestibule:rooms", "not a register")
    async with client(await serve(create_app(config(valkey_server.url)))) as edge:
        assert (await edge.post("/v1/rooms/demo/tickets")).status_code == 201
        assert (await edge.get("/readyz")).status_code == 503
        assert await metric(edge, "store_errors_total", act="register") > 0
        await valkey.delete("vestibule:rooms")
        await until(lambda: ready(edge))


async def ready(edge: httpx.AsyncClient) -> bool:
    return (await edge.get("/readyz")).status_code == 200


async def test_hundreds_of_rooms_do_not_take_the_store_from_those_who_wait(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    creation = Creation(1_800_000_000.0, "olga", "a whole country")
    rooms = {f"room{number}": written(plan(id=f"room{number}"), creation) for number in range(400)}
    await Register(valkey, Failures(), heal_s=0).restore(rooms)
    async with client(await serve(create_app(config(valkey_server.url)))) as visitor:
        places = [(await visitor.post("/v1/rooms/room7/tickets", headers={"Cookie": ""})).json()["place"]]

        async def a_while_has_passed() -> bool:
            places.append((await visitor.post("/v1/rooms/room7/tickets", headers={"Cookie": ""})).json()["place"])
            return await seconds(visitor, "room399") - began > 2

        began = await seconds(visitor, "room399")
        await until(a_while_has_passed, timeout_s=20)
        assert places == list(range(1, len(places) + 1))
        assert await metric(visitor, "store_errors_total", act="look") == 0
        assert len(await valkey.client_list()) < 100


async def seconds(edge: httpx.AsyncClient, room: str) -> float:
    """The moment that the edge's picture of a room is of."""
    return datetime.fromisoformat((await edge.get(f"/v1/rooms/{room}")).json()["as_of"]).timestamp()


async def has_room(edge: httpx.AsyncClient, room: str) -> bool:
    return (await edge.get(f"/v1/rooms/{room}")).status_code == 200


async def joined(edge: httpx.AsyncClient, room: str, place: int) -> bool:
    answer = await edge.post(f"/v1/rooms/{room}/tickets", headers={"Cookie": ""})
    assert answer.status_code in {201, 404}, answer.text
    return answer.status_code == 201 and answer.json()["place"] == place
