"""Bring a database to the schema this version needs, with dbmate."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from deploy.errors import StackError


def migrations_dir() -> Path:
    """Return the folder of the migrations."""
    package = find_spec("origin.db")
    if package is None or package.origin is None:
        raise StackError("the package origin.db is not installed")
    return Path(package.origin).parent / "migrations"


def dbmate() -> str:
    """Return the path of dbmate: beside our Python, else on the PATH."""
    beside = Path(sys.executable).parent / "dbmate"
    found = str(beside) if beside.exists() else which("dbmate")
    if found is None:
        raise StackError("dbmate is not installed; install vestibule[local]")
    return found


def migrate(database_url: str) -> str:
    """Create the database where it is missing, apply what is pending, and return what dbmate said.

    Several at once wait for each other.

    Raises:
        StackError: it failed; what was pending in the failed migration is rolled back.
    """
    variable = "VESTIBULE_DATABASE_URL"  # the URL may hold a password: not for the list of processes
    source = ["--env", variable, "--env-file", os.devnull, "--migrations-dir", str(migrations_dir())]
    done = subprocess.run(
        [dbmate(), *source, "--no-dump-schema", "--migration-lock", "up"],
        env={**os.environ, variable: database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"the migration failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()
