"""Rooms that were created while the edges ran outlive the loss of the store, and a restart of everything at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from edge.app import create_app
from edge.line.store import connect
from edge.register import Creation, Register, written
from tests.edge_processes import until
from tests.edge_world import Failures, client, config, plan
from tests.machines import Machines, powered
from tests.serving import serving

ROOM: dict[str, object] = {
    "id": "spring",
    "name": "Spring boosters",
    "rate_per_s": 40,
    "enter_url": "https://book.example.org/enter",
    "reason": "the second programme opens",
}
HEAL_S = 0.5


class Creating(Machines):
    """Machines on which rooms are created."""

    heal_s = HEAL_S

    async def create(self, edge: httpx.AsyncClient, **changes: object) -> httpx.Response:
        return await edge.post("/v1/ops/rooms", json=ROOM | changes)

    async def created(self, edge: httpx.AsyncClient, **changes: object) -> dict[str, object]:
        """Create a room, as soon as the register takes new ones."""
        answers: list[httpx.Response] = []

        async def done() -> bool:
            answers.append(await self.create(edge, **changes))
            assert answers[-1].status_code in {201, 503}, answers[-1].text
            return answers[-1].status_code == 201

        await until(done)
        report: dict[str, object] = answers[-1].json()
        return report

    async def report(self, edge: httpx.AsyncClient, room: str = "spring") -> dict[str, object]:
        answer: dict[str, object] = (await edge.get(f"/v1/ops/rooms/{room}")).json()
        return answer


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Creating]:
    async with powered(Creating(tmp_path)) as machines:
        yield machines


async def test_a_store_that_loses_everything_gets_created_rooms_back(machines: Creating) -> None:
    one, two = await machines.start(keep=False)
    report = await machines.created(one)
    await until(lambda: takes_people(two))
    before = [await place(two) for _ in range(3)]
    await machines.lose_the_store()
    for edge in (one, two):
        await until(lambda edge=edge: takes_people(edge))  # type: ignore[misc]  # bound as a default
        told = await machines.report(edge)
        assert (told["reason"], told["created"]) == (ROOM["reason"], report["created"])
    assert await place(one) > max(before), "a place was given out twice"
    assert await registered(machines) == {"spring"}, "an edge that starts now finds the room too"


async def test_without_edges_that_carry_it_a_created_room_would_be_lost(
    machines: Creating, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forget(*_: object) -> None:
        """Put nothing back."""

    one, _ = await machines.start(keep=False)
    await machines.created(one)
    monkeypatch.setattr(Register, "restore", forget)
    await machines.lose_the_store()
    await until(lambda: takes_people(one))
    assert await registered(machines) == set()


async def test_while_the_register_heals_an_id_that_is_taken_cannot_be_taken_again(machines: Creating) -> None:
    one, two = await machines.start(keep=False)
    await machines.created(one)
    await until(lambda: takes_people(two))
    await asyncio.to_thread(machines.store.kill)
    refused = await machines.create(one, id="summer")
    assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
    await asyncio.to_thread(machines.store.start)
    stranger = config(machines.store.url, issuers=(machines.issuer.trusted,), heal_s=HEAL_S)
    async with serving(create_app(stranger)) as address, client(address) as new:  # one that has never heard of it
        new.headers.update(machines.issuer.operator())
        codes: list[str] = []

        async def refused_for_good() -> bool:
            codes.append((await machines.create(new, name="Another")).json()["code"])
            return codes[-1] == "room_exists"

        await until(refused_for_good)
    assert set(codes) <= {"store_unavailable", "room_exists"}


async def test_created_rooms_are_back_when_every_edge_and_the_store_restart_together(machines: Creating) -> None:
    one, two = await machines.start()
    await machines.created(one)
    await until(lambda: takes_people(two))
    wished = {"rate_per_s": 7.5, "reason": "snow"}
    await two.patch("/v1/ops/rooms/spring", json=wished)
    machines.store.kill()
    await machines.stop_edges()
    one, two = await machines.start()
    away = await one.get("/v1/rooms/spring")
    assert away.status_code == 503, "known before the store is back"
    assert (await one.get("/readyz")).status_code == 503
    await asyncio.to_thread(machines.store.start)
    for edge in (one, two):
        await until(lambda edge=edge: takes_people(edge))  # type: ignore[misc]  # bound as a default
        report = await machines.report(edge)
        assert (report["name"], report["rate_per_s"], report["reason"]) == ("Spring boosters", 7.5, "snow")
    await until(lambda: ready(one))


async def test_an_edge_that_restarts_alone_finds_created_rooms_in_the_store(machines: Creating) -> None:
    one, _ = await machines.start(keep=False)
    await machines.created(one)
    await machines.stop_edges()
    one, _ = await machines.start(keep=False)
    assert (await one.get("/v1/rooms/spring")).status_code == 200, "open before the first request"


async def test_the_rooms_file_wins_for_its_own_ids_and_what_is_not_understood_is_carried_on(machines: Creating) -> None:
    creation = Creation(1_800_000_000.0, "olga", "to be overruled")
    strange = b'{"v":1,"plan":{"id":"later","of":"a version to come"},"created":{"at":0,"actor":"o","why":"w"}}'
    store = connect(machines.store.url)
    await Register(store, Failures(), heal_s=0).restore(
        {"demo": written(plan(name="Overruled"), creation), "later": strange}
    )
    with capture_logs() as logs:
        one, _ = await machines.start(keep=False)
        assert (await one.get("/v1/rooms/demo")).json()["name"] == "Demo"
        assert (await machines.report(one, "demo"))["created"] is None
        assert (await one.get("/v1/rooms/later")).status_code == 404
    assert "room_not_opened" in {entry["event"] for entry in logs}
    await store.flushall()
    await until(lambda: is_registered(machines, "later"))
    await store.aclose()


async def test_edges_that_know_different_plans_of_one_room_say_so(machines: Creating) -> None:
    one, _ = await machines.start(keep=False)
    await machines.created(one)
    store = connect(machines.store.url)
    other = written(plan(id="spring", name="Another"), Creation(0, "olga", "from another country"))
    with capture_logs() as logs:
        await store.hset("vestibule:rooms", mapping={"spring": other, "_version": "9999999999999999"})

        async def told() -> bool:
            return "room_plans_differ" in {entry["event"] for entry in logs}

        await until(told)
    await store.aclose()
    assert (await one.get("/v1/rooms/spring")).json()["name"] == "Spring boosters", "until it starts again"


async def registered(machines: Creating) -> set[str]:
    store = connect(machines.store.url)
    try:
        _, entries = await Register(store, Failures(), heal_s=0).entries()
    finally:
        await store.aclose()
    return set(entries)


async def is_registered(machines: Creating, room: str) -> bool:
    return room in await registered(machines)


async def ready(edge: httpx.AsyncClient) -> bool:
    return (await edge.get("/readyz")).status_code == 200


async def takes_people(edge: httpx.AsyncClient) -> bool:
    answer = await edge.post("/v1/rooms/spring/tickets", headers={"Cookie": ""})
    assert answer.status_code in {201, 404, 503}, answer.text
    return answer.status_code == 201


async def place(edge: httpx.AsyncClient) -> int:
    answer = await edge.post("/v1/rooms/spring/tickets", headers={"Cookie": ""})
    assert answer.status_code == 201, answer.text
    given: int = answer.json()["place"]
    return given
