"""The machine: its cores, what runs where, and how fast it is at this moment."""

import os
import platform
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_PROBE_ROUNDS = 400_000


class BenchError(Exception):
    """A benchmark cannot be run; the message says what is missing."""


@dataclass(frozen=True)
class Cores:
    """Which core the measured server has to itself, and which the load and the stores share. None: not pinned."""

    server: int | None
    load: int | None

    def on_server(self, command: Iterable[str]) -> list[str]:
        """Return the command, pinned to the server's core."""
        return _pinned(command, self.server)

    def on_load(self, command: Iterable[str]) -> list[str]:
        """Return the command, pinned to the load's core."""
        return _pinned(command, self.load)


def cores() -> Cores:
    """Return one core for the server and another for the load where there are two and ``taskset`` is installed."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(usable) < 2 or shutil.which("taskset") is None:
        return Cores(None, None)
    return Cores(usable[0], usable[1])


@contextmanager
def kept_off(core: int | None, pids: Iterable[int]) -> Iterator[None]:
    """Keep processes and their children off ``core`` for the time of the block."""
    if core is None:
        yield
        return
    processes = [process for pid in pids for process in _family(pid)]
    before = {process.pid: process.cpu_affinity() for process in processes}
    for process in processes:
        process.cpu_affinity([other for other in before[process.pid] if other != core])
    try:
        yield
    finally:
        for process in processes:
            if process.is_running():
                process.cpu_affinity(before[process.pid])


def probe() -> float:
    """Return rounds per second of a fixed pure-CPU loop: how fast this machine is right now."""
    value, started = 1, time.perf_counter()
    for _ in range(_PROBE_ROUNDS):
        value = (value * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    return _PROBE_ROUNDS / (time.perf_counter() - started)


def describe() -> str:
    """Return one line on the machine."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a pseudo file
            model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    memory = psutil.virtual_memory().total / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _pinned(command: Iterable[str], core: int | None) -> list[str]:
    return list(command) if core is None else ["taskset", "-c", str(core), *command]
