"""The one door to the store: a room's line, every act of it atomic over all edges.

Durability: the store may lose everything at any moment. What this process has seen (settings, the highest number of
each lane, how far it was called) is carried by every call, and the scripts never go below it; a room that the store
has lost is installed again on the way. Concurrency: any number of processes may hold a line to the same room.
"""

from collections.abc import Awaitable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Literal, Protocol, TypeVar

import msgspec
from redis.exceptions import RedisError

from edge.line import scripts
from edge.line.keys import RoomKeys
from edge.line.lottery import Draw
from edge.line.room import Known, Picture, PlaceState, RoomPlan, Setting, Spot, highest, planned
from edge.line.scripts import Script
from edge.line.store import Store
from shared.ids import Ids

ClaimOutcome = Literal["admitted", "again", "spent", "paced", "waiting", "left", "closed"]
CLAIM_OUTCOMES: tuple[ClaimOutcome, ...] = ("admitted", "again", "spent", "paced", "waiting", "left", "closed")
Refused = Literal["", "closed", "draining", "scheduled"]


class LineError(Exception):
    """The store did not do what was asked.

    Exception
    └── LineError
        ├── StoreUnavailable    it is away, or too slow; nothing is known about what it did
        ├── Healing             it has lost the line a moment ago, and touches no place yet
        ├── Closed              the room takes nobody in
        │   ├── SoldOut         nothing is left to queue for
        │   ├── Draining        the room serves those who are in line, and nobody else
        │   └── Scheduled       nobody may join yet
        ├── Late                the settings are others than those that the change was thought of for
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


class Draining(Closed):
    """The room serves those who are in line, and nobody else."""


class Scheduled(Closed):
    """Nobody may join yet."""


class Late(LineError):
    """The settings are others than those that the change was thought of for: it was not made."""


class Moved(LineError):
    """The room has begun a new line; the place belongs to an old one."""


class Joins(msgspec.Struct, frozen=True):
    """What became of those who joined a lane: the number of the first of them, or why nobody could join."""

    first: int
    refused: Refused


class _Reply(msgspec.Struct):
    outcome: Literal["installed", "amended", "kept", "joined", "healing", "seen", "changed", "late", "moved", "missing"]
    room: Picture | None = None
    joins: list[Joins] = []
    standings: list[PlaceState] = []
    claims: list[ClaimOutcome] = []


T = TypeVar("T")

_decode = msgspec.json.Decoder(_Reply, strict=False).decode


class Counting(Protocol):
    """Hears of every call that the store did not answer."""

    def store_failed(self, act: str) -> None: ...


class Line:
    """A room's line. ``now_us`` (µs since the Unix epoch) is for tests and simulations: None is the store's clock.

    Every method that asks the store raises StoreUnavailable; those that touch places raise Healing.
    """

    def __init__(self, client: Store, plan: RoomPlan, counting: Counting, *, heal_s: float, ids: Ids) -> None:
        self._client = client
        self._ids = ids
        self._plan = plan
        self._counting = counting
        self._heal_us = round(heal_s * 1_000_000)
        self.keys = RoomKeys(plan)
        known = planned(plan)
        self._mark, self._settings = known.mark, known.settings
        self._joined, self._called = known.joined, known.called
        self._revoked, self._revoked_at = "", 0
        self.picture: Picture | None = None

    @property
    def epoch(self) -> int:
        """The line that tickets belong to, as far as this process knows; it never goes back to an older one."""
        return self._mark[0]

    @property
    def known(self) -> Known:
        """What this process would put back into a store that has lost the room."""
        epoch, version = self._mark
        settings = self._settings | {"revoked": self._revoked, "revoked_at": self._revoked_at}
        return Known(
            epoch=epoch, version=version, joined=list(self._joined), called=list(self._called), settings=settings
        )

    @property
    def revoked(self) -> str:
        """The list of revoked passes, as far as this process has read it."""
        return self._revoked

    def recall(self, known: Known) -> None:
        """Learn what was known before, by this process or another; what is older than the plan teaches nothing."""
        if known.epoch < self.epoch or len(known.joined) != len(self._joined):
            return
        if known.mark > self._mark:  # where nobody has set anything, the rooms file is what counts
            settings = dict(known.settings)
            self._revoked, self._revoked_at = str(settings.pop("revoked", "")), int(settings.get("revoked_at", 0))
            self._adopt(known.mark, settings)
        self._joined = _most(self._joined, known.joined)
        self._called = _most(self._called, known.called)

    def place_of(self, lane: int, number: int, *, entry: bool) -> int:
        """Return the place of a ticket; 0 for an entry of a lottery that is not drawn."""
        return self._drawn(lane, number) if entry else number

    async def install(self, now_us: int | None = None) -> Picture:
        """Make sure that the store has the room, with the last settings this process knows; see ``install.lua``."""
        return _room(await self._install(self.known, "", now_us))

    async def reset(self, row: str, now_us: int | None = None, *, reason: str = "", seen: int | None = None) -> Picture:
        """Begin a new line: every ticket of the old one is stale. Settings stay; a lottery gets another seed.

        Args:
            seen: version of the settings that the row was written for; None: those that this process knows.

        Raises:
            Late: settings or line are others than that, or the store had lost them: nothing was done.
        """
        if seen not in {None, self._mark[1]}:
            raise Late
        fresh: dict[str, Setting] = {name: -1 for name in self._settings if name.endswith(".entries")}
        known = self.known
        nobody = [0] * len(known.joined)
        settings = known.settings | fresh | {"seed": "", "reason": reason}
        begun = Known(epoch=known.epoch + 1, version=known.version, joined=nobody, called=nobody, settings=settings)
        reply = await self._install(begun, row, now_us)
        if reply.outcome != "installed":
            raise Late
        return _room(reply)

    async def join(self, visitors: Sequence[int], now_us: int | None = None) -> tuple[list[Joins], Picture]:
        """Take consecutive numbers for so many visitors of each lane; return what became of each lane's, and the
        room.
        """
        reply = await self._act(scripts.JOIN, visitors, now_us)
        if reply.outcome == "moved":
            return await self.join(visitors, now_us)
        return reply.joins, _room(reply)

    async def look(self, spots: Sequence[Spot], now_us: int | None = None) -> tuple[list[PlaceState], Picture]:
        """Return where tickets stand, in their order, and the room.

        Raises:
            Moved: the tickets belong to an old line.
        """
        reply = await self._act_on(scripts.LOOK, spots, now_us)
        return reply.standings, _room(reply)

    async def claim(self, spots: Sequence[Spot], now_us: int | None = None) -> tuple[list[ClaimOutcome], Picture]:
        """Let tickets through as far as the tokens go; return what became of each, and the room.

        Raises:
            Moved: the tickets belong to an old line.
        """
        reply = await self._act_on(scripts.CLAIM, spots, now_us)
        return reply.claims, _room(reply)

    async def leave(self, spots: Sequence[Spot], now_us: int | None = None) -> Picture:
        """Give tickets back for good.

        Raises:
            Moved: the tickets belong to an old line.
        """
        return _room(await self._act_on(scripts.LEAVE, spots, now_us))

    async def left_bits(self, lane: int) -> bytes:
        """Return the bitmap of a lane's tickets that were given back; bit = number, the highest of a byte first."""
        bits = await self._ask("look", self._client.get(self.keys.left(lane)))
        return bits if isinstance(bits, bytes) else b""

    async def read_revoked(self) -> None:
        """Read the list of revoked passes, unless the store's is older than what this process knows."""
        text, at = await self._ask("look", self._client.hmget(self.keys.room, ["revoked", "revoked_at"]))
        revoked_at = int(at or 0)
        if revoked_at >= self._revoked_at:
            self._revoked, self._revoked_at = text.decode() if isinstance(text, bytes) else "", revoked_at

    def saw(self, spot: Spot) -> None:
        """Note a valid ticket: its lane never goes below it again."""
        self._joined[spot.lane] = max(self._joined[spot.lane], spot.number, spot.place)

    async def change(
        self, settings: Mapping[str, Setting], row: str = "", seen: int | None = None, now_us: int | None = None
    ) -> Picture:
        """Change settings of the room, on every edge at once, and write the row into its log; see ``change.lua``.

        Args:
            settings: by the names of the room's fields, see ``SETTINGS`` and ``LANE_SETTINGS``; also ``revoked``.
            seen: version of the settings that the change was thought of for; None: whatever they are.

        Raises:
            Late: they are others by now: nothing was changed.
        """
        arguments: list[Setting] = [row, "" if seen is None else seen]
        arguments += [part for setting in settings.items() for part in setting]
        reply = await self._run(scripts.CHANGE, arguments, now_us)
        if reply.outcome == "missing":
            await self.install(now_us)
            reply = await self._run(scripts.CHANGE, arguments, now_us)
        if reply.outcome == "late":
            raise Late
        picture = _room(reply)
        if "revoked" in settings:
            self._revoked, self._revoked_at = str(settings["revoked"]), picture.revoked_at
        return picture

    async def _install(self, known: Known, row: str, now_us: int | None) -> _Reply:
        settings = [part for setting in known.settings.items() for part in setting]
        seed = new_seed(self._ids)  # proposed anew each time; the store keeps the first
        arguments = [self._plan.call_window_s, self._heal_us, known.version, row, seed, *settings]
        return await self._run(scripts.INSTALL, arguments, now_us, known)

    def _drawn(self, lane: int, entry: int) -> int:
        entries, seed = int(self._settings[f"{lane + 1}.entries"]), str(self._settings["seed"])
        if not seed or not 1 <= entry <= entries:
            return 0
        return _draw(seed, self._plan.id, self.epoch, self._plan.lanes[lane].lane, entries).place(entry)

    async def _act_on(self, script: Script, spots: Sequence[Spot], now_us: int | None) -> _Reply:
        if spots:
            self._joined = _most(self._joined, highest(spots, len(self._joined)))
        reply = await self._act(script, [part for spot in spots for part in spot], now_us)
        if reply.outcome == "moved" and spots:
            raise Moved
        return reply

    async def _act(self, script: Script, arguments: Sequence[int], now_us: int | None) -> _Reply:
        reply = await self._run(script, arguments, now_us)
        if reply.room is None or self._knows_more(reply.room):
            await self.install(now_us)
            if reply.outcome in {"missing", "moved"}:
                reply = await self._run(script, arguments, now_us)
        if reply.outcome == "healing" and arguments:
            raise Healing
        return reply

    async def _run(
        self, script: Script, arguments: Sequence[Setting], now_us: int | None, known: Known | None = None
    ) -> _Reply:
        epoch = known.epoch if known else self.epoch
        joined, called = (known.joined, known.called) if known else (self._joined, self._called)
        seen = [part for lane in zip(joined, called, strict=True) for part in lane]
        keys = self.keys.of(script)
        now = "" if now_us is None else now_us
        asked = script.run(self._client, keys, [now, epoch, *seen, *arguments])
        reply = _decode(await self._ask(script.name, asked))
        if reply.room is not None:
            self._note(reply.room)
        return reply

    async def _ask(self, act: str, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except (RedisError, OSError) as error:
            self._counting.store_failed(act)
            raise StoreUnavailable(type(error).__name__) from error

    def _knows_more(self, room: Picture) -> bool:
        return (room.epoch, room.version) < self._mark or room.revoked_at < self._revoked_at

    def _note(self, room: Picture) -> None:
        mark = (room.epoch, room.version)
        if mark > self._mark or self.picture is None:
            self._adopt(mark, room.settings)
        elif room.epoch < self.epoch:
            return
        for index, lane in enumerate(room.lanes):
            self._joined[index] = max(self._joined[index], lane.joined)
            self._called[index] = max(self._called[index], lane.called)
        if self.picture is None or room.epoch > self.picture.epoch or room.at_us >= self.picture.at_us:
            self.picture = room

    def _adopt(self, mark: tuple[int, int], settings: dict[str, Setting]) -> None:
        if mark[0] > self.epoch:
            self._joined = [0] * len(self._joined)
            self._called = [0] * len(self._called)
        if mark >= self._mark:
            self._mark, self._settings = mark, settings


def new_seed(ids: Ids) -> str:
    """Return a seed for a lottery, in hex."""
    return sha256(ids.secret(32).encode()).hexdigest()


def _room(reply: _Reply) -> Picture:
    if reply.room is None:
        raise StoreUnavailable("the room was lost twice in a row")
    return reply.room


def _most(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [max(pair) for pair in zip(one, other, strict=True)]


@lru_cache(maxsize=256)
def _draw(seed: str, room: str, epoch: int, lane: str, entries: int) -> Draw:
    return Draw(bytes.fromhex(seed), room=room, epoch=epoch, lane=lane, entries=entries)
