"""Children end when they are told to, with all they started, and their last words can be read."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread, main_thread

import psutil
import pytest

from deploy import children
from deploy.datadir import DataDir
from deploy.errors import ChildDied, StackError

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""
_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True, file=open(sys.argv[1], "w") if sys.argv[1:] else sys.stdout)
child.wait()
"""


class _Interrupted(BaseException):
    pass


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Raise _Interrupted in the main thread, wherever it is."""

    def on_signal(*_: object) -> None:
        raise _Interrupted

    before = signal.signal(signal.SIGUSR1, on_signal)
    yield lambda: signal.pthread_kill(main_thread().ident or 0, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def _is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _start(tmp_path: Path, code: str) -> children.Child:
    return children.start("child", [sys.executable, "-c", code], os.environ, tmp_path / "child.log")


def test_one_that_ignores_the_question_is_killed(tmp_path: Path) -> None:
    child = _start(tmp_path, _STUBBORN)
    _until(child.log_path.read_bytes)

    child.stop(timeout_s=0.1)

    assert child.process.returncode == -9


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    child = _start(tmp_path, _PARENT)
    _until(lambda: child.log_path.read_text().endswith("\n"))
    grandchild = int(child.log_path.read_text())
    assert psutil.pid_exists(grandchild)

    child.stop()

    _until(lambda: _is_gone(grandchild))


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    child = _start(tmp_path, "pass")

    child.stop()
    child.stop()

    assert child.process.returncode is not None


def test_one_that_ended_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = _start(tmp_path, "import sys; print('x' * 20000); print('no such thing'); sys.exit(3)")
    child.process.wait()

    with pytest.raises(ChildDied, match="child ended with status 3") as died:
        child.check()

    assert died.value.tail.endswith("no such thing")
    assert len(died.value.tail) < 10_000


def test_a_program_is_run_to_its_end() -> None:
    assert children.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"], {}) == (1, "no such thing\n")
    assert children.run([sys.executable, "-c", "print('well')"], {}) == (0, "")


def test_an_interrupt_ends_a_program_and_what_it_started(tmp_path: Path, interrupt: Callable[[], None]) -> None:
    told = tmp_path / "grandchild"

    def interrupt_once_both_run() -> None:
        _until(lambda: told.exists() and told.read_text())
        interrupt()

    Thread(target=interrupt_once_both_run).start()
    with pytest.raises(_Interrupted):
        children.run([sys.executable, "-c", _PARENT, str(told)], {})

    _until(lambda: _is_gone(int(told.read_text())))


def test_a_data_directory_is_held_by_one_stack(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")

    with data.locked(), pytest.raises(StackError, match=f"process {os.getpid()}"), data.locked():
        pass

    with data.locked():
        pass
