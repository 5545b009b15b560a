"""``vestibule keys``: change signing keys while tickets, tokens and cookies are in circulation.

Two phases, so that nobody ever meets an unknown key: a new key is first made known everywhere (``add``), then it signs
(``use``); what the old one signed stays good until that is dropped (``retire``). Services look once a second.
"""

import fcntl
import os
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from deploy.datadir import DataDir, write_private
from deploy.errors import StackError
from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing, KeyRingError, encode_key_file
from shared.keywatch import CHECK_EVERY_S
from shared.settings import Settings

_KEY_BYTES = 32
SAFE_AGE_S = 2 * CHECK_EVERY_S  # after this every service on this machine knows a new key


class Ring(StrEnum):
    """The rings that are rotated. The persons' ring is not: another key there makes everybody a new person."""

    TICKETS = "tickets"
    ADMISSION = "admission"
    ORIGIN = "origin"


class KeySettings(Settings):
    """Where the key files are; in the data directory where nothing is said."""

    data_dir: Path = Path("build/local")
    ticket_keys_file: Path | None = None
    admission_keys_file: Path | None = None
    origin_keys_file: Path | None = None

    def file(self, ring: Ring) -> Path:
        """Return the ring's file."""
        given = {
            Ring.TICKETS: self.ticket_keys_file,
            Ring.ADMISSION: self.admission_keys_file,
            Ring.ORIGIN: self.origin_keys_file,
        }
        return given[ring] or DataDir(self.data_dir).key_file(ring)


class KeyFile:
    """One ring's file, changed by one command at a time and in one step; only its owner can read it."""

    def __init__(self, path: Path, clock: Clock, ids: Ids) -> None:
        self._path = path
        self._clock = clock
        self._ids = ids

    def add(self) -> str:
        """Add a key that does not sign yet; return its identifier.

        Raises:
            StackError: the file cannot be used.
        """
        with self._changing() as ring:
            kid = f"k{self._clock.now():%Y%m%dT%H%M%S}-{self._ids.secret(4)}"  # no two keys ever share one
            text = self._ids.secret(_KEY_BYTES)
            key = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            self._write(ring.current, _keys(ring) | {kid: key})
        return kid

    def use(self, kid: str) -> str:
        """Let ``kid`` sign from now on; return who signed until now.

        Raises:
            StackError: it is unknown, or so new that a service may not know it yet.
        """
        with self._changing() as ring:
            self._expect(ring, kid)
            age = self._clock.unix() - self._path.stat().st_mtime
            if age < SAFE_AGE_S:
                raise StackError(
                    f"the file was changed {age:.1f} s ago; every service knows it after {SAFE_AGE_S:.0f} s"
                )
            self._write(kid, _keys(ring))
            return ring.current

    def retire(self, kid: str) -> None:
        """Drop a key: whatever it signed is refused from now on.

        Raises:
            StackError: it is unknown, or it is the one that signs.
        """
        with self._changing() as ring:
            self._expect(ring, kid)
            if kid == ring.current:
                raise StackError(f"{kid} is the key that signs; let another one sign first")
            keys = _keys(ring)
            del keys[kid]
            self._write(ring.current, keys)

    def rotate(self, wait_s: float, retire: str | None, sleep: Callable[[float], None] = time.sleep) -> tuple[str, str]:
        """Add a key, wait until every service knows it, let it sign, drop ``retire``; return the new and the old one.

        Raises:
            StackError: ``retire`` is unknown or signs now: what it signed a moment ago would be refused.
        """
        if retire is not None:
            ring = self.load()
            self._expect(ring, retire)
            if retire == ring.current:
                raise StackError(f"{retire} signs now, and what it has signed is still in use; retire it later")
        kid = self.add()
        sleep(max(wait_s, SAFE_AGE_S))
        before = self.use(kid)
        if retire is not None:
            self.retire(retire)
        return kid, before

    def load(self) -> KeyRing:
        """Return the ring.

        Raises:
            StackError: the file cannot be used.
        """
        try:
            return KeyRing.load(self._path)
        except KeyRingError as fault:
            raise StackError(str(fault)) from None

    @contextmanager
    def _changing(self) -> Iterator[KeyRing]:
        try:
            folder = os.open(self._path.parent, os.O_RDONLY)
        except OSError as error:
            raise StackError(f"cannot read {self._path.parent}: {error.strerror}") from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield self.load()
        finally:
            os.close(folder)

    def _write(self, current: str, keys: dict[str, bytes]) -> None:
        write_private(self._path, encode_key_file(current, keys))

    def _expect(self, ring: KeyRing, kid: str) -> None:
        if ring.get(kid) is None:
            raise StackError(f"there is no key {kid}; there are {', '.join(ring.kids)}")


def _keys(ring: KeyRing) -> dict[str, bytes]:
    found = {kid: ring.get(kid) for kid in ring.kids}
    return {kid: key for kid, key in found.items() if key is not None}
