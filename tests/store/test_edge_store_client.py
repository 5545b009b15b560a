"""The client of the line's store keeps connections, and none that is dead."""

import asyncio
from contextlib import aclosing

from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.line.store import connect


async def test_connections_that_the_store_has_closed_cost_nobody_an_answer(
    valkey: Redis, valkey_server: Valkey
) -> None:
    async with aclosing(connect(valkey_server.url)) as client:

        async def ask_at_once() -> list[object]:
            return await asyncio.gather(*(client.get("nothing") for _ in range(8)))

        await ask_at_once()
        assert await valkey.client_kill_filter(_type="normal", skipme=True) >= 8
        assert await ask_at_once() == [None] * 8
