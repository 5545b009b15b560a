"""The data directory of a stack: what lies where, who may read it, and that only one stack uses it at a time."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from deploy.errors import StackError

_LARGE_LOG = 5_000_000


class Addresses(TypedDict):
    """What a running stack tells others: the contents of the ready file."""

    edge_url: str
    origin_url: str
    identity_url: str
    database_url: str
    redis_url: str
    data_dir: str
    pids: dict[str, int]


@dataclass(frozen=True)
class DataDir:
    """Paths below the data directory."""

    root: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's own files."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's own files."""
        return self.root / "valkey"

    @property
    def issuer(self) -> Path:
        """The local issuer's key pair."""
        return self.root / "issuer"

    @property
    def rooms(self) -> Path:
        """The edge's rooms."""
        return self.root / "rooms.json"

    @property
    def running(self) -> Path:
        """Addresses of the stack that runs on this directory; absent while none does."""
        return self.root / "running.json"

    def key_file(self, name: str) -> Path:
        """Return the path of the key ring called ``name``."""
        return self.root / "keys" / f"{name}.json"

    def log(self, name: str) -> Path:
        """Return the path of a process's log, its folder made; one that has grown large is put aside once."""
        folder = self.root / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.log"
        if path.exists() and path.stat().st_size > _LARGE_LOG:
            path.replace(path.with_suffix(".old.log"))
        return path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one stack.

        Raises:
            StackError: another stack holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise StackError(
                    f"a stack already runs on {self.root} (process {lock.read().strip() or 'unknown'}); "
                    "stop it, or set VESTIBULE_DATA_DIR to another directory"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)

    def addresses(self) -> Addresses | None:
        """Return where the stack on this directory answers, or None where none runs."""
        try:
            found: Addresses = json.loads(self.running.read_text())
        except FileNotFoundError:
            return None
        return found


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in one step: whoever reads it sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    unfinished.replace(path)


def write_addresses(path: Path, addresses: Addresses) -> None:
    """Write the ready file."""
    write_private(path, json.dumps(addresses, indent=2).encode() + b"\n")
