"""Codes that carry a place to another device: each works once, for ten minutes.

The store keeps the ticket under the code's SHA-256, so that whoever sees the names of keys (a slow log, a list of them)
learns no code. A code has 50 random bits: with a hundred thousand codes alive, one guess in ten billion hits, and an
address may guess as often as the room's limit on ``acts`` says. A store that loses everything loses codes too;
the place is not in danger, for the first device still has it.
"""

import hashlib
import re
from collections.abc import Awaitable
from typing import TypeVar

from redis.exceptions import RedisClusterException, RedisError

from edge import base32
from edge.line.line import Counting, StoreUnavailable
from edge.line.store import Store
from shared.ids import Ids

LIVES_S = 600
MAX_TEXT_LENGTH = 64
_LENGTH, _GROUP = 10, 5
_CODE = re.compile(f"[{base32.SYMBOLS}]{{{_LENGTH}}}")
T = TypeVar("T")


class ResumeCodes:
    """The codes of all rooms."""

    def __init__(self, client: Store, counting: Counting, ids: Ids) -> None:
        self._client = client
        self._counting = counting
        self._ids = ids

    async def write(self, room: str, ticket: str) -> str:
        """Return a new code for a ticket, as it is shown; it lives for ``LIVES_S`` seconds on the store's clock.

        Raises:
            StoreUnavailable: there is no code.
        """
        while True:
            symbols = base32.encode(hashlib.sha256(self._ids.secret(16).encode()).digest())[:_LENGTH]
            if await self._ask("carry", self._client.set(_key(room, symbols), ticket, ex=LIVES_S, nx=True)):
                return base32.grouped(symbols, _GROUP)

    async def take(self, room: str, text: str) -> str | None:
        """Use up a code; return its ticket, None where there is no such code, or no longer.

        Guarantee: of all attempts to take a code, over all edges, one gets the ticket. Typing is forgiven, see
        ``base32.meant``.

        Raises:
            StoreUnavailable: nothing is known about whether it was used up.
        """
        symbols = base32.meant(text)
        if not _CODE.fullmatch(symbols):
            return None
        ticket = await self._take(_key(room, symbols))
        return ticket.decode() if isinstance(ticket, bytes) else None

    async def _take(self, key: str) -> bytes | str | None:
        return await self._ask("resume", self._client.getdel(key))

    async def _ask(self, act: str, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except (RedisError, RedisClusterException, OSError) as error:
            self._counting.store_failed(act)
            raise StoreUnavailable(type(error).__name__) from error


def _key(room: str, symbols: str) -> str:
    return f"vestibule:{{{room}}}:resume:{hashlib.sha256(symbols.encode()).hexdigest()}"
