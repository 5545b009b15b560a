"""What came, or would come, of an import: counted, and named where somebody has to decide."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from origin.inventory.bulk.faults import Fault

Booked = Literal["cut", "leave"]
"""About slots whose people stand against what is asked: go as near to it as touches nobody, or leave them."""

Outcome = Literal["refused", "undecided", "previewed", "unchanged", "done", "incomplete"]
"""refused: rows at fault, nothing was done; undecided: people are in the way, nothing was done; previewed: a dry run;
unchanged: all was so already; incomplete: done, but for slots that somebody booked or held meanwhile."""


class Source(msgspec.Struct, frozen=True):
    """Where rows came from: a file with its digest, or a recurring clinic."""

    name: str
    kind: str
    rows: int
    sha256: str | None = None


class Put(msgspec.Struct, frozen=True):
    """How many rows were new, and how many different from what was known."""

    added: int = 0
    changed: int = 0


class SlotCounts(msgspec.Struct, frozen=True):
    """Slots by what is done with them. ``places``: how many more places there are, or fewer.

    Not touched: ``same``, ``past`` (begun), ``others`` (a person's or another clinic's, seen by a clinic), ``left``
    and ``booked`` (people in the way; decided to leave, and not decided).
    """

    added: int = 0
    changed: int = 0
    cut: int = 0
    same: int = 0
    past: int = 0
    others: int = 0
    left: int = 0
    booked: int = 0
    places: int = 0

    @property
    def to_do(self) -> int:
        """How many slots are touched."""
        return self.added + self.changed + self.cut


class InTheWay(msgspec.Struct, frozen=True):
    """A slot whose people stand against what is asked. ``wanted``, ``booked``, ``held``: places.

    Times have the site's offset. ``other_end``: its end would change as well. ``appointments``: references of those
    booked, the oldest first, 200 at most. ``held``: kept for somebody who is about to book, or was offered the place;
    ``held_until``: when the last of these is let go, unless it is booked.
    """

    source: str
    line: int
    site: str
    starts_at: datetime
    product: str
    wanted: int
    booked: int
    other_end: bool
    appointments: list[UUID]
    held: int = 0  # with defaults: reports of uploads are kept, also those from before
    held_until: datetime | None = None


class Report(msgspec.Struct, frozen=True):
    """All of it. Of faults and slots in the way the first 1,000; ``fault_counts`` has them all, by code.

    ``people_to_tell``: sites that get another name or place, and how many appointments are to come there.
    """

    outcome: Outcome
    programme: str
    sources: list[Source]
    faults: list[Fault] = []
    fault_counts: dict[str, int] = {}
    put: dict[str, Put] = {}
    slots: SlotCounts = SlotCounts()
    in_the_way: list[InTheWay] = []
    people_to_tell: dict[str, int] = {}
    import_id: UUID | None = None
