"""Uploads in the database. Each method is one statement or two; transactions are the caller's."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from origin.db.sql import Connection, load
from origin.inventory.bulk.report import Booked, Report
from origin.inventory.uploads.models import Import, Run, State, Upload, UploadedFile

QUERIES = Path(__file__).with_name("queries.sql")
_JSON = ("files", "report", "sources", "counts")


class Waiting(msgspec.Struct, frozen=True):
    """An upload whose turn it is. ``attempts``: begun before, and not brought to an end."""

    id: UUID
    programme: str
    files: list[UploadedFile]
    dry_run: bool
    booked: Booked | None
    asked_by: str
    attempts: int


class UploadStore:
    """What HTTP and the worker know of uploads."""

    async def add(
        self,
        connection: Connection,
        upload: UUID,
        files: Sequence[UploadedFile],
        run: Run,
        *,
        programme: str,
        actor: str,
        now: datetime,
    ) -> None:
        """Add an upload that waits for the worker; in the transaction in which its pieces come."""
        await load(QUERIES)["add_upload"].run(
            connection,
            id=upload,
            programme=programme,
            actor=actor,
            now=now,
            files=msgspec.json.encode(files).decode(),
            dry_run=run.dry_run,
            booked=run.booked,
        )

    async def add_piece(self, connection: Connection, upload: UUID, file: int, number: int, piece: bytes) -> None:
        """Add the next piece of a file."""
        await load(QUERIES)["add_piece"].run(connection, upload=upload, file=file, n=number, bytes=piece)

    async def pieces(self, connection: Connection, upload: UUID, file: int) -> AsyncIterator[bytes]:
        """Yield the pieces of a file, one at a time."""
        number = 0
        while row := await load(QUERIES)["piece"].row(connection, upload=upload, file=file, n=number):
            yield row["bytes"]
            number += 1

    async def find(self, connection: Connection, programme: str, upload: UUID) -> Upload | None:
        """Return an upload with its report; None where the programme has no such one."""
        row = await load(QUERIES)["upload"].row(connection, id=upload, programme=programme)
        if row is None:
            return None
        found = msgspec.convert(_read(row), Upload)
        return msgspec.structs.replace(found, outcome=None if found.report is None else found.report.outcome)

    async def newest(self, connection: Connection, programme: str, at_most: int) -> list[Upload]:
        """Return the newest uploads of a programme, without their reports."""
        rows = await load(QUERIES)["newest_uploads"].rows(connection, programme=programme, at_most=at_most)
        return [msgspec.convert(_read(row), Upload) for row in rows]

    async def newest_imports(self, connection: Connection, programme: str, at_most: int) -> list[Import]:
        """Return what was brought to a programme lately."""
        rows = await load(QUERIES)["newest_imports"].rows(connection, programme=programme, at_most=at_most)
        return [msgspec.convert(_read(row), Import) for row in rows]

    async def ask_to_run(
        self, connection: Connection, programme: str, upload: UUID, run: Run, *, actor: str, now: datetime
    ) -> bool:
        """Have an upload run again; False where it runs or waits already, or its files are gone."""
        asked = await load(QUERIES)["ask_to_run"].row(
            connection, id=upload, programme=programme, dry_run=run.dry_run, booked=run.booked, actor=actor, now=now
        )
        return asked is not None

    async def is_there_work(self, connection: Connection) -> bool:
        """Return whether an upload waits, or was broken off."""
        row = await load(QUERIES)["is_there_work"].row(connection)
        return row is not None and bool(row["work"])

    async def hold(self, connection: Connection) -> bool:
        """Become the one who runs uploads, for as long as the session lives; False where somebody else is."""
        row = await load(QUERIES)["hold_uploads"].row(connection)
        return row is not None and bool(row["mine"])

    async def next(self, connection: Connection) -> Waiting | None:
        """Return the upload that has waited longest."""
        row = await load(QUERIES)["next_upload"].row(connection)
        return None if row is None else msgspec.convert(_read(row), Waiting)

    async def begin(self, connection: Connection, upload: UUID) -> None:
        """Count an attempt."""
        await load(QUERIES)["begin_run"].run(connection, id=upload)

    async def tell(self, connection: Connection, upload: UUID, step: str, done: int, total: int) -> None:
        """Say how far it is."""
        await load(QUERIES)["tell_run"].run(connection, id=upload, step=step, done=done, total=total)

    async def put_back(self, connection: Connection, upload: UUID) -> None:
        """Let it wait on: it could not begin."""
        await load(QUERIES)["put_back"].run(connection, id=upload)

    async def end(
        self, connection: Connection, upload: UUID, state: State, report: Report | None, *, keep: bool, now: datetime
    ) -> None:
        """Keep what came of it, and its files or not; in a transaction."""
        told = None if report is None else msgspec.json.encode(report).decode()
        queries = load(QUERIES)
        await queries["end_run"].run(connection, id=upload, state=state, report=told, keep=keep, now=now)
        if not keep:
            await queries["drop_pieces"].run(connection, id=upload)

    async def forget_files(self, connection: Connection, before: datetime) -> None:
        """Forget the files of uploads that came to an end before then."""
        await load(QUERIES)["forget_files"].run(connection, before=before)


def _read(row: asyncpg.Record) -> dict[str, Any]:
    return {
        name: msgspec.json.decode(value) if name in _JSON and value is not None else value
        for name, value in row.items()
    }
