"""Load: ``wrk``, pinned to its core, sending prepared requests."""

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from loadtest.bench.machine import BenchError, Cores
from loadtest.bench.measure import Rate
from loadtest.bench.servers import Server

_SCRIPT = Path(__file__).with_name("replay.lua")
_SEPARATOR = b"\x1e"


class Load(msgspec.Struct, frozen=True):
    """What one run of wrk saw. ``statuses``: answers by status."""

    answered: int
    seconds: float
    p50_ms: float
    p99_ms: float
    ran_out: int
    statuses: dict[str, int]

    def rate(self, status: int) -> float:
        """Return answers with ``status`` per second.

        Raises:
            BenchError: more than one in a hundred answers had another status, so that something else was measured.
        """
        right = self.statuses.get(str(status), 0)
        if right < 0.99 * self.answered or not self.seconds:
            raise BenchError(f"expected {status}, got {self.statuses or 'no answer'}")
        return right / self.seconds


def find() -> str:
    """Return the program.

    Raises:
        BenchError: it is not installed.
    """
    program = shutil.which("wrk")
    if program is None:
        raise BenchError("the benchmarks need wrk, which is not installed; on Debian: apt-get install wrk")
    return program


def request(method: str, url: str, headers: Mapping[str, str] | None = None, body: object = None) -> bytes:
    """Return a complete HTTP/1.1 request."""
    parts = urlsplit(url)
    content = b"" if body is None else msgspec.json.encode(body)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append("Content-Type: application/json")
    if body is not None or method == "POST":
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


class Wrk:
    """Runs wrk on one thread. ``work_dir`` takes the prepared requests."""

    def __init__(self, cores: Cores, work_dir: Path) -> None:
        self._program = find()
        self._cores = cores
        self._work_dir = work_dir

    def prepare(self, name: str, requests: Iterable[bytes]) -> Path:
        """Write requests to a file for ``run``."""
        path = self._work_dir / f"{name}.requests"
        path.write_bytes(b"".join(one + _SEPARATOR for one in requests))
        return path

    def rate(
        self,
        server: Server,
        requests: Path,
        status: int,
        *,
        seconds: float,
        connections: int,
        mode: Literal["loop", "once"] = "loop",
    ) -> Rate:
        """Return how many answers with ``status`` a server gives.

        Raises:
            BenchError: wrk failed, or other answers came.
        """
        before = server.cpu_s()
        load = self.run(server.url, requests, seconds=seconds, connections=connections, mode=mode)
        return Rate(load.rate(status), load.answered / (server.cpu_s() - before))

    def run(
        self,
        url: str,
        requests: Path,
        *,
        seconds: float,
        connections: int,
        mode: Literal["loop", "once"] = "loop",
        answers: Path | None = None,
    ) -> Load:
        """Send requests to the server at ``url`` for a while.

        Raises:
            BenchError: wrk failed; the message is its own.
        """
        command = [self._program, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(_SCRIPT), url]
        command += ["--", str(requests), mode, *([str(answers)] if answers else [])]
        done = subprocess.run(self._cores.on_load(command), capture_output=True, text=True, check=False)
        results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode or not results:
            raise BenchError(f"wrk failed: {(done.stderr or done.stdout).strip()[:500]}")
        return msgspec.json.decode(results[0].removeprefix("RESULT "), type=Load)


def read_answers(path: Path) -> list[tuple[int, bytes]]:
    """Return what the servers answered, in order: status and body."""
    found = []
    for one in path.read_bytes().split(_SEPARATOR)[:-1]:
        status, _, body = one.partition(b" ")
        found.append((int(status), body))
    return found
