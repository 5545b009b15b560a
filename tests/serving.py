"""Serving an app over real HTTP, as it is served, but gone as soon as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from socket import socket
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from shared.protocol import Protocol

Serve = Callable[[ASGIApp], Awaitable[str]]
"""What the fixture ``serve`` is: serves an app, returns its base URL."""


class _Server(uvicorn.Server):
    """Ends at once when it is told; the library looks ten times a second, and then waits for a tenth of one."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def leave(self) -> None:
        """End."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        ticks = count()
        while not await self.on_tick(next(ticks)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(3):  # turns of the event loop, in which idle connections learn that they are closed
            await asyncio.sleep(0)
        await self._wait_tasks_to_complete()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(
    app: ASGIApp,
    port: int = 0,
    http: type[asyncio.Protocol] | Literal["httptools"] = Protocol,
    keep_alive_s: int = 60,
) -> AsyncIterator[str]:
    """Run uvicorn in this event loop; connections on which nothing is asked are closed late."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=http,
        log_level="warning",
        access_log=False,
        lifespan="on",
        proxy_headers=False,
        timeout_keep_alive=keep_alive_s,
    )
    server = _Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test runner owns the signals
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
            raise RuntimeError("the app did not start")
        await asyncio.sleep(0.005)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.leave()
        await task
