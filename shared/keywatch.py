"""Key rings that follow their files: a rotation needs no restart."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from shared.clock import rest
from shared.keys import KeyRing, KeyRingError

log = structlog.get_logger(__name__)

CHECK_EVERY_S = 1.0

_Stamp = tuple[int, int, int] | None


class KeyWatch:
    """Watches the files of some rings.

    A file is read again when its time, size or inode has changed. One that cannot be used is logged, once, and the keys
    that are known stay in force.
    """

    def __init__(self, rings: Iterable[KeyRing]) -> None:
        self._stamps: list[tuple[KeyRing, Path, _Stamp]] = [
            (ring, ring.path, None) for ring in rings if ring.path is not None
        ]

    def check(self) -> int:
        """Look at every file; return how many rings have changed. A few µs each."""
        changed = 0
        for index, (ring, path, before) in enumerate(self._stamps):
            now = _stamp(path)
            if now != before:
                self._stamps[index] = (ring, path, now)
                changed += _reload(ring, path)
        return changed

    async def run(self, stop: asyncio.Event) -> None:
        """Check once a second until ``stop``."""
        while not stop.is_set():
            self.check()
            await rest(stop, CHECK_EVERY_S)


@asynccontextmanager
async def following(*rings: KeyRing) -> AsyncIterator[None]:
    """Let the rings follow their files for the time of the block."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as watching:
        watching.create_task(KeyWatch(rings).run(stop))
        try:
            yield
        finally:
            stop.set()


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _reload(ring: KeyRing, path: Path) -> bool:
    try:
        changed = ring.reload()
    except KeyRingError as fault:
        log.warning("keys_not_reloaded", file=path.name, fault=str(fault))
        return False
    if changed:
        log.info("keys_reloaded", file=path.name, current=ring.current, kids=ring.kids)
    return changed
