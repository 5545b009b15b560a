"""What follows from the moves of a pointer: which of them held, where it was before, what a version is now. Pure."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

import msgspec

Act = Literal["activated", "rolled_back", "retired", "shadowed", "unshadowed"]
State = Literal["draft", "rejected", "approved", "shadow", "scheduled", "active", "retired"]


class Move(msgspec.Struct, frozen=True):
    """One move of a pointer. ``region`` null: the programme's; ``version`` null: to no version.

    ``since``: from when on it holds, by the database's clock. A move voids what earlier ones had planned for later.
    """

    id: int
    act: Act
    region: str | None
    version: int | None
    scheduled: bool
    since: datetime
    made_at: datetime
    actor: str
    reason: str


def standing(moves: Sequence[Move]) -> list[Move]:
    """Return the moves of one pointer, by id, without those that later ones have made void."""
    return [
        move
        for place, move in enumerate(moves)
        if not move.scheduled or all(later.since > move.since for later in moves[place + 1 :])
    ]


def held(moves: Sequence[Move], now: datetime) -> list[Move]:
    """Return those moves of one pointer that have come true by ``now``; the last of them says where it is."""
    return [move for move in standing(moves) if not move.scheduled or move.since <= now]


def planned(moves: Sequence[Move], now: datetime) -> list[Move]:
    """Return those moves of one pointer that are still to come."""
    return [move for move in standing(moves) if move.scheduled and move.since > now]


def trail(came: Sequence[Move], *, regional: bool) -> list[int | None]:
    """Return the versions that a rollback would go back along, the one in force last.

    A rollback does not lengthen the trail: rolling back twice goes back two steps, not back and forth. The trail of a
    region begins with None, the programme's rules.
    """
    behind: list[int | None] = [None] if regional else []
    for move in came:
        if move.act == "rolled_back" and move.version in behind:
            while behind[-1] != move.version:
                behind.pop()
        elif not behind or behind[-1] != move.version:
            behind.append(move.version)
    return behind


def state_of(
    version: int, active: Sequence[Move], shadow: Sequence[Move], now: datetime
) -> tuple[State, datetime] | None:
    """Return what an approved version is, and since or from when; None if it never was anything but approved.

    ``active`` and ``shadow``: the moves of the pointers of its region or programme.
    """
    came = held(active, now)
    coming = [move for move in planned(active, now) if move.version == version]
    if came and came[-1].version == version:
        return "active", came[-1].since
    if coming:
        return "scheduled", coming[0].since
    if shadow and shadow[-1].version == version:
        return "shadow", shadow[-1].since
    left = [after.since for before, after in pairwise(came) if before.version == version]
    return ("retired", left[-1]) if left else None


def is_done(moves: list[Move], clock: datetime, version: int, at: datetime | None) -> bool:
    """Tell whether an activation would change nothing: what was planned last, or came last, is this already."""
    came, coming = held(moves, clock), planned(moves, clock)
    if at is None:
        return not coming and bool(came) and came[-1].version == version
    return bool(coming) and coming[-1].version == version and coming[-1].since == at
