"""Fresh databases for tests: each is made while the test before it runs, and dropped while the one after it does."""

import asyncio
import os
from concurrent.futures import Future, ThreadPoolExecutor

import asyncpg

from deploy.stores import Postgres


class Databases:
    """Copies of a template database on one server, made and dropped by a thread of its own."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server = server
        self._template = template
        self._worker = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._dropped: list[Future[None]] = []
        self._next = self._worker.submit(self._make)

    def take(self) -> str:
        """Return the URL of a database that nobody has used, and have the next one made."""
        name = self._next.result()
        self._next = self._worker.submit(self._make)
        return self._server.url(name)

    def drop(self, url: str) -> None:
        """Have a database dropped, whoever is still connected to it."""
        name = url.rpartition("/")[2].partition("?")[0]
        self._dropped.append(self._worker.submit(self._execute, f"DROP DATABASE {name} WITH (FORCE)"))

    def close(self) -> None:
        """Wait for what is under way; raise what went wrong with any of it."""
        self._next.result()
        for dropped in self._dropped:
            dropped.result()
        self._worker.submit(self._runner.close).result()
        self._worker.shutdown()

    def _make(self) -> str:
        name = f"test_{os.urandom(6).hex()}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return name

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self._server.url("postgres"))
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        self._runner.run(execute())
