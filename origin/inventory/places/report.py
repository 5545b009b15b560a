"""What came, or would come, of a file of places."""

from typing import Literal
from uuid import UUID

import msgspec

from origin.inventory.bulk.faults import Fault
from origin.inventory.bulk.report import Source

Outcome = Literal["refused", "previewed", "unchanged", "done"]
"""refused: rows at fault, nothing was done; previewed: a dry run; unchanged: all was so already."""


class Entries(msgspec.Struct, frozen=True):
    """How many entries come, go and stay. One that is changed goes, and comes as it is now."""

    added: int = 0
    removed: int = 0
    same: int = 0


class PlacesReport(msgspec.Struct, frozen=True):
    """All of it. Of faults the first 1,000; ``fault_counts`` has them all, by code.

    ``countries``: whose entries are replaced; empty, all are. ``left_out``: rows of GeoNames in divisions that are no
    region here, by division.
    """

    outcome: Outcome
    source: Source | None = None
    faults: list[Fault] = []
    fault_counts: dict[str, int] = {}
    countries: list[str] = []
    towns: Entries = Entries()
    postcodes: Entries = Entries()
    left_out: dict[str, int] = {}
    import_id: UUID | None = None

    @property
    def to_do(self) -> int:
        """How many entries come or go."""
        return sum(each.added + each.removed for each in (self.towns, self.postcodes))
