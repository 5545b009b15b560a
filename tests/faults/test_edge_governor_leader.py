"""Two edges, one governor: the one that acts is killed, or sleeps and wakes up too late."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from tests.capacity import StandIn, told
from tests.edge_processes import Edge, environment, two_edges, until
from tests.serving import Serve

EVERY_S = 0.2


@pytest.fixture
def behind() -> StandIn:
    return StandIn()


@pytest.fixture
async def edges(
    valkey: Redis, valkey_server: Valkey, serve: Serve, tmp_path: Path, behind: StandIn
) -> AsyncIterator[list[Edge]]:
    """Two edges; the first is the one that acts."""
    feed = f"{await serve(behind.app())}/v1/capacity"
    told_to = environment(tmp_path, valkey_server.url, every_s=EVERY_S, capacity_url=feed)
    async with two_edges(told_to, "governor_leads") as made:
        yield made


async def test_when_the_edge_that_acts_is_killed_another_takes_over_and_the_room_still_follows(
    edges: list[Edge], behind: StandIn
) -> None:
    acting, standing_by = edges
    assert not await standing_by.leads(), "one at a time"
    acting.kill()
    behind.says = told(frozen=True)

    async def is_frozen() -> bool:
        return await standing_by.why() == "frozen"

    await until(is_frozen)
    assert await standing_by.leads()
    behind.says = told()

    async def goes_on() -> bool:
        return await standing_by.why() is None

    await until(goes_on)


async def test_an_edge_that_ends_in_order_hands_over_at_once(edges: list[Edge]) -> None:
    acting, standing_by = edges
    acting.process.terminate()
    acting.process.wait()
    await until(standing_by.leads, timeout_s=4 * EVERY_S)


async def test_an_edge_that_slept_through_its_lease_changes_nothing_when_it_wakes_up(
    edges: list[Edge], behind: StandIn
) -> None:
    acting, standing_by = edges
    acting.process.send_signal(signal.SIGSTOP)
    try:
        await until(standing_by.leads)
        behind.says = told(frozen=True)

        async def is_frozen() -> bool:
            return await standing_by.why() == "frozen"

        await until(is_frozen)
    finally:
        acting.process.send_signal(signal.SIGCONT)

    async def knows() -> bool:
        return not await acting.leads() and await acting.why() == "frozen"

    await until(knows)
    assert await standing_by.leads()
    asked = behind.asked

    async def ten_more() -> bool:
        assert await standing_by.why() == "frozen"
        return behind.asked > asked + 10

    await until(ten_more)
    assert not await acting.leads()
