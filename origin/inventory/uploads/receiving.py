"""Files that come over HTTP: spooled to disk while they arrive, then kept in the database in pieces."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from uuid import UUID

from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request

from origin import errors
from origin.admin.officials import OPERATOR, SUPPLY, require_programme
from origin.identity import Official
from origin.inventory.uploads.models import Run, Supplied, Upload, UploadedFile
from origin.inventory.uploads.store import UploadStore
from origin.state import OriginState
from shared.problem import Problem

MAY = (SUPPLY, OPERATOR)
"""The roles of which one is needed for anything about supply."""

MOST_FILES = 20
KEPT_HOURS = 24
"""How long the files of an upload that came to an end can be run again."""

_PIECE = 512 * 1024
_IN_MEMORY = 1024 * 1024
_LONGEST_NAME = 100
_TOLD = 50
_STORE = UploadStore()


@asynccontextmanager
async def from_body(request: Request, name: str) -> AsyncIterator[list[UploadFile]]:
    """Lend the body as one file; no more of it than a mebibyte is held in memory.

    Raises:
        Problem: ``body_too_large``; ``upload_files_missing``: it is empty, or the client went away.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        file = UploadFile(cast("BinaryIO", spool), size=0, filename=name)
        try:
            async for chunk in request.stream():
                await file.write(chunk)
        except ClientDisconnect:
            raise Problem(errors.UPLOAD_FILES_MISSING) from None
        yield _some([file])


def from_form(form: FormData) -> list[UploadFile]:
    """Return the files of a form; the parser has spooled them to disk.

    Raises:
        Problem: ``upload_files_missing``.
    """
    return _some([file for file in form.getlist("files") if isinstance(file, UploadFile)])


def _some(files: Sequence[UploadFile]) -> list[UploadFile]:
    filled = [file for file in files if file.size]
    if not filled:
        raise Problem(errors.UPLOAD_FILES_MISSING)
    return filled


async def keep(state: OriginState, programme: str, files: Sequence[UploadFile], run: Run, official: Official) -> UUID:
    """Keep files for the worker, all or none; return the upload.

    Raises:
        Problem: ``programme_unknown``, ``store_unavailable``.
    """
    upload = state.ids.uuid()
    names: list[str] = []
    for file in files:
        names.append(_name(file.filename, names))
    told = [UploadedFile(name, file.size or 0) for name, file in zip(names, files, strict=True)]
    async with state.database.connection() as connection:
        await require_programme(connection, programme)
        async with connection.transaction():
            now = state.clock.now()
            await _STORE.add(connection, upload, told, run, programme=programme, actor=official.name, now=now)
            for number, file in enumerate(files):
                await file.seek(0)
                piece = 0
                while read := await file.read(_PIECE):
                    await _STORE.add_piece(connection, upload, number, piece, read)
                    piece += 1
    return upload


def _name(given: str | None, taken: Collection[str]) -> str:
    """Return a file's name without folders or what cannot be printed, and unlike the others."""
    last = PurePosixPath((given or "").replace("\\", "/")).name
    name = "".join(each for each in last if each.isprintable())[-_LONGEST_NAME:].strip()
    if name in {"", ".", ".."}:
        name = "supply"
    again, unlike = 2, name
    while unlike in taken:
        unlike, again = f"{again}-{name}", again + 1
    return unlike


async def supplied(state: OriginState, programme: str) -> Supplied:
    """Return the newest uploads and imports; raises Problem ``programme_unknown``."""
    async with state.database.connection() as connection:
        await require_programme(connection, programme)
        uploads = await _STORE.newest(connection, programme, _TOLD)
        return Supplied(uploads, await _STORE.newest_imports(connection, programme, _TOLD))


async def upload_of(state: OriginState, programme: str, text: str) -> Upload:
    """Return an upload with its report; raises Problem ``programme_unknown``, ``upload_unknown``."""
    async with state.database.connection() as connection:
        await require_programme(connection, programme)
        found = await _STORE.find(connection, programme, _id(text))
    if found is None:
        raise Problem(errors.UPLOAD_UNKNOWN)
    return found


async def run_again(state: OriginState, programme: str, text: str, run: Run, official: Official) -> Upload:
    """Have the worker run an upload as ``run`` says; where that is what it waits or runs for already, nothing changes.

    Raises:
        Problem: ``programme_unknown``, ``upload_unknown``; ``upload_files_gone``: brought already, refused, or too old;
            ``upload_runs``: as something else.
    """
    before = await upload_of(state, programme, text)
    async with state.database.connection() as connection:
        asked = await _STORE.ask_to_run(
            connection, programme, before.id, run, actor=official.name, now=state.clock.now()
        )
    after = await upload_of(state, programme, text)
    if not asked and (after.is_over or (after.dry_run, after.booked) != (run.dry_run, run.booked)):
        raise Problem(errors.UPLOAD_FILES_GONE if after.is_over else errors.UPLOAD_RUNS)
    return after


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(errors.UPLOAD_UNKNOWN) from None
