"""Heralds and their receiver, for the tests of events."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from redis.asyncio import Redis

from edge.governor.feed import connect
from tests.receiver import Receiver
from tests.serving import Serve
from tests.telling import Begin, telling


@pytest.fixture
def receiver() -> Receiver:
    """Who is told."""
    return Receiver()


@pytest.fixture
async def begin(valkey: Redis, receiver: Receiver, serve: Serve) -> AsyncIterator[Begin]:
    """Makes heralds that tell the receiver: ``begin("two", patience=…)``, see ``telling``."""
    address = f"{await serve(receiver.app())}/events"
    async with connect() as http:
        yield partial(telling, valkey, http, address)
