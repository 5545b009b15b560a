"""Programmes: what is offered, and which waiting room leads to it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from origin.db.pool import Database
from origin.db.sql import Connection, load
from shared.clock import Clock
from shared.problem import Problem

_QUERIES = Path(__file__).with_name("queries.sql")
_REREAD_AFTER_S = 30.0
_REREAD_UNKNOWN_AFTER_S = 1.0


@dataclass(frozen=True)
class Programme:
    """One immunization programme. ``decision_ttl``: how long an eligibility decision can be booked with.

    ``last_known_rules``: where the rules in force cannot be loaded, those before them decide, rather than nobody.
    ``waitlist``: whether one can wait for a place to become free.
    """

    id: str
    name: str
    room: str
    decision_ttl: timedelta
    last_known_rules: bool = False
    waitlist: bool = False


async def create(
    connection: Connection, id_: str, *, name: str, room: str, decision_ttl: timedelta = timedelta(hours=1)
) -> Programme:
    """Set up a programme; called again, it updates the name and the lifetime of decisions."""
    statement = load(_QUERIES)["create_programme"]
    await statement.run(connection, id=id_, name=name, room=room, decision_ttl=decision_ttl)
    return Programme(id_, name, room, decision_ttl)


class Programmes:
    """The programmes by room, kept in memory: read again every 30 s, and at most each second for an unknown room."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._by_room: MappingProxyType[str, Programme] = MappingProxyType({})
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    @property
    def by_room(self) -> MappingProxyType[str, Programme]:
        """What is known now; also the set of rooms whose tokens are ours."""
        return self._by_room

    def known(self, room: str) -> Programme | None:
        """Return a room's programme, where it need not be read again."""
        return None if self._is_due(room) else self._by_room.get(room)

    async def refresh(self, room: str | None = None) -> None:
        """Read the programmes again where that is due, sooner when ``room`` is not among them.

        Raises:
            Problem: 503, when they were never read and the database is away.
        """
        if not self._is_due(room):
            return
        async with self._reading:
            if not self._is_due(room):
                return
            try:
                async with self._database.connection() as connection:
                    rows = await load(_QUERIES)["all_programmes"].rows(connection)
            except Problem:
                if self._read_at == float("-inf"):
                    raise
                return  # what was known still holds
            self._by_room = MappingProxyType({row["room"]: Programme(**dict(row)) for row in rows})
            self._read_at = self._clock.unix()

    def _is_due(self, room: str | None) -> bool:
        age = self._clock.unix() - self._read_at
        unknown = room is None or room not in self._by_room
        return age >= (_REREAD_UNKNOWN_AFTER_S if unknown else _REREAD_AFTER_S)
