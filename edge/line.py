"""The one door to the store: a room's line, every act of it atomic over all edges.

Durability: the store may lose everything at any moment. What this process has seen (settings, the highest place, how
far the line was called) is carried by every call, and the scripts never go below it; a room that the store has lost is
installed again on the way. Concurrency: any number of processes may hold a line to the same room.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
from redis.exceptions import RedisError

from edge import scripts
from edge.room import SETTINGS, Change, Known, Picture, PlaceState, RoomPlan, Setting, planned
from edge.scripts import Script
from edge.store import Store

ClaimOutcome = Literal["admitted", "again", "paced", "waiting", "left", "closed"]
CLAIM_OUTCOMES: tuple[ClaimOutcome, ...] = ("admitted", "again", "paced", "waiting", "left", "closed")


class LineError(Exception):
    """The store did not do what was asked.

    Exception
    └── LineError
        ├── StoreUnavailable    it is away, or too slow; nothing is known about what it did
        ├── Healing             it has lost the line a moment ago, and touches no place yet
        ├── Closed              the room takes nobody in
    │   └── SoldOut         nothing is left to queue for
        └── Moved               the room has begun a new line; this ticket belongs to an old one
    """


class StoreUnavailable(LineError):
    """The store is away, or too slow; whatever was asked may or may not have happened."""


class Healing(LineError):
    """The store lost the line a moment ago; within a second or so every edge has said what it has seen."""


class Closed(LineError):
    """The room takes nobody in."""


class SoldOut(Closed):
    """Nothing is left to queue for."""


class Moved(LineError):
    """The room has begun a new line; the place belongs to an old one."""


class _Reply(msgspec.Struct):
    outcome: Literal[
        "installed", "amended", "kept", "joined", "closed", "healing", "seen", "changed", "moved", "missing"
    ]
    room: Picture | None = None
    first: int = 0
    standings: list[PlaceState] = []
    claims: list[ClaimOutcome] = []


_decode = msgspec.json.Decoder(_Reply, strict=False).decode


class Counting(Protocol):
    """Hears of every call that the store did not answer."""

    def store_failed(self, act: str) -> None: ...


class Line:
    """A room's line. ``now_us`` (µs since the Unix epoch) is for tests and simulations: None is the store's clock.

    Every method raises StoreUnavailable; those that touch places raise Healing.
    """

    def __init__(self, client: Store, plan: RoomPlan, counting: Counting, *, heal_s: float) -> None:
        self._client = client
        self._plan = plan
        self._counting = counting
        self._heal_us = round(heal_s * 1_000_000)
        tag = f"vestibule:{{{plan.id}}}"
        self._keys = [f"{tag}:room", f"{tag}:answered", f"{tag}:admitted", f"{tag}:left", f"{tag}:calls"]
        known = planned(plan)
        self._mark, self._settings = known.mark, known.settings
        self._joined = 0
        self._called = 0
        self.picture: Picture | None = None

    @property
    def epoch(self) -> int:
        """The line that tickets belong to, as far as this process knows; it never goes back to an older one."""
        return self._mark[0]

    @property
    def known(self) -> Known:
        """What this process would put back into a store that has lost the room."""
        epoch, version = self._mark
        return Known(
            epoch=epoch, version=version, joined=self._joined, called=self._called, settings=dict(self._settings)
        )

    def recall(self, known: Known) -> None:
        """Learn what was known before, by this process or another; what is older than the plan teaches nothing."""
        if known.epoch < self.epoch:
            return
        if known.mark > self._mark:  # where nobody has set anything, the rooms file is what counts
            self._adopt(known.mark, known.settings)
        self._joined, self._called = max(self._joined, known.joined), max(self._called, known.called)

    async def install(self, now_us: int | None = None) -> Picture:
        """Make sure that the store has the room, with the last settings this process knows; see ``install.lua``."""
        epoch, version = self._mark
        settings = [part for setting in self._settings.items() for part in setting]
        arguments = [epoch, self._plan.call_window_s, self._heal_us, version, *settings]
        return _room(await self._run(scripts.INSTALL, arguments, now_us))

    async def join(self, visitors: int, now_us: int | None = None) -> tuple[int, Picture]:
        """Take ``visitors`` consecutive places; return the first and the room.

        Raises:
            Closed, SoldOut: the room takes nobody in; no place was taken.
        """
        reply = await self._act(scripts.JOIN, [visitors], now_us)
        match reply.outcome:
            case "moved":
                return await self.join(visitors, now_us)
            case "closed":
                raise SoldOut if _room(reply).held == "sold_out" else Closed
        return reply.first, _room(reply)

    async def look(self, places: Sequence[int], now_us: int | None = None) -> tuple[list[PlaceState], Picture]:
        """Return where the places stand, in their order, and the room; the called ones count as answered.

        Raises:
            Moved: the places belong to an old line.
        """
        reply = await self._act_on(scripts.LOOK, places, now_us)
        return reply.standings, _room(reply)

    async def claim(self, places: Sequence[int], now_us: int | None = None) -> tuple[list[ClaimOutcome], Picture]:
        """Let the places through as far as the tokens go; return what became of each, and the room.

        Raises:
            Moved: the places belong to an old line.
        """
        reply = await self._act_on(scripts.CLAIM, places, now_us)
        return reply.claims, _room(reply)

    async def leave(self, places: Sequence[int], now_us: int | None = None) -> Picture:
        """Give places back for good.

        Raises:
            Moved: the places belong to an old line.
        """
        return _room(await self._act_on(scripts.LEAVE, places, now_us))

    async def left_bits(self) -> bytes:
        """Return the bitmap of the places that were given back; bit = place, the highest bit of a byte first."""
        try:
            bits = await self._client.get(self._keys[3])
        except (RedisError, OSError) as error:
            self._counting.store_failed("look")
            raise StoreUnavailable(type(error).__name__) from error
        return bits if isinstance(bits, bytes) else b""

    def saw(self, place: int) -> None:
        """Note a place of a valid ticket: the line never goes below it again."""
        self._joined = max(self._joined, place)

    async def change(self, change: Change, now_us: int | None = None) -> Picture:
        """Change the room's settings, on every edge at once."""
        wished = [change.rate_per_s, change.burst, change.state, change.reason, change.challenge, change.governor]
        arguments: list[str | int | float] = ["" if value is None else value for value in wished]
        reply = await self._run(scripts.CHANGE, arguments, now_us)
        if reply.outcome == "missing":
            await self.install(now_us)
            reply = await self._run(scripts.CHANGE, arguments, now_us)
        return _room(reply)

    async def _act_on(self, script: Script, places: Sequence[int], now_us: int | None) -> _Reply:
        self._joined = max(self._joined, *places) if places else self._joined
        reply = await self._act(script, places, now_us)
        if reply.outcome == "moved":
            raise Moved
        return reply

    async def _act(self, script: Script, arguments: Sequence[int], now_us: int | None) -> _Reply:
        reply = await self._run(script, [self.epoch, *arguments], now_us)
        if reply.room is None or (reply.room.epoch, reply.room.version) < self._mark:
            await self.install(now_us)
            if reply.outcome in {"missing", "moved"}:
                reply = await self._run(script, [self.epoch, *arguments], now_us)
        if reply.outcome == "healing" and arguments:
            raise Healing
        return reply

    async def _run(self, script: Script, arguments: Sequence[str | int | float], now_us: int | None) -> _Reply:
        now = "" if now_us is None else now_us
        try:
            text = await script.run(self._client, self._keys, [now, self._joined, self._called, *arguments])
        except (RedisError, OSError) as error:
            self._counting.store_failed(script.name)
            raise StoreUnavailable(type(error).__name__) from error
        reply = _decode(text)
        if reply.room is not None:
            self._note(reply.room)
        return reply

    def _note(self, room: Picture) -> None:
        mark = (room.epoch, room.version)
        if mark > self._mark or self.picture is None:
            self._adopt(mark, {name: getattr(room, name) for name in SETTINGS})
        elif room.epoch < self.epoch:
            return
        self._joined = max(self._joined, room.joined)
        self._called = max(self._called, room.called)
        if self.picture is None or room.epoch > self.picture.epoch or room.at_us >= self.picture.at_us:
            self.picture = room

    def _adopt(self, mark: tuple[int, int], settings: dict[str, Setting]) -> None:
        if mark[0] > self.epoch:
            self._joined, self._called = 0, 0
        if mark >= self._mark:
            self._mark, self._settings = mark, settings


def _room(reply: _Reply) -> Picture:
    if reply.room is None:
        raise StoreUnavailable("the room was lost twice in a row")
    return reply.room
