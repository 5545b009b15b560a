"""Wait until HTTP services answer, without going through anybody's proxy."""

import http.client
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from deploy.errors import StackError

_POLL_S = 0.03


def answers(url: str, timeout_s: float = 2) -> bool:
    """Return whether a GET of ``url`` is answered with 200 now."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path or "/", headers={"Connection": "close"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for_all(urls: Mapping[str, str], check: Callable[[], None], *, timeout_s: float) -> None:
    """Wait until every URL answers; ``check`` is called in between and may raise.

    Raises:
        StackError: some do not answer within ``timeout_s``; it names them.
    """
    deadline = time.monotonic() + timeout_s
    waiting = dict(urls)
    while waiting:
        check()
        waiting = {name: url for name, url in waiting.items() if not answers(url)}
        if waiting and time.monotonic() > deadline:
            raise StackError(f"no answer within {timeout_s:.0f} s from {', '.join(sorted(waiting))}")
        if waiting:
            time.sleep(_POLL_S)
