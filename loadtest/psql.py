"""SQL from the outside: through the ``psql`` program, JSON back; no code or driver is shared with the services."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

T = TypeVar("T")
_FROM_QUERY = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "application_name": "PGAPPNAME"}


class SqlError(Exception):
    """A statement failed, or the server cannot be reached; the message is psql's."""


class Psql:
    """Runs ``.sql`` files. The address goes through the environment, so that no password shows in a process list."""

    def __init__(self, program: Path, url: str) -> None:
        self._program = program
        self._env = {**os.environ, **environment(url)}

    def run(self, script: Path, variables: Mapping[str, str] | None = None, *, timeout_s: float = 120) -> str:
        """Run the file with its variables (``:'name'`` in the SQL); return what it printed.

        Raises:
            SqlError: psql is missing, or a statement failed.
        """
        arguments = [str(self._program), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        for name, value in (variables or {}).items():
            arguments += ["-v", f"{name}={value}"]
        try:
            done = subprocess.run(
                [*arguments, "-f", str(script)],
                env=self._env,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except OSError as error:
            raise SqlError(f"cannot run {self._program}: {error.strerror}") from error
        if done.returncode:
            raise SqlError(done.stderr.strip() or f"psql ended with status {done.returncode}")
        return done.stdout

    def read(self, script: Path, form: type[T], variables: Mapping[str, str] | None = None) -> T:
        """Run a file that prints one JSON value; return it as ``form``."""
        return msgspec.json.decode(self.run(script, variables), type=form, strict=False)


def environment(url: str) -> dict[str, str]:
    """Return libpq's environment variables for a connection URL."""
    parts = urlsplit(url)
    found = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    found |= {_FROM_QUERY[name]: value for name, value in parse_qsl(parts.query) if name in _FROM_QUERY}
    return {name: value for name, value in found.items() if value}
