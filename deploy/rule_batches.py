"""Long runs over all decisions, straight on the database: replays, and verification."""

import asyncio
import csv
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from pydantic import PostgresDsn

from deploy.datadir import DataDir
from deploy.errors import StackError
from origin.db.pool import AWAY, connect
from origin.db.sql import Connection
from origin.eligibility.facts import FactSealer
from origin.eligibility.replay import Affected, Finding, Progress, Replay, VersionMissing
from origin.eligibility.verify import Verification, Verified
from shared.clock import Clock
from shared.ids import SystemIds
from shared.keys import KeyRing, KeyRingError
from shared.settings import Settings

Tell = Callable[[int, int], None]
"""Is told how many decisions were seen, out of how many."""


class BatchSettings(Settings):
    """Which database, and the keys of its facts; in the data directory where nothing is said."""

    data_dir: Path = Path("build/local")
    database_url: PostgresDsn | None = None
    origin_keys_file: Path | None = None
    person_keys_file: Path | None = None


@asynccontextmanager
async def _opened(settings: BatchSettings) -> AsyncIterator[tuple[Connection, FactSealer]]:
    data = DataDir(settings.data_dir)
    running = data.addresses()
    url = str(settings.database_url) if settings.database_url else running and running["database_url"]
    if not url:
        raise StackError("no database: set VESTIBULE_DATABASE_URL, or start the stack with `make up`")
    try:
        sealer = FactSealer(
            KeyRing.load(settings.origin_keys_file or data.key_file("origin")),
            KeyRing.load(settings.person_keys_file or data.key_file("person")),
            SystemIds(),
        )
        connection = await connect(url)
    except KeyRingError as fault:
        raise StackError(str(fault)) from None
    except AWAY as fault:
        raise StackError(f"the database does not answer ({type(fault).__name__})") from None
    try:
        yield connection, sealer
    except AWAY as fault:
        raise StackError(f"the database went away ({type(fault).__name__}); run the same command again") from None
    finally:
        await connection.close()


def replay(
    settings: BatchSettings, programme: str, from_version: int, to_version: int, clock: Clock, tell: Tell
) -> tuple[Progress, list[Affected], list[Finding]]:
    """Replay, or go on with a replay that was broken off; return how it ended, the summary and what it found.

    Raises:
        StackError: no database, no keys, no such version.
    """

    async def run() -> tuple[Progress, list[Affected], list[Finding]]:
        async with _opened(settings) as (connection, sealer):
            batch = Replay(connection, sealer)
            try:
                begun = await batch.begin(SystemIds().uuid(), programme, from_version, to_version, clock.now())
            except VersionMissing:
                raise StackError(f"{programme} has no version {from_version} or no version {to_version}") from None
            tell(begun.seen, begun.total)
            ended = await batch.run(begun, clock.now(), lambda progress: tell(progress.seen, progress.total))
            return ended, await batch.affected(ended.id), await batch.findings(ended.id)

    return asyncio.run(run())


def verify(settings: BatchSettings, programme: str, version: int | None, tell: Tell) -> Verified:
    """Verify the decisions of a programme, or those under one version.

    Raises:
        StackError: no database, no keys.
    """

    async def run() -> Verified:
        verified = Verified()
        async with _opened(settings) as (connection, sealer):
            verification = Verification(connection, sealer)
            decided = await verification.versions(programme)
            wanted = {each: number for each, number in decided.items() if version in {None, each}}
            total = sum(wanted.values())
            for each in wanted:
                await verification.run(programme, each, verified, lambda _: tell(sum(verified.counts.values()), total))
        return verified

    return asyncio.run(run())


def write_report(path: Path, findings: Sequence[Finding]) -> None:
    """Write what a replay found as CSV, a line for each decision, those with an appointment first; private.

    Raises:
        StackError: the file exists, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise StackError(f"cannot write {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(Finding.__struct_fields__)
        for finding in findings:
            values = msgspec.to_builtins(finding) | {"reasons": " ".join(finding.reasons)}
            table.writerow(values[name] for name in Finding.__struct_fields__)
