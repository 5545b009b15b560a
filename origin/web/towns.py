"""The towns that people choose from, and what sites offer, kept in memory for a minute."""

from dataclasses import dataclass
from pathlib import Path

from origin.db.sql import Connection, load
from origin.inventory import gazetteer
from origin.inventory.gazetteer import Place
from origin.state import OriginState

_QUERIES = Path(__file__).with_name("queries.sql")
_REREAD_AFTER_S = 60.0


@dataclass(frozen=True)
class Offered:
    """The towns that have a site, by region and name; and the words of accessibility that any site has."""

    towns: list[Place]
    features: list[str]


class Towns:
    """Reads them again after a minute."""

    def __init__(self) -> None:
        self._offered = Offered([], [])
        self._read_at = float("-inf")

    async def all(self, state: OriginState) -> Offered:
        """Return them; raises Problem 503 while the database is away."""
        if state.clock.unix() - self._read_at >= _REREAD_AFTER_S:
            self._offered, _ = await state.reader.read(_read)
            self._read_at = state.clock.unix()
        return self._offered


async def _read(connection: Connection) -> Offered:
    rows = await load(_QUERIES)["features"].rows(connection)
    return Offered(await gazetteer.with_sites(connection), [row["feature"] for row in rows])
