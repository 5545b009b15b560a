"""Towns for races: as it is, and as it would be with a store that checks and then writes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.race.check_then_write import CheckThenWrite
from tests.race.town import Town, town


@pytest.fixture
async def guarded(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Several origins on one database."""
    async with town(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def naive(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """The same without what keeps the books right: for negative controls."""
    async with town(database_url, tmp_path, CheckThenWrite()) as made:
        await made.world.connection.execute("DROP INDEX appointment_one_active")
        await made.world.connection.execute("ALTER TABLE appointment DROP CONSTRAINT appointment_one_per_admission")
        yield made
