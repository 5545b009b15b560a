"""Keeps the rooms of this process and the register in step: a room created on one edge is open on all within a second.

Durability: each edge carries the whole register, in memory and in its state folder, and puts back what a store has
lost, as it does with settings. The rooms file wins for its own ids.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog

from edge import register
from edge.line.desk import Desk
from edge.line.kept import RegisterKeeper
from edge.line.line import Healing, LineError, StoreUnavailable
from edge.line.room import RoomPlan
from edge.ops.told import creation_row
from edge.register import Creation, Register
from edge.rooms import Rooms
from shared.clock import rest

log = structlog.get_logger(__name__)

REFRESH_S = 0.3


class RoomExists(Exception):
    """The id is taken, here or on another edge."""


class TooManyRooms(Exception):
    """There are as many created rooms as there can be."""


class Registrar:
    """What one process knows of the register."""

    def __init__(self, store: Register, rooms: Rooms, keeper: RegisterKeeper) -> None:
        self._store = store
        self._rooms = rooms
        self._keeper = keeper
        self._entries: dict[str, bytes] = {}
        self._creations: dict[str, Creation] = {}
        self._version = ""

    @property
    def has_read(self) -> bool:
        """Whether this process has seen the register, so that no room of it is missing here for long."""
        return self._version != ""

    def created(self, room: str) -> Creation | None:
        """Return who created a room; None where the rooms file did."""
        return self._creations.get(room)

    async def begin(self) -> None:
        """Open the created rooms; a store that is away leaves those that were kept. What the store has, wins."""
        recalled = self._keeper.read()
        found: Mapping[str, bytes] = {}
        with suppress(StoreUnavailable):
            _, found = await self._store.entries()
        self._learn({**recalled, **found})
        with suppress(StoreUnavailable):
            await self.refresh()

    async def create(self, plan: RoomPlan, created: Creation) -> Desk:
        """Create a room and open it here; other edges follow.

        Raises:
            RoomExists, TooManyRooms: nothing was created.
            Healing: nothing was created; the register was lost a moment ago.
            StoreUnavailable: it may have been created; then it opens as soon as the store is back.
        """
        if plan.id in self._rooms.desks:
            raise RoomExists
        entry = register.written(plan, created)
        match await self._store.create(plan.id, entry):
            case "exists":
                raise RoomExists
            case "full":
                raise TooManyRooms
            case "healing":
                raise Healing
        self._learn({plan.id: entry})
        await self._keeper.keep(self._entries)
        desk = self._rooms.desks[plan.id]
        await desk.change({"reason": created.why})  # its row is that of the creation
        return desk

    async def refresh(self) -> None:
        """Open rooms that were created elsewhere; put back what the store has lost. Raises StoreUnavailable."""
        version = await self._store.version()
        if version and version == self._version:
            return
        version, found = await self._store.entries()
        lost = {room: entry for room, entry in self._entries.items() if room not in found}
        if lost or not version:
            await self._store.restore(lost)  # and read it once more, next time: others put back theirs
        else:
            self._version = version
        if self._learn(found):
            await self._keeper.keep(self._entries)

    async def run(self, stop: asyncio.Event) -> None:
        """Refresh until ``stop``; a store that is away is asked again and again."""
        while not stop.is_set():
            with suppress(LineError):
                await self.refresh()
            await rest(stop, REFRESH_S)

    def _learn(self, entries: Mapping[str, bytes]) -> int:
        """Open what is new; return how much of it was."""
        new = {room: entry for room, entry in entries.items() if room not in self._entries}
        for room, entry in entries.items():
            if self._entries.setdefault(room, entry) != entry:
                log.warning("room_plans_differ", room=room)
        for room, entry in new.items():
            self._open(room, entry)
        return len(new)

    def _open(self, room: str, entry: bytes) -> None:
        if room in self._rooms.desks:  # the rooms file has it
            return
        try:
            plan, created = register.read(room, entry)
        except register.Unreadable as fault:
            log.warning("room_not_opened", room=room, fault=str(fault))
            return
        self._creations[room] = created
        self._rooms.open(plan).log.begin(creation_row(plan, created))
        log.info("room_opened", room=room)
