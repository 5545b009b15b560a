"""Named SQL statements out of ``.sql`` files, through aiosql, sent by asyncpg as prepared statements."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import aiosql
import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"  # generic in its stubs only


class Statement:
    """One named statement; values are given by name."""

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        self.text = text
        self._names = names

    def values(self, given: Mapping[str, object]) -> list[object]:
        """Return the values in the order of the statement's parameters ``$1, $2, …``."""
        return [given[name] for name in self._names]

    async def rows(self, connection: Connection, **given: object) -> list[asyncpg.Record]:
        """Return all rows."""
        return await connection.fetch(self.text, *self.values(given))

    async def row(self, connection: Connection, **given: object) -> asyncpg.Record | None:
        """Return the first row."""
        return await connection.fetchrow(self.text, *self.values(given))

    async def run(self, connection: Connection, **given: object) -> int:
        """Execute; return the number of rows touched."""
        status = await connection.execute(self.text, *self.values(given))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0


@cache
def load(path: Path) -> Mapping[str, Statement]:
    """Return the statements of a file by name. The file is read once."""
    queries = aiosql.from_path(path, "asyncpg", mandatory_parameters=False)
    order: Mapping[str, list[str]] = queries.driver_adapter.var_sorted
    names = [name for name in queries.available_queries if not name.endswith("_cursor")]
    return {name: Statement(str(getattr(queries, name).sql), tuple(order[name])) for name in names}
