"""One pass brought to two edges at once; the control shows that the race is real without the script."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import cast

import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.guard.once import Spent
from edge.guard.pass_guard import KEEP_S, PassGuard
from edge.guard.passes import Pass, Passes
from edge.guard.revoked import Revoked
from edge.line.store import connect
from shared.problem import Problem
from shared.token import token_id
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import TICKET_KEYS, Failures
from tests.race.check_then_spend import CheckThenSpend
from tests.race.meeting import Meeting

pytestmark = ON_SINGLE_AND_CLUSTER

AT_ONCE = 20
BATCH = "K7Q2M9XD"
KEY = f"vestibule:{{demo}}:passes:1:{BATCH}"


class Edges:
    """The guards of two edges, each with its own connection to the store."""

    def __init__(self, clients: list[Redis], spent: type[Spent] = Spent) -> None:
        self.passes = Passes(TICKET_KEYS)
        self.outcomes: Counter[str] = Counter()
        self.guards = [
            PassGuard(
                "demo",
                ["health"],
                Passes(TICKET_KEYS),
                spent(client, "demo", "passes", Failures(), keep_s=KEEP_S),
                lambda outcome: self.outcomes.update([outcome]),
            )
            for client in clients
        ]

    def letter(self, n: int) -> str:
        return self.passes.issue("demo", "health", BATCH, n)

    async def race(self, *numbers: int) -> list[Pass]:
        """Bring each letter to each edge many times at once; return the passes that gave a place."""
        attempts = [
            guard.admit(self.letter(n), Revoked(), 1) for _ in range(AT_ONCE) for n in numbers for guard in self.guards
        ]
        answers = await asyncio.gather(*attempts, return_exceptions=True)
        assert {answer.kind.code for answer in answers if isinstance(answer, Problem)} <= {"pass_used"}
        assert all(isinstance(answer, Problem | Pass) for answer in answers)
        return [answer for answer in answers if isinstance(answer, Pass)]


@pytest.fixture
async def clients(valkey: Redis, valkey_server: Valkey) -> AsyncIterator[list[Redis]]:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(aclosing(connect(valkey_server.url))) for _ in range(2)]
        await asyncio.gather(*(client.exists(KEY) for _ in range(AT_ONCE) for client in clients))  # connect
        yield [cast("Redis", client) for client in clients]


async def test_one_pass_brought_to_two_edges_at_once_gives_one_place(clients: list[Redis]) -> None:
    edges = Edges(clients)
    places = await edges.race(17, 18, 1_000_000)
    assert sorted(found.n for found in places) == [17, 18, 1_000_000]
    assert edges.outcomes == {"accepted": 3, "used": 3 * (2 * AT_ONCE - 1)}


async def test_the_race_is_real_without_the_script(clients: list[Redis]) -> None:
    class CheckThenAct(CheckThenSpend):
        meeting = Meeting()

    assert len(await Edges(clients, CheckThenAct).race(17)) > 1


async def test_places_of_one_pass_lead_to_one_admission_also_when_the_store_has_lost_everything(
    valkey: Redis, clients: list[Redis]
) -> None:
    edges = Edges(clients)
    before = await edges.race(17)
    await valkey.flushall()
    after = await edges.race(17)
    assert (len(before), len(after)) == (1, 1), "a second place is the price of a store that forgets"
    assert len({token_id(found.ticket_id) for found in before + after}) == 1


async def test_used_passes_are_kept_for_ninety_days_and_take_a_bit_each(valkey: Redis, clients: list[Redis]) -> None:
    await Edges(clients).race(*range(1, 8))
    assert await valkey.ttl(KEY) > 89 * 24 * 3600
    assert await valkey.strlen(KEY) == 1


async def test_a_pass_that_is_given_back_is_good_once_more(valkey: Redis, clients: list[Redis]) -> None:
    edges = Edges(clients)
    [found] = await edges.race(17)
    await edges.guards[1].give_back(found, 1)
    assert await valkey.ttl(KEY) > 0
    assert len(await edges.race(17)) == 1


async def test_giving_back_to_a_store_that_forgot_leaves_nothing_behind(valkey: Redis, clients: list[Redis]) -> None:
    edges = Edges(clients)
    [found] = await edges.race(17)
    await valkey.flushall()
    await edges.guards[0].give_back(found, 1)
    assert await valkey.exists(KEY) == 0
