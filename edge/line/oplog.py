"""A room's log of what operators changed: who, when, what and why. Rows are added, and never changed or deleted.

A row is written by the script that makes the change, under the version that the change gave the settings, which is the
store's time in µs: there is a row if and only if there was a change. The row under version 0 is the room's creation.
"""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from typing import Literal, cast

import msgspec
import structlog
from redis.exceptions import RedisClusterException, RedisError

from edge.line import scripts
from edge.line.keys import RoomKeys
from edge.line.line import Counting, StoreUnavailable
from edge.line.logfile import LogFile
from edge.line.logrow import LogPage, LogRow, Told
from edge.line.room import RoomPlan
from edge.line.store import Store
from edge.line.view import iso

log = structlog.get_logger(__name__)

MOST_ROWS = 10_000
CREATION = 0
_LOOK_EVERY_S = 2.0
_BATCH = 200

What = Literal[
    "room_created",
    "room_changed",
    "room_paused",
    "room_resumed",
    "room_opened",
    "room_draining",
    "room_closed",
    "room_reset",
    "bypass_on",
    "bypass_off",
    "passes_revoked",
    "passes_restored",
]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a row says. ``at`` (Unix seconds) is there where its version is no time: at a creation."""

    actor: str
    issuer: str
    what: str
    why: str
    before: dict[str, Told]
    after: dict[str, Told]
    at: float | None = None


def written(entry: Entry) -> str:
    """Return the row of an entry."""
    return msgspec.json.encode(entry).decode()


class LogStore:
    """The log's rows in the store; every method raises StoreUnavailable."""

    def __init__(self, client: Store, plan: RoomPlan, counting: Counting) -> None:
        self._client = client
        self._counting = counting
        self._key = RoomKeys(plan).log

    async def count(self) -> int:
        """Return how many rows there are."""
        return cast("int", await self._ask("HLEN"))

    async def versions(self) -> set[int]:
        """Return the versions of all rows."""
        return {int(version) for version in cast("list[bytes]", await self._ask("HKEYS"))}

    async def rows(self, versions: Sequence[int]) -> dict[int, str]:
        """Return these rows, as far as they are there."""
        found: dict[int, str] = {}
        for first in range(0, len(versions), _BATCH):
            some = versions[first : first + _BATCH]
            rows = cast("list[bytes | None]", await self._ask("HMGET", *some))
            found |= {version: row.decode() for version, row in zip(some, rows, strict=True) if row is not None}
        return found

    async def restore(self, rows: Mapping[int, str]) -> None:
        """Put back rows that are not there; those that are stay as they are."""
        parts = [part for row in rows.items() for part in row]
        try:
            for first in range(0, len(parts), 2 * _BATCH):
                await scripts.RESTORE.run(self._client, [self._key], parts[first : first + 2 * _BATCH])
        except (RedisError, RedisClusterException, OSError) as error:
            raise self._failed(error) from error

    async def _ask(self, command: str, *arguments: int) -> object:
        try:
            return await self._client.execute_command(command, self._key, *arguments)
        except (RedisError, RedisClusterException, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> StoreUnavailable:
        self._counting.store_failed("log")
        return StoreUnavailable(type(error).__name__)


class OpLog:
    """What one process knows of a room's log: the last 10,000 rows in memory, all that it has seen in its file.

    Durability: it carries the rows, and puts back what the store has lost. Memory is bounded; of a longer log the older
    rows are in the store and in the edges' files.
    """

    def __init__(self, store: LogStore, file: LogFile) -> None:
        self._store = store
        self._file = file
        self._rows: dict[int, str] = {}
        self._versions: list[int] = []
        self._seen: tuple[int, int] | None = None
        self._life = self._count = -1
        self._looked_at = float("-inf")
        self._take(file.read())

    @property
    def carried(self) -> int:
        """How many rows are in memory."""
        return len(self._versions)

    async def add(self, version: int, row: str) -> None:
        """Learn a row that the store has; it is on disk when this returns."""
        await self._file.append(self._take({version: row}))

    def begin(self, row: str) -> None:
        """Learn the row of the room's creation; it gets into store and file with the next look."""
        self._file.owe(self._take({CREATION: row}))

    async def follow(self, mark: tuple[int, int], *, life: int, healing: bool) -> None:
        """Learn what is new, and put back what the store has lost.

        Args:
            mark: epoch and version of the settings; where they are as they were, the log most likely is too.
            life: another one whenever the store had lost the room; how many rows a log has says nothing then.
            healing: it has lost the room a moment ago, and others are putting their rows back.

        Raises:
            StoreUnavailable: it is tried again with the next look.
        """
        now = asyncio.get_running_loop().time()
        if mark == self._seen and not healing and now - self._looked_at < _LOOK_EVERY_S:
            return
        if healing or life != self._life or await self._store.count() != self._count:
            await self._compare()
        self._seen, self._life, self._looked_at = mark, life, now

    def page(self, limit: int, before: int | None) -> LogPage:
        """Return the newest rows, or the newest below the version ``before``; one that cannot be read is left out."""
        end = len(self._versions) if before is None else bisect_left(self._versions, before)
        versions = self._versions[max(0, end - limit) : end]
        rows = [row for version in reversed(versions) if (row := _read(version, self._rows[version])) is not None]
        return LogPage(rows, versions[0] if end > limit else None)

    def last(self, name: str) -> Told:
        """Return what a setting was last changed to, None where no row tells of it."""
        for version in reversed(self._versions):
            entry = _entry(self._rows[version])
            if entry is not None and name in entry.after:
                return entry.after[name]
        return None

    async def _compare(self) -> None:
        theirs = await self._store.versions()
        missing = [version for version in theirs if version not in self._rows and not self._is_too_old(version)]
        await self._file.append(self._take(await self._store.rows(missing)))
        lost = {version: row for version, row in self._rows.items() if version not in theirs}
        if lost:
            await self._store.restore(lost)
        self._count = len(theirs) + len(lost)

    def _is_too_old(self, version: int) -> bool:
        return len(self._versions) >= MOST_ROWS and version < self._versions[0]

    def _take(self, rows: Mapping[int, str]) -> dict[int, str]:
        """Learn rows; return those that were new."""
        new = {version: row for version, row in rows.items() if version not in self._rows}
        for version in new:
            insort(self._versions, version)
        self._rows |= new
        for version in self._versions[:-MOST_ROWS]:
            del self._rows[version]
        del self._versions[:-MOST_ROWS]
        return new


def _entry(row: str) -> Entry | None:
    try:
        return msgspec.json.decode(row, type=Entry)
    except msgspec.MsgspecError as error:
        log.warning("log_row_unreadable", fault=str(error))
        return None


def _read(version: int, row: str) -> LogRow | None:
    entry = _entry(row)
    if entry is None:
        return None
    at = version / 1_000_000 if entry.at is None else entry.at
    return LogRow(version, iso(at), entry.actor, entry.issuer, entry.what, entry.why, entry.before, entry.after)
