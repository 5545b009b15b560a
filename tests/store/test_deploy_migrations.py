"""Migrating makes the database where it is missing, twice is once, and no password shows."""

from pathlib import Path

import asyncpg
import pytest

from deploy import migrations
from deploy.errors import StackError
from deploy.migrations import migrate
from deploy.stores import Postgres


async def test_a_missing_database_is_made_and_a_second_run_changes_nothing(postgres_server: Postgres) -> None:
    url = postgres_server.url("migrated_afresh")

    first, second = migrate(url), migrate(url)

    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM slot") == 0
    await connection.close()
    assert "Applied" in first
    assert "Applied" not in second


async def test_a_faulty_migration_is_told_and_leaves_nothing(
    postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = "-- migrate:up\nCREATE TABLE half (id int);\nCREATE TABLE half (id int);\n\n-- migrate:down\n"
    (tmp_path / "20260101000000_faulty.sql").write_text(faulty)
    monkeypatch.setattr(migrations, "migrations_dir", lambda: tmp_path)
    url = postgres_server.url("half_migrated")

    with pytest.raises(StackError, match='relation "half" already exists'):
        migrate(url)

    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    await connection.close()


def test_a_failure_does_not_show_the_password() -> None:
    with pytest.raises(StackError) as failed:
        migrate("postgresql://somebody:hunter2@127.0.0.1:9/vestibule?sslmode=disable")

    assert "hunter2" not in str(failed.value)
