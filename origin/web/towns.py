"""The towns that people choose from, kept in memory for a minute."""

from dataclasses import dataclass
from pathlib import Path

from origin.db.sql import load
from origin.state import OriginState

_QUERIES = Path(__file__).with_name("queries.sql")
_REREAD_AFTER_S = 60.0


@dataclass(frozen=True)
class Town:
    """A town with a site; ``lat`` and ``lng`` are in the middle of its sites."""

    key: str
    name: str
    region: str
    region_name: str
    lat: float
    lng: float
    time_zone: str
    sites: int


class Towns:
    """Reads them again after a minute."""

    def __init__(self) -> None:
        self._towns: list[Town] = []
        self._read_at = float("-inf")

    async def all(self, state: OriginState) -> list[Town]:
        """Return the towns by region and name; raises Problem 503 while the database is away."""
        if state.clock.unix() - self._read_at >= _REREAD_AFTER_S:
            async with state.database.connection() as connection:
                rows = await load(_QUERIES)["towns"].rows(connection)
            self._towns = [Town(key=f"{row['region']}.{row['name']}", **dict(row)) for row in rows]
            self._read_at = state.clock.unix()
        return self._towns
