"""What operators change beyond the rate, over HTTP: schedule, discipline, lanes, states, bypass, passes, a new line."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.guard.passes import Passes
from edge.line.lottery import commitment
from tests.edge_processes import until
from tests.edge_world import TICKET_KEYS, Issuer, client, config, plan
from tests.serving import Serve

LANES = [{"lane": "general"}, {"lane": "letters", "access": "pass", "weight": 2.0, "floor_per_s": 5.0}]
ROOM = plan(lanes=LANES)
LATER = "2100-03-01T09:00:00Z"
BEFORE_THAT = "2099-03-01T09:00:00+02:00"
BATCH = "K7Q2M9XD"
SPRING = {"id": "spring", "name": "Spring", "rate_per_s": 4, "enter_url": "https://a.example"}


class Operator:
    """Somebody with the role, at one of two edges."""

    def __init__(self, edge: httpx.AsyncClient, other: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.edge = edge
        self.other = other
        self.headers = headers

    async def change(self, room: str = "demo", **changes: object) -> httpx.Response:
        body = {"reason": "a test"} | changes
        return await self.edge.patch(f"/v1/ops/rooms/{room}", json=body, headers=self.headers)

    async def act(self, act: str, *, room: str = "demo", **members: object) -> httpx.Response:
        body = {"reason": "a test"} | members
        return await self.edge.post(f"/v1/ops/rooms/{room}:{act}", json=body, headers=self.headers)

    async def log(self, room: str = "demo") -> list[dict[str, Any]]:
        answer = await self.edge.get(f"/v1/ops/rooms/{room}/log", headers=self.headers)
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    async def join(self, **body: object) -> httpx.Response:
        return await self.edge.post("/v1/rooms/demo/tickets", json=body or None, headers={"Cookie": ""})


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
async def operator(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer) -> AsyncIterator[Operator]:
    rooms = (ROOM, plan(id="later", opens_at=LATER, prequeue_at="2020-01-01T00:00:00Z"))
    settings = config(valkey_server.url, *rooms, issuers=(issuer.trusted,))
    async with client(await serve(create_app(settings))) as one, client(await serve(create_app(settings))) as two:
        yield Operator(one, two, issuer.operator())


async def test_a_schedule_is_set_and_taken_away_by_parts(operator: Operator) -> None:
    given = {"prequeue_at": BEFORE_THAT, "opens_at": LATER, "closes_at": "2100-03-02T09:00:00Z"}
    report = (await operator.change(schedule=given)).json()
    assert (report["state"], report["phase"]) == ("open", "scheduled")
    assert report["prequeue_at"] == "2099-03-01T07:00:00.000Z"
    assert (await operator.join()).json()["code"] == "not_open_yet"
    report = (await operator.change(schedule={"prequeue_at": "2020-01-01T00:00:00Z"})).json()
    assert (report["phase"], report["opens_at"]) == ("prequeue", "2100-03-01T09:00:00.000Z")
    assert (await operator.join()).status_code == 201
    opened = (await operator.change(schedule=dict.fromkeys(given))).json()
    assert [opened[name] for name in ("phase", *given)] == ["open", None, None, None]
    rows = await operator.log()
    assert rows[0]["before"] == {
        "prequeue_at": "2020-01-01T00:00:00.000Z",
        "opens_at": "2100-03-01T09:00:00.000Z",
        "closes_at": "2100-03-02T09:00:00.000Z",
    }
    assert rows[0]["after"] == dict.fromkeys(given)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"schedule": {"prequeue_at": LATER}}, "$.schedule"),
        ({"schedule": {"opens_at": LATER, "closes_at": BEFORE_THAT}}, "$.schedule"),
        ({"schedule": {"opens_at": "0001-01-01T00:00:00Z"}}, "$.schedule"),
        ({"schedule": {"opens_at": "9999-12-31T23:59:59-14:00"}}, "$.schedule"),
        ({"schedule": {"opens_at": "2100-03-01T09:00:00"}}, "$.schedule.opens_at"),
        ({"schedule": {"when": LATER}}, "$.schedule"),
        ({"lanes": {"nobody": {"weight": 1}}}, "$.lanes.nobody"),
        ({"lanes": {"letters": {"weight": 0}}}, "$.lanes"),
        ({"lanes": {"letters": {"weight": 1e-308}}}, "$.lanes"),
        ({"lanes": {"general": {"floor_per_s": 45.1}}}, "$.lanes"),
        ({"lanes": {"general": {"opens_at": "0001-01-01T00:00:00Z"}}}, "$.lanes.general.opens_at"),
        ({"rate_per_s": 4.9}, "$.rate_per_s"),
        ({"rate_per_s": 6, "lanes": {"general": {"floor_per_s": 2}}}, "$.rate_per_s"),
        ({"discipline": "raffle"}, "$.discipline"),
    ],
)
async def test_what_cannot_be_changes_nothing_and_says_where(
    operator: Operator, change: dict[str, Any], path: str
) -> None:
    refused = await operator.change(**change)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert f"`{path}" in refused.json()["detail"]
    assert await operator.log() == []


async def test_lanes_get_other_weights_floors_and_openings(operator: Operator) -> None:
    changes = {"letters": {"weight": 1, "floor_per_s": 0, "opens_at": LATER}, "general": {"floor_per_s": 50}}
    report = (await operator.change(lanes=changes)).json()
    general, letters = report["lanes"]
    assert (general["floor_per_s"], general["weight"], general["phase"]) == (50, 1, "open")
    assert (letters["weight"], letters["floor_per_s"], letters["opens_at"]) == (1, 0, "2100-03-01T09:00:00.000Z")
    assert letters["phase"] == "scheduled"
    [row] = await operator.log()
    assert row["before"] == {
        "lanes.letters.weight": 2.0,
        "lanes.letters.floor_per_s": 5.0,
        "lanes.letters.opens_at": None,
        "lanes.general.floor_per_s": 0.0,
    }
    assert row["after"]["lanes.letters.opens_at"] == "2100-03-01T09:00:00.000Z"


async def test_the_slowest_lane_that_there_can_be_is_told_a_wait(operator: Operator) -> None:
    slowest = {"letters": {"weight": 1000, "floor_per_s": 0}, "general": {"weight": 0.001}}
    assert (await operator.change(rate_per_s=0.01, burst=1, lanes=slowest)).status_code == 200
    waits = [(await operator.join()).json()["wait"] for _ in range(3)]
    assert waits[-1]["p90_s"] > 10_000_000


async def test_a_room_becomes_a_lottery_until_somebody_stands_in_line(operator: Operator) -> None:
    lottery = (await operator.change("later", discipline="lottery")).json()
    assert lottery["discipline"] == "lottery"
    status = (await operator.edge.get("/v1/rooms/later")).json()
    assert status["lottery"] == {"commitment": lottery["lottery_commitment"], "seed": None, "entries": None}
    [row] = await operator.log("later")
    assert row["after"] == {"discipline": "lottery", "lottery_commitment": lottery["lottery_commitment"]}
    assert (await operator.change("later", discipline="fifo")).status_code == 200
    again = (await operator.change("later", discipline="lottery")).json()
    assert again["lottery_commitment"] == lottery["lottery_commitment"], "what was committed to stays"
    joined = await operator.edge.post("/v1/rooms/later/tickets", headers={"Cookie": ""})
    assert joined.json()["entry"] == 1
    refused = await operator.change("later", discipline="fifo")
    assert (refused.status_code, refused.json()["code"]) == (409, "line_begun")
    assert (await operator.change("later", discipline="lottery")).status_code == 200, "it is one already"


async def test_a_room_without_an_opening_becomes_a_lottery_together_with_one(operator: Operator) -> None:
    lottery = await operator.change(discipline="lottery", schedule={"opens_at": LATER})
    assert (lottery.status_code, lottery.json()["phase"]) == (200, "scheduled")
    opened = await operator.change(discipline="fifo", schedule={"opens_at": None})
    assert (opened.status_code, opened.json()["phase"]) == (200, "open")
    passed = await operator.change("later", discipline="lottery", schedule={"opens_at": "2020-01-01T00:00:00Z"})
    assert passed.json()["code"] == "lottery_drawn", "nobody could enter any more"


async def test_after_the_opening_the_discipline_stays(operator: Operator) -> None:
    refused = await operator.change(discipline="lottery")
    assert (refused.status_code, refused.json()["code"]) == (409, "lottery_drawn")
    assert (await operator.edge.get("/v1/rooms/demo")).json()["discipline"] == "fifo"


async def test_the_seed_of_a_lottery_is_not_told_before_the_opening(operator: Operator, valkey: Redis) -> None:
    answer = await operator.change("later", discipline="lottery")
    seed = (await valkey.hget("vestibule:{later}:room", "seed")).decode()  # type: ignore[union-attr]  # of either kind in its stubs
    assert commitment(bytes.fromhex(seed)) == answer.json()["lottery_commitment"]
    log = await operator.edge.get("/v1/ops/rooms/later/log", headers=operator.headers)
    assert seed not in answer.text + log.text


async def test_a_room_drains_closes_and_opens_again(operator: Operator) -> None:
    held = {"Authorization": f"Ticket {(await operator.join()).json()['ticket']}", "Cookie": ""}
    assert (await operator.act("drain")).json()["phase"] == "draining"
    assert (await operator.join()).json()["code"] == "room_draining"
    assert (await operator.act("close")).json()["phase"] == "closed"
    assert (await operator.join()).json()["code"] == "room_closed"
    assert (await operator.act("open")).json()["phase"] == "open"
    assert (await operator.edge.get("/v1/rooms/demo/tickets/me", headers=held)).status_code == 200
    assert (await operator.join()).status_code == 201
    scheduled = await operator.change(schedule={"opens_at": LATER})
    assert scheduled.json()["phase"] == "scheduled"
    assert (await operator.act("open")).json()["phase"] == "scheduled", "a schedule is changed as a schedule"
    assert [row["what"] for row in await operator.log()] == [
        "room_opened",
        "room_changed",
        "room_opened",
        "room_closed",
        "room_draining",
    ]


@pytest.mark.parametrize(("act", "code"), [("drain", "room_draining"), ("close", "room_closed")])
async def test_a_pause_or_its_end_lets_nobody_into_a_line_that_takes_nobody_in(
    operator: Operator, act: str, code: str
) -> None:
    await operator.act("pause")
    ended = (await operator.act(act)).json()
    for wrong in ("pause", "resume"):
        refused = await operator.act(wrong)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert (await operator.join()).json()["code"] == code
    report = (await operator.edge.get("/v1/ops/rooms/demo", headers=operator.headers)).json()
    assert report["version"] == ended["version"], "nothing was changed"
    assert (await operator.act("open")).status_code == 200
    assert (await operator.act("resume")).json()["state"] == "open", "it is already"


@pytest.mark.parametrize("reason", [" ", "\u00a0\n", "two\nlines", "\u001b[2Jgone", "a\u0000b", "c\u2028d", "\u009b1m"])
async def test_a_reason_is_words_on_one_line(operator: Operator, reason: str) -> None:
    bodies = [
        await operator.change(rate_per_s=5, reason=reason),
        await operator.act("pause", reason=reason),
        await operator.act("reset", confirm="demo", reason=reason),
        await operator.edge.post("/v1/ops/rooms", json=SPRING | {"reason": reason}, headers=operator.headers),
    ]
    for refused in bodies:
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
        assert "`$.reason`" in refused.json()["detail"]
    assert await operator.log() == []
    words = "\u202fune clinique ferm\u00e9e\u00a0: \u0628\u0631\u062f "
    assert (await operator.change(rate_per_s=5, reason=words)).json()["reason"] == words.strip()


async def test_a_new_line_makes_every_ticket_stale_and_keeps_the_settings(operator: Operator) -> None:
    await operator.change(rate_per_s=7.5, burst=3)
    held = {"Authorization": f"Ticket {(await operator.join()).json()['ticket']}", "Cookie": ""}
    for wrong in ("", "Demo", "other"):
        refused = await operator.act("reset", confirm=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "not_confirmed")
    assert (await operator.edge.get("/v1/rooms/demo/tickets/me", headers=held)).status_code == 200
    report = (await operator.act("reset", confirm="demo", reason="the wrong room")).json()
    assert (report["epoch"], report["joined"], report["reason"]) == (2, 0, "the wrong room")
    assert (report["rate_per_s"], report["burst"]) == (7.5, 3)
    for edge in (operator.edge, operator.other):
        await until_stale(edge, held)
    assert (await operator.join()).json()["place"] == 1
    row = (await operator.log())[0]
    assert (row["what"], row["why"], row["before"]["epoch"], row["after"]["epoch"]) == (
        "room_reset",
        "the wrong room",
        1,
        2,
    )
    assert abs(row["version"] / 1e6 - seconds(report["as_of"])) < 1, "under the moment at which it was done"


async def test_two_who_reset_at_once_are_both_in_the_log(operator: Operator) -> None:
    one, two = await asyncio.gather(
        operator.act("reset", confirm="demo", reason="one"), operator.act("reset", confirm="demo", reason="two")
    )
    assert {one.status_code, two.status_code} == {200}
    rows = await operator.log()
    assert sorted(row["why"] for row in rows) == ["one", "two"]
    assert [row["after"]["epoch"] for row in rows] == [3, 2]


async def test_a_bypass_has_a_bucket_of_its_own(operator: Operator) -> None:
    on = (await operator.act("bypass", rate_per_s=100, burst=20)).json()["bypass"]
    assert on == {"rate_per_s": 100, "burst": 20, "tokens_issued": 0}
    letter = Passes(TICKET_KEYS).issue("demo", "letters", BATCH, 1)
    joined = (await operator.join(**{"pass": letter})).json()
    assert joined["state"] == "called"
    held = {"Authorization": f"Ticket {joined['ticket']}", "Cookie": ""}

    async def admitted() -> bool:
        return (await operator.edge.post("/v1/rooms/demo/admissions", headers=held)).status_code == 201

    await until(admitted)
    off = (await operator.act("bypass", rate_per_s=0)).json()["bypass"]
    assert off == {"rate_per_s": 0, "burst": 20, "tokens_issued": 1}
    assert (await operator.act("bypass", off=True)).json()["bypass"]["rate_per_s"] == 0
    assert [row["what"] for row in await operator.log()] == ["bypass_off", "bypass_off", "bypass_on"]


async def test_a_room_without_a_lane_for_passes_has_no_bypass(operator: Operator) -> None:
    refused = await operator.act("bypass", room="later", rate_per_s=5)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_bypass_lane")


@pytest.mark.parametrize(
    "wrong", [{}, {"off": True, "rate_per_s": 5}, {"rate_per_s": -1}, {"rate_per_s": 5, "burst": 0}]
)
async def test_a_bypass_that_makes_no_sense_is_refused(operator: Operator, wrong: dict[str, Any]) -> None:
    refused = await operator.act("bypass", **wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")


async def test_revoked_passes_give_no_place_on_any_edge_until_they_are_made_good_again(operator: Operator) -> None:
    async def code(edge: httpx.AsyncClient, number: int) -> object:
        letter = Passes(TICKET_KEYS).issue("demo", "letters", BATCH, number)
        answer = await edge.post("/v1/rooms/demo/tickets", json={"pass": letter}, headers={"Cookie": ""})
        return answer.json().get("code")

    report = (await operator.act("revoke-passes", batch="k7q2-m9xd", numbers=list(range(4, 500)))).json()
    assert report["revoked_passes"] == 496
    assert await code(operator.edge, 4) == "pass_revoked", "in force when it answers"
    numbers = iter(range(5, 500))

    async def revoked() -> bool:
        return await code(operator.other, next(numbers)) == "pass_revoked"

    await until(revoked, timeout_s=1)
    assert await code(operator.edge, 600) is None
    assert (await operator.act("revoke-passes", batch=BATCH)).json()["revoked_passes"] == 1
    assert await code(operator.edge, 601) == "pass_revoked"
    assert (await operator.act("revoke-passes", batch=BATCH, undo=True)).json()["revoked_passes"] == 0
    assert await code(operator.edge, 601) is None
    rows = await operator.log()
    assert [row["what"] for row in rows] == ["passes_restored", "passes_revoked", "passes_revoked"]
    assert rows[1]["after"] == {"revoked_passes": 1, "batch": BATCH, "numbers": None}


async def test_only_so_many_passes_can_be_revoked(operator: Operator) -> None:
    assert (await operator.act("revoke-passes", batch=BATCH, numbers=list(range(1, 2_501)))).status_code == 200
    refused = await operator.act("revoke-passes", batch=BATCH, numbers=list(range(2_501, 4_002)))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert "at most 4000" in refused.json()["detail"]


async def test_passes_revoked_on_two_edges_at_once_are_both_revoked(operator: Operator) -> None:
    async def revoke(edge: httpx.AsyncClient, number: int) -> int:
        body = {"batch": BATCH, "numbers": [number], "reason": "a leak"}
        answer = await edge.post("/v1/ops/rooms/demo:revoke-passes", json=body, headers=operator.headers)
        return answer.status_code

    edges = [operator.edge, operator.other]
    assert set(await asyncio.gather(*(revoke(edges[number % 2], number) for number in range(1, 5)))) == {200}
    report = (await operator.edge.get("/v1/ops/rooms/demo", headers=operator.headers)).json()
    assert report["revoked_passes"] == 4


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"batch": "hello"}, "$.batch"),
        ({"batch": BATCH, "numbers": []}, "$.numbers"),
        ({"batch": BATCH, "numbers": [0]}, "$.numbers"),
        ({"batch": BATCH, "numbers": [4], "undo": True}, "$.numbers"),
    ],
)
async def test_revocations_that_cannot_be_are_refused(operator: Operator, wrong: dict[str, Any], path: str) -> None:
    refused = await operator.act("revoke-passes", **wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_body")
    assert f"`{path}" in refused.json()["detail"]


async def test_a_change_that_was_thought_of_for_other_settings_is_thought_out_anew(operator: Operator) -> None:
    floors = [operator.change(lanes={"general": {"floor_per_s": 30}}), operator.change(rate_per_s=10)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*floors))
    assert codes == [200, 422], "each alone is fine, both are not"


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def until_stale(edge: httpx.AsyncClient, held: dict[str, str]) -> None:
    async def stale() -> bool:
        answer = await edge.get("/v1/rooms/demo/tickets/me", headers=held)
        return bool(answer.json().get("code") == "ticket_stale")

    await until(stale, timeout_s=1)
