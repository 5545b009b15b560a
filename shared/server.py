"""How both services are served."""

import asyncio
import gc
import resource
from contextlib import suppress
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from shared.protocol import Protocol

_GRACE_S = 5
# Longer than proxies keep a connection on which nothing is asked (60 s, as a rule), and than anybody waits before
# asking again (66 s): whoever asks just as a connection is closed gets no answer.
_KEEP_ALIVE_S = 75


def _allow_all_connections() -> None:
    """Raise the limit of open files as far as we may: it is often 1,024, and everybody who waits is a connection."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # no limit that the system knows: what is set stays
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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
    _allow_all_connections()
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
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
