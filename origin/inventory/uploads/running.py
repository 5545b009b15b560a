"""The worker's part: uploads are imported one after the other, by the importer that the commands have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import structlog

from origin.db.pool import Database, connect
from origin.db.sql import Connection
from origin.inventory.bulk.imports import import_files
from origin.inventory.bulk.merging import ImportUnderWay, Wish
from origin.inventory.bulk.report import Report
from origin.inventory.uploads.models import State
from origin.inventory.uploads.receiving import KEPT_HOURS
from origin.inventory.uploads.store import UploadStore, Waiting
from shared.clock import Clock
from shared.ids import Ids
from shared.problem import Problem

log = structlog.get_logger(__name__)

_MOST_ATTEMPTS = 3
_TOLD_EVERY_S = 1.0
_OF_USE = frozenset({"previewed", "undecided", "incomplete"})


class Progress:
    """What an import tells of itself; kept until somebody reads it."""

    def __init__(self) -> None:
        self.now = ("", 0, 0)

    def __call__(self, step: str, done: int, total: int) -> None:
        self.now = (step, done, total)


class UploadRunner:
    """Runs uploads that wait. Any number of workers may have one: only one at a time works.

    An upload that a worker left half done is run again from its beginning: what is done is found to be so already. One
    that was begun three times and never came to an end is given up, and says so.
    """

    def __init__(self, database: Database, url: str, clock: Clock, ids: Ids, store: UploadStore | None = None) -> None:
        self._database = database
        self._url = url
        self._clock = clock
        self._ids = ids
        self._store = store or UploadStore()

    async def work_off(self) -> int:
        """Run what waits; return how many came to an end.

        Raises:
            Problem: the database is away.
            asyncpg.PostgresError: what the database says against it; it is tried again.
        """
        async with self._database.connection() as lent:
            await self._store.forget_files(lent, self._clock.now() - timedelta(hours=KEPT_HOURS))
            if not await self._store.is_there_work(lent):
                return 0
        ended = 0
        connection = await connect(self._url)  # without the pool's limits: a plan of a million slots takes its time
        try:
            if await self._store.hold(connection):
                while waiting := await self._store.next(connection):
                    if not await self._run(connection, waiting):
                        break
                    ended += 1
        finally:
            await connection.close()
        return ended

    async def _run(self, connection: Connection, waiting: Waiting) -> bool:
        """Run one to its end; return False where another import is under way."""
        if waiting.attempts >= _MOST_ATTEMPTS:
            await self._end(connection, waiting, None)
            return True
        await self._store.begin(connection, waiting.id)
        with TemporaryDirectory(prefix="vestibule-supply-") as folder:
            paths = await self._fetch(connection, waiting, Path(folder))
            wish = Wish(waiting.programme, waiting.asked_by, waiting.booked, waiting.dry_run)
            progress = Progress()
            try:
                async with self._telling(waiting.id, progress):
                    report = await import_files(
                        connection, paths, wish, clock=self._clock, ids=self._ids, tell=progress
                    )
            except ImportUnderWay:
                await self._store.put_back(connection, waiting.id)
                return False
        await self._end(connection, waiting, report)
        return True

    async def _end(self, connection: Connection, waiting: Waiting, report: Report | None) -> None:
        keep = report is None or report.outcome in _OF_USE
        state: State = "failed" if report is None else "over"
        async with connection.transaction():
            await self._store.end(connection, waiting.id, state, report, keep=keep, now=self._clock.now())
        log.info("upload_run", upload=str(waiting.id), outcome=state if report is None else report.outcome)

    async def _fetch(self, connection: Connection, waiting: Waiting, folder: Path) -> list[Path]:
        paths = []
        for number, file in enumerate(waiting.files):
            paths.append(folder / file.name)
            async for piece in self._store.pieces(connection, waiting.id, number):
                _append(paths[-1], piece)
        return paths

    @asynccontextmanager
    async def _telling(self, upload: UUID, progress: Progress) -> AsyncIterator[None]:
        teller = asyncio.create_task(self._tell(upload, progress))
        try:
            yield
        finally:
            teller.cancel()
            with suppress(asyncio.CancelledError):
                await teller

    async def _tell(self, upload: UUID, progress: Progress) -> None:
        """Write down how far it is, as long as it runs: over the pool, for its own connection is busy."""
        told = Progress().now
        while True:
            if progress.now != told:
                told = progress.now
                with suppress(Problem):
                    async with self._database.connection() as lent:
                        await self._store.tell(lent, upload, *told)
            await asyncio.sleep(_TOLD_EVERY_S)


def _append(path: Path, piece: bytes) -> None:
    with path.open("ab") as file:
        file.write(piece)
