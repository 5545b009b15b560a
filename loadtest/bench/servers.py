"""The servers under measurement: ours and the bare ones they are compared with, each on the server's core."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from loadtest.bench.machine import BenchError, Cores

_START_S = 30.0
_STOP_S = 10.0


@dataclass(frozen=True)
class Server:
    """A server that runs: its address and its process."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """Return the seconds of CPU time that the process has used: to the nanosecond where the kernel counts so."""
        try:
            counted = [path.read_text().split()[0] for path in Path(f"/proc/{self.pid}/task").glob("*/schedstat")]
        except OSError:  # a thread that ended meanwhile
            return self.cpu_s()
        if counted:
            return sum(map(int, counted)) / 1e9
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def serving(
    name: str, command: Sequence[str], env: Mapping[str, str], port: int, cores: Cores, work_dir: Path, ready: str
) -> Iterator[Server]:
    """Run a server for the time of the block.

    Raises:
        BenchError: it does not answer ``ready`` with 200 within 30 s; its log is named.
    """
    url, log_path = f"http://127.0.0.1:{port}", work_dir / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            cores.on_server(command), env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait(process, url + ready, f"{name} (log: {log_path})")
        yield Server(url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def bare_command(module: str, port: int, *options: str) -> tuple[str, ...]:
    """Return the command of one of this package's own bare servers."""
    return (sys.executable, "-m", f"loadtest.bench.{module}", str(port), *options)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], url: str, what: str) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BenchError(f"{what} ended at its start with status {process.returncode}")
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise BenchError(f"{what} does not answer within {_START_S:.0f} s")
