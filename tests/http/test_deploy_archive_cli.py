"""``vestibule supply archive | partitions | detach`` on a terminal, against a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests import origin_world
from tests.origin_world import World

JANUARY = (datetime(2026, 1, 10, 9, tzinfo=UTC) - origin_world.START).total_seconds() / 3600
FEBRUARY = JANUARY + 31 * 24
LAST = "2026_02"


@pytest.fixture
async def past(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A year that is over for whoever reads a clock: two slots in January and one in February, in two regions."""
    monkeypatch.setenv("VESTIBULE_DATABASE_URL", database_url)
    async with origin_world.world(database_url) as world:
        for site in (1, 2):
            for hours in (JANUARY, JANUARY + 1, FEBRUARY):
                await world.slot(site=site, hours=hours)
        yield world


def run(*words: str) -> tuple[int, str]:
    """Run a command; return its status and all that it said."""
    done = CliRunner().invoke(app, ["supply", *words])
    return done.exit_code, done.output


@pytest.mark.usefixtures("past")
def test_slots_are_archived_after_a_dry_run_listed_and_detached_after_another() -> None:
    assert run("partitions") == (0, "There are no partitions.\n")
    assert run("archive", "--dry-run") == (0, "A dry run: 6 slots to archive.\n")
    assert run("archive") == (0, "Archived 6 slots.\n")
    assert run("archive") == (0, "Archived 0 slots.\n")

    status, text = run("partitions")
    assert status == 0
    assert [line.split()[:4] for line in text.splitlines()[1:5]] == [
        ["2026-01", "ES-CM", "slot_archive_2026_01_es_cm", "2"],
        ["2026-01", "ES-MD", "slot_archive_2026_01_es_md", "2"],
        ["2026-02", "ES-CM", "slot_archive_2026_02_es_cm", "1"],
        ["2026-02", "ES-MD", "slot_archive_2026_02_es_md", "1"],
    ]
    assert "4 tables, 6 slots, " in text

    status, text = run("detach", "--before", "2026-02", "--dry-run")
    assert (status, text.count("slot_archive_2026_01"), text.count(LAST)) == (0, 2, 0)
    assert "A dry run: nothing was detached." in text
    assert "detached" not in run("partitions")[1]

    status, text = run("detach", "--before", "2026-02")
    assert status == 0
    assert "slot_detached_2026_01_es_cm\nslot_detached_2026_01_es_md\nDetached 2." in text
    assert 'pg_dump -Fc -t "slot_detached_*"' in text
    assert "DROP TABLE slot_detached_2026_01_es_cm, slot_detached_2026_01_es_md" in text
    assert run("partitions")[1].count(" detached\n") == 2
    assert run("detach", "--before", "2026-02") == (0, "Nothing to detach.\n")


@pytest.mark.usefixtures("past")
def test_a_regions_partitions_are_detached_alone() -> None:
    run("archive")
    status, text = run("detach", "--before", "2027-01", "--region", "ES-MD")
    assert (status, text.count("es_cm"), "Detached 2." in text) == (0, 0, True)


async def test_what_was_detached_is_a_table_like_any_other(past: World) -> None:
    await asyncio.to_thread(run, "archive")
    await asyncio.to_thread(run, "detach", "--before", "2026-02")
    assert await past.count("slot_detached_2026_01_es_md", "site_code = '1' AND region = 'ES-MD'") == 2
    assert await past.count("every_slot") == 2
    await past.connection.execute("DROP TABLE slot_detached_2026_01_es_md")
    assert await past.count("every_slot") == 2


@pytest.mark.usefixtures("past")
@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-1", "2026-01-01", "January"])
def test_what_is_no_month_is_one_line_and_status_two(month: str) -> None:
    assert run("detach", "--before", month) == (2, f"vestibule: {month} is no month: write it as 2026-06\n")


@pytest.mark.usefixtures("past")
def test_days_are_those_of_the_setting_or_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VESTIBULE_SLOT_ARCHIVE_DAYS", "3650")
    assert run("archive", "--dry-run") == (0, "A dry run: 0 slots to archive.\n")
    monkeypatch.setenv("VESTIBULE_SLOT_ARCHIVE_DAYS", "0")
    told = "vestibule: VESTIBULE_SLOT_ARCHIVE_DAYS is 0, which archives nothing: say --days\n"
    assert run("archive") == (2, told)
    assert run("archive", "--days", "1") == (0, "Archived 6 slots.\n")


async def test_while_somebody_else_archives_the_command_says_so(past: World) -> None:
    async with past.connection.transaction():
        await past.connection.execute("SELECT pg_advisory_xact_lock(hashtext('slot archive'), 0)")
        told = "vestibule: somebody else archives just now, a worker perhaps; run it again\n"
        assert await asyncio.to_thread(run, "archive") == (2, told)
