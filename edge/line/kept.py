"""What an edge last knew, in small files: settings and created rooms outlive even a restart of everything."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from edge.line.room import Known

log = structlog.get_logger(__name__)

_LINE_EVERY_S = 1.0
_REGISTER = "_rooms.json"  # no room can be called so


class _File(msgspec.Struct, frozen=True):
    v: Literal[2]
    room: str
    known: Known


class _Register(msgspec.Struct, frozen=True):
    v: Literal[1]
    rooms: dict[str, msgspec.Raw]


class Keeper:
    """Keeps what one process knows of one room in ``folder``; without a folder it keeps nothing.

    Settings are written as soon as they are known, how far the line has come at most once a second. The file is
    replaced in one step and synced: whoever reads it sees all of it, old or new. A folder that cannot be written to is
    logged and keeps nobody waiting; a file that cannot be read is logged and counts as none.
    """

    def __init__(self, folder: Path | None, room: str) -> None:
        self._path = None if folder is None else folder / f"{room}.json"
        self._room = room
        self._written: Known | None = None
        self._written_at = 0.0
        self._lock = asyncio.Lock()

    def read(self) -> Known | None:
        """Return what was kept, or None."""
        if self._path is None:
            return None
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            log.warning("kept_room_unreadable", room=self._room, fault=str(error))
            return None
        return content.known if content.room == self._room else None

    async def keep(self, known: Known, *, at_once: bool = False) -> None:
        """Write ``known`` where it is new; ``at_once`` does not put off how far the line has come."""
        if self._path is None or not self._is_due(known, at_once=at_once):
            return
        async with self._lock:
            if not self._is_due(known, at_once=at_once):
                return
            self._written, self._written_at = known, asyncio.get_running_loop().time()
            content = msgspec.json.encode(_File(2, self._room, known))
            try:
                await asyncio.to_thread(_replace, self._path, content)
            except OSError as error:
                log.warning("room_not_kept", room=self._room, fault=str(error))

    def _is_due(self, known: Known, *, at_once: bool) -> bool:
        if self._written is None or known.mark > self._written.mark:
            return True
        if known.mark < self._written.mark or known == self._written:
            return False
        return at_once or asyncio.get_running_loop().time() - self._written_at >= _LINE_EVERY_S


class RegisterKeeper:
    """Keeps the register of created rooms in ``folder``, with the same care; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _REGISTER
        self._lock = asyncio.Lock()

    def read(self) -> dict[str, bytes]:
        """Return the entries that were kept, by room."""
        if self._path is None:
            return {}
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_Register)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            log.warning("kept_register_unreadable", fault=str(error))
            return {}
        return {room: bytes(entry) for room, entry in content.rooms.items()}

    async def keep(self, entries: Mapping[str, bytes]) -> None:
        """Write the entries, all of those that there are when it is this call's turn."""
        if self._path is None:
            return
        async with self._lock:
            rooms = {room: msgspec.Raw(entry) for room, entry in entries.items()}
            try:
                await asyncio.to_thread(_replace, self._path, msgspec.json.encode(_Register(1, rooms)))
            except OSError as error:
                log.warning("register_not_kept", fault=str(error))


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
