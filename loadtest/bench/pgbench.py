"""The database by itself: one statement over and over, sent by ``pgbench``."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from loadtest.bench.machine import BenchError, Cores
from loadtest.psql import environment

_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


class Pgbench:
    """Runs ``pgbench`` on the load's core, prepared, its statement committed each time."""

    def __init__(self, program: Path, url: str, cores: Cores) -> None:
        self._program = program
        self._env = {**os.environ, **environment(url)}
        self._cores = cores

    def rate(self, script: Path, variables: Mapping[str, str], *, seconds: float, connections: int) -> float:
        """Return transactions per second.

        Raises:
            BenchError: it is missing, or failed; the message is its own.
        """
        command = [str(self._program), "-n", "-M", "prepared", "-c", str(connections), "-j", "1"]
        command += ["-T", str(max(1, round(seconds))), "-f", str(script)]
        for name, value in variables.items():
            command += ["-D", f"{name}={value}"]
        try:
            done = subprocess.run(
                self._cores.on_load(command), env=self._env, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise BenchError(f"cannot run {self._program}: {error.strerror}") from error
        found = _RATE.search(done.stdout)
        if done.returncode or found is None:
            raise BenchError(f"pgbench failed: {(done.stderr or done.stdout).strip()[:500]}")
        return float(found[1])
