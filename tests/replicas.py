"""A real streaming replica of a test's own server."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.children import run
from deploy.stores import Postgres, _open_path_to, _run_as, free_port, postgres_program


@contextmanager
def replica_of(primary: Postgres) -> Iterator[Postgres]:
    """Copy a server that runs, and run the copy, which follows it."""
    data_dir = primary.data_dir.with_name("replica")
    data_dir.mkdir(mode=0o700)
    account = _run_as()
    if account:
        _open_path_to(data_dir, account["user"])
    command = [
        postgres_program("pg_basebackup"),
        "-D",
        str(data_dir),
        "-d",
        primary.url("postgres"),
        "-R",
        "-c",
        "fast",
    ]
    status, complaint = run(command, account)
    assert status == 0, complaint
    replica = Postgres(data_dir, free_port(), {"hot_standby": "on"})
    replica.start()
    try:
        yield replica
    finally:
        replica.stop()
