"""How often one address may do something: exact over all edges, and nearly free for those who are far below the limit.

The store keeps, per address, a moving window of *shares*, twentieths of the limit (library ``limits``). An edge takes
a share from it and spends it in its own memory, so one request in so many makes a round trip to the store; the first
share of a minute is lent without asking, and charged with the second. Hence, with n edges and a limit of q per window:

- nobody is refused who stays below q x (1 - n/10) in every window;
- nobody gets more than q x (1 + n/10) in one; below 40 a share is one request, nothing is lent, and q is exact;
- who is over the limit is refused out of memory: a flood costs the store nothing.

The store being away is no reason to refuse: then the share is given without it, and counted (``limits_open``).
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisClusterException, RedisError

from edge.line.store import Store
from shared.clock import Clock, elapsed_s

WINDOW_S = 60
_SHARES = 20
_MOST_ACCOUNTS = 100_000  # addresses remembered at once, some 20 MB; forgetting one lends it another share
_OPEN_S = 1.0  # how long a store that did not answer is not asked again


class Limited(Exception):
    """An address is over its limit until ``retry_after_s`` have passed."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many requests")
        self.retry_after_s = retry_after_s


class SharedStorage(RedisStorage):
    """The library's storage on the edge's own connections, be it one server or a cluster."""

    STORAGE_SCHEME = None  # type: ignore[assignment]  # not to be found by address

    def __init__(self, client: Store) -> None:
        self._client = client
        super().__init__("redis://", implementation="redispy", key_prefix="vestibule:limits")

    def configure_bridge(self) -> None:
        self.bridge.storage = self._client  # type: ignore[attr-defined]  # the bridge's types are the library's own
        self.bridge.connection_getter = lambda _readonly: self._client  # type: ignore[attr-defined]  # as above


@dataclass(slots=True)
class _Account:
    """One address: what it may still do without asking, what it has done, and until when it is refused."""

    credit: int
    owes: bool
    used: int = 0
    asked: bool = False
    blocked_until: float = 0
    asking: "asyncio.Task[None] | None" = None


class Quota:
    """The limit of one kind of request, in requests per minute and address."""

    def __init__(
        self, name: str, per_window: int, limiter: MovingWindowRateLimiter, clock: Clock, failed: Callable[[], None]
    ) -> None:
        self.per_window = per_window
        self._share = max(1, per_window // _SHARES)
        self._lent = self._share if self._share > 1 else 0
        self._item: RateLimitItem = RateLimitItemPerSecond(per_window // self._share, WINDOW_S, namespace=name)
        self._limiter = limiter
        self._clock = clock
        self._failed = failed
        self._accounts: dict[str, _Account] = {}
        self._ends_at = 0.0
        self._open_until = 0.0

    def take(self, address: str, now: float) -> int | None:
        """Count one request out of memory; return how many are left as far as is known, or None: ``ask``.

        ``now``: ``elapsed_s``.
        """
        account = self._accounts.get(address)
        if account is None or now >= self._ends_at:
            account = self._begin(address, now)
        if account.credit < 1:
            return None
        account.credit -= 1
        account.used += 1
        return max(0, self.per_window - account.used)

    async def ask(self, address: str, now: float) -> int:
        """Count one request with the store's consent; return how many are left as far as is known.

        Raises:
            Limited: it would be one too many.
        """
        while (left := self.take(address, now)) is None:
            account = self._accounts[address]
            if account.blocked_until > now:
                raise Limited(math.ceil(account.blocked_until - now))
            if account.asking is None:
                account.asking = asyncio.create_task(self._more(address, account))
            await asyncio.shield(account.asking)
            now = elapsed_s()
        return left

    def seconds_left(self, now: float) -> int:
        """Return how long it takes until what is left is counted anew."""
        return max(1, math.ceil(self._ends_at - now))

    def _begin(self, address: str, now: float) -> _Account:
        if now >= self._ends_at or len(self._accounts) >= _MOST_ACCOUNTS:
            self._turn(now)
        return self._accounts.setdefault(address, _Account(self._lent, owes=self._lent > 0))

    def _turn(self, now: float) -> None:
        """Forget who has done little; the others go on with what they have left."""
        kept = {a: each for a, each in self._accounts.items() if each.asked or each.asking or each.blocked_until > now}
        for each in kept.values():
            each.used, each.asked = 0, False
        self._accounts = kept if len(kept) < _MOST_ACCOUNTS // 2 else {}
        self._ends_at = now + WINDOW_S

    async def _more(self, address: str, account: _Account) -> None:
        account.asked = True
        try:
            if elapsed_s() < self._open_until or await self._granted(address, account):
                account.credit += self._share
            else:
                stats = await self._limiter.get_window_stats(self._item, address)
                wait = min(WINDOW_S, max(1.0, stats.reset_time - self._clock.unix()))
                account.blocked_until = elapsed_s() + wait
        except (RedisError, RedisClusterException, OSError):
            self._failed()
            self._open_until = elapsed_s() + _OPEN_S
            account.credit += self._share
        finally:
            account.asking = None

    async def _granted(self, address: str, account: _Account) -> bool:
        owes, account.owes = account.owes, False
        if owes and await self._limiter.hit(self._item, address, cost=2):
            return True
        return await self._limiter.hit(self._item, address)
