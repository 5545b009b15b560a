"""A room's log on disk: one JSON object a line, appended and synced, never rewritten."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger(__name__)


class _Line(msgspec.Struct, frozen=True):
    version: int
    row: msgspec.Raw


class LogFile:
    """Rows of one room in ``folder``; without a folder nothing is kept.

    Durability: what ``append`` was given is synced when it returns. A folder that cannot be written to is logged, and
    its rows are tried again with the next ones. A line that cannot be read, the torn last one of a crash among them,
    counts as none and stays where it is.
    """

    def __init__(self, folder: Path | None, room: str) -> None:
        self._path = None if folder is None else folder / f"{room}.log.jsonl"  # no room's own file is called so
        self._room = room
        self._waiting: dict[int, str] = {}
        self._lock = asyncio.Lock()

    def read(self) -> dict[int, str]:
        """Return the rows by version; of two under one version the first."""
        rows: dict[int, str] = {}
        if self._path is None:
            return rows
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return rows
        except OSError as error:
            log.warning("log_unreadable", room=self._room, fault=str(error))
            return rows
        for number, text in enumerate(content.splitlines(), 1):
            try:
                line = msgspec.json.decode(text, type=_Line)
                rows.setdefault(line.version, bytes(line.row).decode())
            except (msgspec.DecodeError, UnicodeDecodeError):
                log.warning("log_line_unreadable", room=self._room, line=number)
        return rows

    def owe(self, rows: Mapping[int, str]) -> None:
        """Write the rows with the next ones that are appended, be they none."""
        if self._path is not None:
            self._waiting.update(rows)

    async def append(self, rows: Mapping[int, str]) -> None:
        """Write the rows behind all others."""
        self.owe(rows)
        if self._path is None or not self._waiting:
            return
        async with self._lock:
            due = dict(sorted(self._waiting.items()))
            if not due:  # written along with somebody else's
                return
            lines = [msgspec.json.encode(_Line(version, msgspec.Raw(row.encode()))) for version, row in due.items()]
            try:
                await asyncio.to_thread(_append, self._path, b"".join(line + b"\n" for line in lines))
            except OSError as error:
                log.warning("log_not_kept", room=self._room, fault=str(error))
            else:
                self._waiting = {version: row for version, row in self._waiting.items() if version not in due}


def _append(path: Path, lines: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a+b") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # torn by a crash: it ends here, whatever it was to become
                lines = b"\n" + lines
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
