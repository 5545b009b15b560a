"""Two edges, one herald: the one that tells is killed in the middle, and nothing that happens goes untold."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from shared.clock import SystemClock
from tests.edge_processes import Edge, environment, two_edges, until
from tests.edge_world import line
from tests.receiver import SECRET, Receiver, check
from tests.serving import Serve

EVERY_S = 0.1


@pytest.fixture
async def edges(
    valkey: Redis, valkey_server: Valkey, serve: Serve, tmp_path: Path, receiver: Receiver
) -> AsyncIterator[list[Edge]]:
    """Two edges with a receiver; the first is the one that tells."""
    (tmp_path / "webhook").write_text(SECRET)
    told_to = environment(tmp_path, valkey_server.url, every_s=EVERY_S) | {
        "VESTIBULE_WEBHOOK_URL": f"{await serve(receiver.app())}/events",
        "VESTIBULE_WEBHOOK_SECRET_FILE": str(tmp_path / "webhook"),
    }
    async with two_edges(told_to, "herald_leads") as made:
        yield made


async def test_when_the_edge_that_tells_is_killed_another_goes_on_and_no_event_is_lost(
    edges: list[Edge], receiver: Receiver, valkey: Redis
) -> None:
    telling, standing_by = edges
    assert not await standing_by.leads(), "one at a time"
    operator = line(valkey)
    expected: list[str] = []

    async def set_to(state: Literal["open", "paused"], told: str) -> None:
        await operator.change({"state": state})
        expected.append(told)

    async def all_told() -> bool:
        return receiver.types == expected

    async def asked() -> bool:
        return receiver.asked > taken

    await set_to("paused", "paused")
    await until(all_told)
    receiver.says, taken = 503, receiver.asked
    await set_to("open", "resumed")
    await until(asked)
    telling.kill()
    await set_to("paused", "paused")
    receiver.says = 204
    await until(all_told)
    await set_to("open", "resumed")
    await until(all_told)
    assert await standing_by.leads()
    for delivery in receiver.taken:
        check(SECRET, delivery.headers, delivery.body, SystemClock().unix())


async def test_an_edge_that_ends_in_order_hands_over_at_once(edges: list[Edge]) -> None:
    telling, standing_by = edges
    telling.process.terminate()
    telling.process.wait()
    await until(standing_by.leads, timeout_s=4 * EVERY_S)
