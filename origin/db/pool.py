"""The database's connections: one pool per process, and what happens while it cannot serve.

Policy: closed. Whatever needs the database answers 503 with Retry-After while it is away or all connections are busy;
nothing is spent by that. (Open in one place: booking time is extended all the same, see ``origin.admission``.)
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter
from typing import Any

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from origin.db.sql import Connection
from origin.metrics import OriginMetrics
from shared import problem
from shared.problem import Problem

log = structlog.get_logger(__name__)

_SESSION = {
    "application_name": "vestibule-origin",
    "default_transaction_isolation": "read committed",  # the booking's UPDATE must see the latest row
    "statement_timeout": "5000",
    "lock_timeout": "1000",
    "idle_in_transaction_session_timeout": "10000",
    "timezone": "UTC",
    "jit": "off",
    # Plans are kept for the life of a session. One made while a table was still empty, on the eve of the opening day,
    # would scan it for ever.
    "enable_seqscan": "off",
}
_COMMAND_TIMEOUT_S = 10.0

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # seen when a server dies between two messages of one query
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
)


async def connect(url: str) -> "asyncpg.Connection[Any]":
    """Return one connection outside any pool, for commands that run once (migrate, seed, worker)."""
    return await asyncpg.connect(url)


async def create_pool(url: str, *, size: int) -> "asyncpg.Pool[Any]":
    """Return a pool of at most ``size`` connections. They are opened when first needed: the database may be away now.

    asyncpg sends a reset (UNLISTEN, RESET ALL, …) with each release, a round trip that costs up to half the
    throughput. Nothing here leaves state in a session, so the reset does nothing; an open transaction is still
    rolled back.
    """
    pool: asyncpg.Pool[Any] = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        max_queries=1_000_000_000,
        max_inactive_connection_lifetime=0,
        max_cached_statement_lifetime=0,
        command_timeout=_COMMAND_TIMEOUT_S,
        server_settings=_SESSION,
        reset=_leave_as_it_is,
    )
    return pool


async def _leave_as_it_is(_connection: Connection) -> None:
    """Reset nothing."""


class Database:
    """The pool with its waiting policy. Raises only Problems about availability; everything else passes through."""

    def __init__(self, pool: "asyncpg.Pool[Any]", metrics: OriginMetrics, *, wait_s: float) -> None:
        self._pool = pool
        self._metrics = metrics
        self._wait_s = wait_s

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["PoolConnectionProxy[Any]"]:
        """Lend a connection.

        Raises:
            Problem: 503 ``store_unavailable`` when the database is away, too slow, or no connection gets free in time.
        """
        with self.watched():
            connection = await self._acquire()
            try:
                yield connection
            finally:
                await self._pool.release(connection)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch what is asked on a connection that was lent already, as ``connection`` does.

        Raises:
            Problem: 503 ``store_unavailable`` when the database is away or too slow.
        """
        try:
            yield
        except AWAY as fault:
            self._metrics.store_errors.labels(type(fault).__name__).inc()
            log.warning("database_unavailable", fault=type(fault).__name__)
            raise Problem(problem.STORE_UNAVAILABLE, retry_after_s=2) from None

    async def _acquire(self) -> "PoolConnectionProxy[Any]":
        self._metrics.pool_waiting.inc()
        started = perf_counter()
        try:
            return await self._pool.acquire(timeout=self._wait_s)
        finally:
            self._metrics.pool_waiting.dec()
            self._metrics.pool_wait_seconds.observe(perf_counter() - started)

    async def answers(self) -> bool:
        """Return whether the database answers a query now."""
        try:
            async with self.connection() as connection:
                return bool(await connection.fetchval("SELECT true"))
        except Problem:
            return False

    async def close(self) -> None:
        """Close every connection; those in use get five seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()
