"""Where a visitor stands, as they are told. What all of a lane share is worked out once a view, see ``view``."""

from typing import Literal

import msgspec

from edge.line import estimate
from edge.line.estimate import Wait
from edge.line.room import Held, Phase, PlaceState, Slowdown, Spot, is_unlikely
from edge.line.view import View
from shared.ids import Ids

Outlook = Literal["unlikely"]
_NOBODY = Wait(0, 0)


class Standing(msgspec.Struct, frozen=True):
    """Where a visitor stands. ``wait`` is null while nobody is called: the room is paused or closed.

    ``place`` and ``ahead`` are null for the ``entry`` of a lottery that is not drawn. ``wait_reason``: why the wait may
    have grown lately. ``outlook`` is ``unlikely`` when more people are ahead than doses are left, else null. ``why``:
    as in the status. ``opens_at``: when the lane is called, as long as that is to come.
    """

    place: int | None
    ahead: int | None
    state: PlaceState
    wait: Wait | None
    wait_reason: Slowdown | None
    poll_after_s: float
    room_state: Phase
    lane: str
    entry: int | None
    opens_at: str | None
    outlook: Outlook | None
    why: Held | None
    as_of: str


class Joined(Standing, frozen=True, kw_only=True):
    """A visitor's ticket and where they stand."""

    ticket: str


def standing_at(spot: Spot, state: PlaceState, view: View, ids: Ids) -> Standing:
    """Return where the holder of a ticket stands."""
    lane = view.lanes[spot.lane]
    outlook: Outlook | None = None
    if state == "entered":
        ahead, wait = None, None
        poll = estimate.until_draw_s(lane.starts_in_s, spread=ids.spread(0, 1))
    else:
        is_waiting = state == "waiting"
        ahead = spot.place - lane.called - 1
        if ahead < 0 or not is_waiting:
            ahead = 0
        wait = expect(view, spot.lane, ahead) if is_waiting else _NOBODY
        poll = estimate.poll_after_s(wait, waiting=view.waiting, spread=ids.spread(0.9, 1.1))
        if is_unlikely(ahead, state, view.picture):
            outlook = "unlikely"
    return Standing(
        None if ahead is None else spot.place,
        ahead,
        state,
        wait,
        lane.slowdown,
        poll,
        lane.phase,
        lane.name,
        spot.number if state == "entered" or spot.number <= lane.entries else None,
        lane.opens_at,
        outlook,
        view.why,
        view.as_of,
    )


def joined_at(ticket: str, at: Standing) -> Joined:
    """Return a ticket and where its holder stands."""
    return Joined(*msgspec.structs.astuple(at), ticket=ticket)


def expect(view: View, lane: int, ahead: int) -> Wait | None:
    """Return how long somebody with so many people ahead waits; None while nobody is called."""
    seen = view.lanes[lane]
    if seen.phase in {"paused", "closed"}:
        return None
    return estimate.wait(ahead, pace_per_s=seen.pace, least_per_s=seen.least, starts_in_s=seen.starts_in_s)
