"""Reads a booking system's capacity feed. What cannot be read in time, or cannot be understood, is no answer."""

import asyncio
from typing import Literal

import httpx
import msgspec

from shared import tls
from shared.capacity import Capacity

ReadOutcome = Literal["ok", "unreachable", "timeout", "refused", "malformed"]
READ_OUTCOMES: tuple[ReadOutcome, ...] = ("ok", "unreachable", "timeout", "refused", "malformed")
_MOST_BYTES = 256 * 1024


class Unread(Exception):
    """There is no answer; ``outcome`` says how come."""

    def __init__(self, outcome: ReadOutcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


_decode = msgspec.json.Decoder(Capacity).decode


class CapacityFeed:
    """One feed. An answer takes ``timeout_s`` at most, from the name's look-up to its last byte."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, timeout_s: float) -> None:
        self._client = client
        self._url = url
        self._timeout_s = timeout_s

    async def read(self) -> Capacity:
        """Return what the booking system says of itself now.

        Raises:
            Unread: it is unreachable, too slow, refuses, or says nothing that can be understood.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return _decode(await self._body())
        except (TimeoutError, httpx.TimeoutException):
            raise Unread("timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise Unread("unreachable") from None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Unread("malformed") from None

    async def _body(self) -> bytes:
        async with self._client.stream("GET", self._url, headers={"Accept": "application/json"}) as answer:
            if answer.status_code != 200:
                raise Unread("refused")
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise Unread("malformed")
            return body


def connect() -> httpx.AsyncClient:
    """Return a client for all feeds of a process; it follows no redirect and no proxy of the environment."""
    limits = httpx.Limits(max_connections=100, keepalive_expiry=30)
    return httpx.AsyncClient(trust_env=False, verify=tls.context(trust_env=False), limits=limits)
