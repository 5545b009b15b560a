"""How both services are served."""

import asyncio
import gc
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from shared.protocol import Protocol

_GRACE_S = 5


def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    http: type[asyncio.Protocol] | Literal["httptools"] = Protocol,
) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way finish, for some seconds.

    Args:
        http: ours, or uvicorn's own, to compare it with.
    """
    # What is there now stays for the life of the process: the collector need not walk over it, again and again, while
    # everybody who has asked something waits.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=http,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # whose word is taken for who asks is the application's to say
        timeout_graceful_shutdown=_GRACE_S,
    )
