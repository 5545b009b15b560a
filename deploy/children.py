"""Processes of the stack: started in their own session, watched, stopped without leaving anything behind."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from deploy.errors import ChildDied

_PR_SET_PDEATHSIG = 1
_TAIL_BYTES = 8192
_TAIL_LINES = 20


@dataclass(frozen=True)
class Child:
    """A running process. ``close`` asks it to end in the way it likes best; None means SIGTERM."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path
    close: Callable[[], None] | None = None

    def check(self) -> None:
        """Raise ChildDied when the process has ended."""
        status = self.process.poll()
        if status is not None:
            raise ChildDied(self.name, status, str(self.log_path), tail(self.log_path))

    def stop(self, timeout_s: float = 10) -> None:
        """End the process and whatever it started: asked first, killed after ``timeout_s``."""
        if self.process.poll() is None:
            if self.close is not None:
                self.close()
            else:
                self._terminate(timeout_s)
        self.kill()

    def kill(self) -> None:
        """``kill -9`` the process and whatever it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()

    def _terminate(self, timeout_s: float) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()


def start(name: str, arguments: Sequence[str], environment: Mapping[str, str], log_path: Path) -> Child:
    """Start ``arguments`` with output going to the end of ``log_path``; it dies when this process does.

    Call it from the main thread: the parent-death signal follows the thread that starts the child.
    """
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            list(arguments),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
    return Child(name, process, log_path)


class Account(TypedDict, total=False):
    """Whose process it is, where not ours; as ``subprocess.Popen`` takes it."""

    user: str
    group: int
    extra_groups: list[int]


def run(arguments: Sequence[str], account: Account) -> tuple[int, str]:
    """Run a program to its end; return its status and what it complained of.

    What interrupts us kills it and everything it has started; when we are killed, it is too.
    """
    process = subprocess.Popen(
        list(arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **account,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    try:
        _, complaint = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()  # until the last of them has let go of its end
        raise
    return process.returncode, complaint


def dies_with_parent(signal_number: int) -> Callable[[], None]:
    """Return a ``preexec_fn`` that makes the child receive ``signal_number`` when its parent's main thread ends."""

    def request() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)

    return request


def tail(path: Path) -> str:
    """Return the last lines of a log, or nothing where it cannot be read."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
