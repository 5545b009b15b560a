"""A store that keeps nothing on disk is killed in the middle of a crowd: the line goes on where it was."""

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from deploy.cluster import ValkeyCluster
from deploy.stores import Valkey, free_port
from edge.app import create_app
from edge.line.line import ClaimOutcome, Line, _Reply
from edge.line.room import Known, Picture, RoomPlan, Setting, Spot
from edge.line.scripts import Script
from shared.token import AdmissionTokens
from tests.edge_processes import until
from tests.edge_world import ADMISSION_KEYS, Issuer, client, config, plan
from tests.serving import Serve, serving

VISITORS = 300
ARRIVING_S = 4.0
RATE, BURST = 60.0, 10
# What the rooms file says is twice as much as the operator then allows: should that be forgotten, the meter shows it.
ROOM = plan(rate_per_s=2 * RATE, burst=5 * BURST, limits={"joins": None, "acts": None, "waits": None})

Store = Valkey | ValkeyCluster

# redis-py's client of a cluster leaves a connection to the collector, now and then, when a node is killed.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=["single", "cluster"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of our own, to be killed."""
    server = ValkeyCluster(tmp_path / "store") if request.param == "cluster" else Valkey(tmp_path / "one", free_port())
    server.start()
    yield server
    server.stop()
    gc.collect()  # here, where it is no fault; see above


class Forgetful(Line):
    """A line that does not carry what it has seen: the store alone knows how far places and calls have come."""

    async def _run(
        self, script: Script, arguments: Sequence[Setting], now_us: int | None, known: Known | None = None
    ) -> _Reply:
        self._joined, self._called = [0], [0]
        return await super()._run(script, arguments, now_us, known)


def metered(issued: list[tuple[int, int]]) -> type[Line]:
    """A line that notes how many tokens were issued when, in µs on the store's clock."""

    class Metered(Line):
        async def claim(self, spots: Sequence[Spot], now_us: int | None = None) -> tuple[list[ClaimOutcome], Picture]:
            outcomes, picture = await super().claim(spots, now_us)
            issued.append((picture.at_us, outcomes.count("admitted")))
            return outcomes, picture

    return Metered


@dataclass
class Person:
    """What one visitor was told."""

    ticket: str = ""
    places: set[int] = field(default_factory=set)
    ahead: list[tuple[str, int]] = field(default_factory=list)  # with the moment that the answer is of
    token_id: str = ""
    put_off: int = 0


class Crowd:
    """Visitors who keep to the contract: they join, ask at either edge in turn, go through when called."""

    def __init__(self, edges: Sequence[httpx.AsyncClient]) -> None:
        self.edges = edges
        self.people = [Person() for _ in range(VISITORS)]
        self.third_has_joined = asyncio.Event()

    async def live(self) -> None:
        await asyncio.gather(*(self._visit(number, person) for number, person in enumerate(self.people)))

    async def _visit(self, number: int, person: Person) -> None:
        await asyncio.sleep(ARRIVING_S * number / VISITORS)
        turns = itertools.cycle(self.edges if number % 2 else self.edges[::-1])
        joined = await self._ask(person, turns, "POST", "")
        person.ticket = str(joined["ticket"])
        self._see(person, joined)
        if sum(bool(each.ticket) for each in self.people) >= VISITORS // 3:
            self.third_has_joined.set()
        while not person.token_id:
            standing = await self._ask(person, turns, "GET", "/me")
            self._see(person, standing)
            if standing["state"] == "waiting":
                await asyncio.sleep(0.7)
            else:
                await self._claim(person, next(turns))

    async def _claim(self, person: Person, edge: httpx.AsyncClient) -> None:
        headers = {"Authorization": f"Ticket {person.ticket}", "Cookie": ""}
        response = await edge.post("/v1/rooms/demo/admissions", headers=headers)
        if response.status_code == 201:
            token = response.json()["token"]
            admitted = AdmissionTokens(ADMISSION_KEYS).verify(token, rooms={"demo"}, now=0, leeway_s=2e9)
            person.token_id = admitted.id
            return
        assert response.status_code in {429, 503}, response.text
        person.put_off += response.status_code == 503
        await asyncio.sleep(0.3)

    async def _ask(
        self, person: Person, turns: Iterator[httpx.AsyncClient], method: str, path: str
    ) -> dict[str, object]:
        headers = {"Authorization": f"Ticket {person.ticket}"} if person.ticket else {}
        while True:
            response = await next(turns).request(
                method, f"/v1/rooms/demo/tickets{path}", headers={**headers, "Cookie": ""}
            )
            if response.status_code in {200, 201}:
                answer: dict[str, object] = response.json()
                return answer
            assert response.status_code == 503, response.text
            assert int(response.headers["retry-after"]) >= 1
            person.put_off += 1
            await asyncio.sleep(0.3)

    def _see(self, person: Person, answer: dict[str, object]) -> None:
        assert isinstance(answer["place"], int)
        assert isinstance(answer["ahead"], int)
        person.places.add(answer["place"])
        person.ahead.append((str(answer["as_of"]), answer["ahead"]))


async def test_a_store_killed_in_the_middle_of_a_crowd_costs_no_place_and_no_token_too_many(
    store: Store, serve: Serve, tmp_path: Path
) -> None:
    issued: list[tuple[int, int]] = []
    issuer = Issuer(tmp_path)
    settings = config(store.url, ROOM, issuers=(issuer.trusted,), heal_s=1.0)
    bases = [await serve(create_app(settings, line=metered(issued))) for _ in range(2)]
    async with client(bases[0]) as one, client(bases[1]) as two:
        wished = {"rate_per_s": RATE, "burst": BURST, "reason": "as many as can be vaccinated"}
        assert (await one.patch("/v1/ops/rooms/demo", json=wished, headers=issuer.operator())).status_code == 200
        crowd = Crowd((one, two))
        visit = asyncio.create_task(crowd.live())
        await crowd.third_has_joined.wait()
        store.kill()
        await asyncio.sleep(0.3)  # the outage
        await asyncio.to_thread(store.start)
        await visit
        report = (await two.get("/v1/ops/rooms/demo", headers=issuer.operator())).json()
    people = crowd.people
    places = [place for person in people for place in person.places]
    assert len(places) == VISITORS, "somebody was moved to another place"
    assert len(set(places)) == VISITORS, "two people share a place"
    for person in people:
        # Two edges, two pictures: an answer counts for its moment; those of one millisecond have no order.
        ahead = [ahead for _, ahead in sorted(person.ahead, key=lambda told: (told[0], -told[1]))]
        assert ahead == sorted(ahead, reverse=True), "somebody was sent back"
    assert len({person.token_id for person in people}) == VISITORS
    assert sum(tokens for _, tokens in issued) >= VISITORS
    assert excess(issued) <= 0, "more tokens than the meter allows"
    assert (report["rate_per_s"], report["burst"]) == (RATE, BURST)
    assert sum(person.put_off for person in people) > 0, "nobody noticed the outage: it proves nothing"


def excess(issued: Sequence[tuple[int, int]]) -> float:
    """The most tokens beyond rate · time + burst, over every interval that begins and ends with a token."""
    issued = sorted(issued)  # answers to two edges may overtake each other
    worst = float("-inf")
    for first in range(len(issued)):
        tokens = 0
        for at_us, admitted in issued[first:]:
            tokens += admitted
            if admitted:
                worst = max(worst, tokens - RATE * (at_us - issued[first][0]) / 1e6 - BURST)
    return worst - 1e-6


async def test_places_would_be_shared_if_edges_did_not_carry_what_they_have_seen(tmp_path: Path, serve: Serve) -> None:
    for line, shared in ((Line, 0), (Forgetful, 20)):
        store = Valkey(tmp_path / line.__name__, free_port())
        store.start()
        try:
            async with client(await serve(create_app(config(store.url, ROOM, heal_s=0.1), line=line))) as edge:
                before = [await place(edge) for _ in range(20)]
                store.kill()
                store.start()
                after = [await place(edge) for _ in range(20)]
        finally:
            store.stop()
        assert len(set(before) & set(after)) == shared


async def place(edge: httpx.AsyncClient) -> int:
    response = await edge.post("/v1/rooms/demo/tickets", headers={"Cookie": ""})
    assert response.status_code == 201, "held until the store was back"
    given: int = response.json()["place"]
    return given


async def test_who_joins_while_the_store_is_away_is_held_and_then_told_to_come_back(
    tmp_path: Path, serve: Serve
) -> None:
    store = Valkey(tmp_path / "store", free_port())
    store.start()
    settings = replace(config(store.url, ROOM, heal_s=0.1), join_hold_s=0.5, join_hold_most=3)
    async with client(await serve(create_app(settings))) as edge:
        assert await place(edge) == 1
        store.kill()
        now = asyncio.get_running_loop().time
        began = now()
        held = [asyncio.create_task(edge.post("/v1/rooms/demo/tickets", headers={"Cookie": ""})) for _ in range(12)]
        for response in await asyncio.gather(*held):
            assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
            assert int(response.headers["retry-after"]) >= 1
        assert 0.5 <= now() - began < 3


@pytest.fixture
async def machine_room(tmp_path: Path) -> AsyncIterator["MachineRoom"]:
    room = MachineRoom(tmp_path)
    room.store.start()
    yield room
    await room.edges.aclose()
    room.store.stop()


class MachineRoom:
    """A store and two edges that can all lose their power at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Valkey(folder / "store", free_port())
        self.issuer = Issuer(folder)
        self.edges = AsyncExitStack()

    async def start(self, room: RoomPlan, *, keeps: bool = True) -> list[httpx.AsyncClient]:
        base = config(self.store.url, room, issuers=(self.issuer.trusted,), heal_s=0.2)
        clients = []
        for number in range(2):
            folder = self.folder / f"edge{number}" if keeps else None
            address = await self.edges.enter_async_context(serving(create_app(replace(base, state_dir=folder))))
            clients.append(await self.edges.enter_async_context(client(address)))
        return clients

    async def lose_power(self) -> None:
        self.store.kill()
        await self.edges.aclose()
        self.edges = AsyncExitStack()
        self.store.start()

    async def report(self, edge: httpx.AsyncClient) -> dict[str, object]:
        answer: dict[str, object] = (await edge.get("/v1/ops/rooms/demo", headers=self.issuer.operator())).json()
        return answer


async def test_what_an_operator_set_is_back_when_every_edge_and_the_store_restart_together(
    machine_room: MachineRoom,
) -> None:
    one, two = await machine_room.start(ROOM)
    operator = machine_room.issuer.operator()
    for _ in range(5):
        await place(two)
    await one.patch("/v1/ops/rooms/demo", json={"rate_per_s": 7.5, "burst": 3, "reason": "snow"}, headers=operator)
    await one.post("/v1/ops/rooms/demo:pause", json={"reason": "snow"}, headers=operator)
    await machine_room.lose_power()
    _, two = await machine_room.start(ROOM)
    report = await machine_room.report(two)
    assert [report[name] for name in ("rate_per_s", "burst", "state", "reason")] == [7.5, 3, "paused", "snow"]
    assert await place(two) > 5, "a place that somebody may still hold was given out again"


async def test_where_nobody_has_set_anything_a_changed_rooms_file_is_what_counts(machine_room: MachineRoom) -> None:
    await machine_room.start(ROOM)
    await machine_room.lose_power()
    one, _ = await machine_room.start(ROOM.model_copy(update={"rate_per_s": 3.5}))
    assert (await machine_room.report(one))["rate_per_s"] == 3.5


async def test_without_a_folder_the_rooms_file_is_all_that_is_left(machine_room: MachineRoom) -> None:
    one, _ = await machine_room.start(ROOM, keeps=False)
    await one.post("/v1/ops/rooms/demo:pause", json={"reason": "snow"}, headers=machine_room.issuer.operator())
    await machine_room.lose_power()
    one, _ = await machine_room.start(ROOM, keeps=False)
    assert (await machine_room.report(one))["state"] == "open"


async def test_a_higher_epoch_revokes_every_ticket_also_when_the_store_is_lost(machine_room: MachineRoom) -> None:
    one, two = await machine_room.start(ROOM)
    joined = (await one.post("/v1/rooms/demo/tickets", headers={"Cookie": ""})).json()
    again = ROOM.model_copy(update={"epoch": 2})
    base = config(machine_room.store.url, again, heal_s=0.2)
    async with serving(create_app(base)) as address, client(address) as new:
        headers = {"Authorization": f"Ticket {joined['ticket']}", "Cookie": ""}
        for edge in (new, one, two):
            await until(lambda edge=edge: refused_as_stale(edge, headers))  # type: ignore[misc]  # bound as a default
        machine_room.store.kill()
        machine_room.store.start()
        for edge in (one, two, new, one):  # an edge whose rooms file is older does not bring the old line back
            await until(lambda edge=edge: refused_as_stale(edge, headers))  # type: ignore[misc]  # bound as a default
        assert (await one.post("/v1/rooms/demo/tickets", headers={"Cookie": ""})).status_code == 201


async def refused_as_stale(edge: httpx.AsyncClient, headers: dict[str, str]) -> bool:
    response = await edge.get("/v1/rooms/demo/tickets/me", headers=headers)
    return response.status_code == 401 and response.json()["code"] == "ticket_stale"
