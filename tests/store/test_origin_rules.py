"""Versions of rules: named by content, numbered, one pointer; publishing waits for bookings under way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
import pytest

from origin.db.pool import connect
from origin.db.sql import Connection
from origin.eligibility import versions
from origin.eligibility.document import InvalidDocument, parse
from origin.eligibility.versions import publish
from tests import origin_world
from tests.origin_world import START, World

DEMO = versions.DEMO.read_bytes()


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with origin_world.world(database_url) as made:
        yield made


async def test_the_same_document_is_stored_once_and_each_version_has_a_number(world: World) -> None:
    respelled = msgspec.json.format(DEMO, indent=1)
    assert await publish(world.connection, "demo", respelled, START) == 2
    assert await world.rules(title={"en": "Changed"}) == 3
    assert await world.count("ruleset") == 2
    assert await world.count("rule_version") == 3
    row = await world.connection.fetchrow(
        "SELECT f.version, r.document FROM rules_in_force f JOIN rule_version USING (programme, version)"
        " JOIN ruleset r ON r.id = ruleset"
    )
    assert row is not None
    assert (row["version"], parse(row["document"]).title) == (3, {"en": "Changed"})


async def test_what_is_no_rule_document_is_not_published(world: World) -> None:
    with pytest.raises(InvalidDocument):
        await publish(world.connection, "demo", b'{"v": 1}', START)
    assert await world.count("rule_version") == 1


async def test_two_who_publish_at_once_get_two_versions(world: World, database_url: str) -> None:
    async with AsyncExitStack() as stack:
        editors: list[Connection] = []
        for _ in range(4):
            editor = await connect(database_url)
            stack.push_async_callback(editor.close)
            editors.append(editor)
        published = await asyncio.gather(*(publish(editor, "demo", DEMO, START) for editor in editors))
    assert sorted(published) == [2, 3, 4, 5]
    assert await world.connection.fetchval("SELECT version FROM rules_in_force") in published


async def test_publishing_waits_for_a_booking_that_has_looked_at_the_rules(world: World, database_url: str) -> None:
    """E4: when it returns, no booking under the old rules can commit any more."""
    booking = await connect(database_url)
    try:
        transaction = booking.transaction()
        await transaction.start()
        await booking.fetch(
            "SELECT outcome FROM book('\\x00', 'k', '\\x00', 'demo', 1, gen_random_uuid(), 'a',"
            " gen_random_uuid(), now())"
        )
        publishing = asyncio.create_task(publish(world.connection, "demo", DEMO, START))
        async with asyncio.timeout(5):
            while True:
                if await booking.fetchval(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
                ):
                    break
                await asyncio.sleep(0.01)
        assert not publishing.done()
        await transaction.commit()
        assert await publishing == 2
    finally:
        await booking.close()
