"""The register of created rooms on a real store: one of an id, not too many, and what an edge knows is put back."""

import asyncio

import pytest
from redis.asyncio import Redis

from edge.register import MOST_ROOMS, Register
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import Failures

pytestmark = ON_SINGLE_AND_CLUSTER

START_US = 1_800_000_000_000_000
HEAL_S = 1.0
HEALED_US = START_US + 1_000_000


@pytest.fixture
def kept(valkey: Redis) -> Register:
    return Register(valkey, Failures(), heal_s=HEAL_S)


async def test_of_all_who_create_one_id_at_once_one_does(kept: Register) -> None:
    await kept.restore({}, START_US)
    wished = [b'{"by": %d}' % number for number in range(20)]
    outcomes = await asyncio.gather(*(kept.create("spring", entry, HEALED_US) for entry in wished))
    assert sorted(outcomes) == ["created", *["exists"] * 19]
    _, entries = await kept.entries()
    assert entries == {"spring": wished[outcomes.index("created")]}


async def test_every_addition_raises_the_version_and_nothing_else_does(kept: Register) -> None:
    assert await kept.version() == ""
    await kept.restore({}, START_US)
    versions = [int(await kept.version())]
    for number in range(3):  # in one µs
        assert await kept.create(f"room{number}", b"{}", HEALED_US) == "created"
        versions.append(int(await kept.version()))
    assert versions == sorted(set(versions))
    assert await kept.create("room0", b"{}", HEALED_US) == "exists"
    await kept.restore({"room1": b"another"}, HEALED_US)
    assert int(await kept.version()) == versions[-1]
    assert (await kept.entries())[1]["room1"] == b"{}", "what is there is never replaced"


async def test_a_lost_register_takes_nobody_new_until_every_edge_has_put_back_what_it_knows(kept: Register) -> None:
    assert await kept.create("spring", b"new", START_US) == "healing"
    await kept.restore({"spring": b"old"}, START_US + 300_000)
    assert await kept.create("summer", b"new", HEALED_US - 1) == "healing"
    assert await kept.create("spring", b"new", HEALED_US) == "exists"
    assert await kept.create("summer", b"new", HEALED_US) == "created"
    assert (await kept.entries())[1] == {"spring": b"old", "summer": b"new"}


async def test_there_are_never_more_rooms_than_there_may_be(kept: Register) -> None:
    await kept.restore({f"room{number}": b"{}" for number in range(MOST_ROOMS - 1)}, START_US)
    outcomes = await asyncio.gather(*(kept.create(f"new{number}", b"{}", HEALED_US) for number in range(5)))
    assert sorted(outcomes) == ["created", *["full"] * 4]
    assert len((await kept.entries())[1]) == MOST_ROOMS
