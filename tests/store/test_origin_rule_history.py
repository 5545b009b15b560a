"""What the database itself refuses: edited history, rules by one person alone, pointers to what nobody approved."""

import subprocess
from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.migrations import dbmate, migrate, migrations_dir
from deploy.stores import Postgres
from origin.db.pool import connect
from origin.eligibility import versions
from tests import origin_world
from tests.origin_world import START, World

APPEND_ONLY = ("ruleset", "rule_version", "rule_review", "rule_move", "freeze_event")
_MOVE = (
    "INSERT INTO rule_move (pointer, act, programme, region, version, scheduled, since, actor, reason)"
    " VALUES ('active', 'activated', 'demo', $1, $2, false, now(), 'x', 'x')"
)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with origin_world.world(database_url) as made:
        yield made


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("edit", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_history_is_never_edited(world: World, table: str, edit: str) -> None:
    """E5."""
    column = "ruleset" if table == "rule_version" else "programme" if table != "ruleset" else "id"
    with pytest.raises(asyncpg.RestrictViolationError, match=f"{table} is append-only|is append-only"):
        await world.connection.execute(edit.format(table, column, column))


async def draft(world: World, region: str | None = None) -> None:
    await world.connection.execute(
        "INSERT INTO rule_version (programme, version, ruleset, created_at, region, author, reason)"
        " SELECT programme, 2, ruleset, created_at, $1, 'olga', '' FROM rule_version",
        region,
    )


async def review(world: World, reviewer: str, *, author: str = "olga", verdict: str = "approved") -> None:
    await world.connection.execute(
        "INSERT INTO rule_review VALUES ('demo', 2, $1, $2, $3, '', now())", author, reviewer, verdict
    )


async def test_one_person_cannot_publish_whatever_is_sent_to_the_database(world: World) -> None:
    """E5."""
    await draft(world)
    with pytest.raises(asyncpg.CheckViolationError, match="rule_review_takes_two"):
        await review(world, "olga")
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="rule_review_of"):  # nor by naming another author
        await review(world, "olga", author="somebody")
    with pytest.raises(asyncpg.CheckViolationError, match="rule_review_takes_two"):
        await versions.publish(
            world.connection, "demo", versions.DEMO.read_bytes(), START, author="olga", reviewer="olga"
        )


@pytest.mark.parametrize("verdict", [None, "rejected"])
async def test_only_what_was_approved_gets_a_pointer(world: World, verdict: str | None) -> None:
    """E5."""
    await draft(world)
    if verdict is not None:
        await review(world, "rosa", verdict=verdict)
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="rule_move_reviewed"):
        await world.connection.execute(_MOVE, None, 2)


async def test_a_pointer_stays_in_its_region_and_the_programme_always_has_rules(world: World) -> None:
    await draft(world, "ES-MD")
    await review(world, "rosa")
    for region in (None, "ES-CN"):
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="rule_move_scope"):
            await world.connection.execute(_MOVE, region, 2)
    with pytest.raises(asyncpg.CheckViolationError, match="rule_move_to"):
        await world.connection.execute(_MOVE, None, None)
    await world.connection.execute(_MOVE, "ES-MD", 2)
    told = "SELECT version_in_force('demo', $1)"
    assert [await world.connection.fetchval(told, region) for region in ("ES-MD", "ES-CN", None)] == [2, 1, 1]
    await world.connection.execute(_MOVE, "ES-MD", None)
    assert await world.connection.fetchval(told, "ES-MD") == 1


async def test_the_migration_keeps_what_was_in_force_there_and_back(postgres_server: Postgres) -> None:
    url = postgres_server.url("there_and_back")
    migrate(url)
    async with origin_world.world(url) as made:
        await made.rules(title={"en": "Second"})
        book = "SELECT prosrc FROM pg_proc WHERE proname = 'book'"
        forth = await made.connection.fetchval(book)
        for _ in [each for each in migrations_dir().iterdir() if each.name >= "20261125000001_rule_versions"]:
            step(url, "down")
        rows = await made.connection.fetch("SELECT * FROM rules_in_force")
        assert [(row["programme"], row["version"]) for row in rows] == [("demo", 2)]
        assert "rules_in_force r" in await made.connection.fetchval(book)
        migrate(url)
    connection = await connect(url)
    try:
        assert await connection.fetchval(book) == forth
        assert await connection.fetchval("SELECT version_in_force('demo', NULL)") == 2
        assert await connection.fetchval("SELECT count(*) FROM rule_review WHERE reviewer <> author") == 2
    finally:
        await connection.close()


def step(url: str, direction: str) -> None:
    folder = str(migrations_dir())
    command = [dbmate(), "--url", url, "--no-dump-schema", "--migrations-dir", folder, direction]
    subprocess.run(command, check=True, capture_output=True)
