"""A stack of its own for a test: the real command as a child, on free ports, in a temporary directory."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

from deploy.datadir import Addresses
from deploy.settings import PORT_FIELDS, variable
from deploy.stores import free_port
from tests.conftest import server_folder

VESTIBULE = str(Path(sys.executable).with_name("vestibule"))
SMALL = {"VESTIBULE_DEMO_SITES": "12", "VESTIBULE_DEMO_DAYS": "4"}
T = TypeVar("T")
_START_S = 60
_STOP_S = 30


def until(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """Wait for a condition and return what it gave; fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not (met := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return met


def free_ports() -> dict[str, str]:
    """Return the stack's port settings, each with a free port."""
    found: set[int] = set()
    while len(found) < len(PORT_FIELDS):
        found.add(free_port())
    return {variable(name): str(port) for name, port in zip(PORT_FIELDS, found, strict=True)}


def gone(pid: int) -> bool:
    """Return whether nothing runs under this number (a dead process that nobody has collected yet does not run)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def stack_folder() -> Iterator[Path]:
    """A folder for a stack."""
    with server_folder() as folder:
        yield folder / "data"


@dataclass
class Up:
    """``vestibule up`` on ``data_dir``; ``settings`` are environment variables."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {**os.environ, **SMALL, **free_ports(), "VESTIBULE_DATA_DIR": str(self.data_dir)}
        self.environment |= self.settings
        self.ready_file = self.data_dir.with_suffix(".ready.json")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Addresses:
        """Start, wait for the ready file, return its contents."""
        self.process = self.launch("--ready-file", str(self.ready_file))
        until(
            lambda: self.ready_file.exists() or self.running.poll() is not None, seconds=_START_S, what="the ready file"
        )
        assert self.running.poll() is None, self.output()
        found: Addresses = json.loads(self.ready_file.read_text())
        return found

    def launch(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command without waiting."""
        return subprocess.Popen(
            [VESTIBULE, "up", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def refusal(self) -> tuple[int, str]:
        """Start, expecting the command to end by itself; return its status and what it printed."""
        process = self.launch()
        try:
            printed, _ = process.communicate(timeout=_START_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            raise
        return process.returncode, printed

    @property
    def running(self) -> subprocess.Popen[str]:
        """The command's process."""
        assert self.process is not None
        return self.process

    def output(self) -> str:
        """Wait for the end; return everything that was printed."""
        return self.running.communicate(timeout=_STOP_S)[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, return the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.output()
        return self.running.returncode
