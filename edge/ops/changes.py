"""What a change that operators wish for comes to: which settings of the room it sets, or why it cannot be. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from edge import errors
from edge.guard.passes import read_batch
from edge.guard.revoked import RevocationsError, Revoked
from edge.line.logrow import Told
from edge.line.oplog import What
from edge.line.room import Discipline, Picture, RoomPlan, Setting, schedule_fault, us
from edge.ops import governor
from edge.ops.models import BypassChange, LaneChange, Revocation, RoomChange, Schedule
from shared import problem
from shared.problem import Problem

_NO_LETTERS = {"Cc", "Zl", "Zp"}  # control characters, separators of lines and paragraphs


@dataclass(frozen=True)
class Wish:
    """Settings to set, by the names of the room's fields; ``before`` and ``after`` is what else the log tells."""

    what: What
    settings: Mapping[str, Setting]
    before: Mapping[str, Told] = field(default_factory=dict)
    after: Mapping[str, Told] = field(default_factory=dict)


def told_why(reason: str) -> str:
    """Return the reason as it is kept: words on one line, which other operators read on their terminals.

    Raises:
        Problem: ``invalid_body``.
    """
    words = reason.strip()
    if not words or any(unicodedata.category(letter) in _NO_LETTERS for letter in words):
        raise _invalid("say why in words, on one line", "$.reason")
    return words


def changed(plan: RoomPlan, seen: Picture, given: RoomChange, seed: str) -> Wish:
    """Return what a change of the room comes to. ``seed``: of the lottery, should it become one now.

    Raises:
        Problem: ``invalid_body``, ``lottery_drawn``, ``line_begun``, ``no_capacity_feed``.
    """
    settings = _given({"rate": given.rate_per_s, "burst": given.burst, "challenge": given.challenge})
    if given.schedule is not msgspec.UNSET:
        settings |= _schedule(seen, given.schedule)
    if given.discipline is not msgspec.UNSET and given.discipline != seen.discipline:
        settings |= _discipline(seen, given.discipline, int(settings.get("opens", seen.opens)), seed)
    if given.lanes is not msgspec.UNSET:
        settings |= _lanes(plan, given.lanes)
    _check_floors(seen, settings)
    if given.governor is not msgspec.UNSET:
        settings["governor"] = governor.changed(plan, seen, given.governor)
    return Wish("room_changed", settings)


def paused(seen: Picture) -> Wish:
    """Return what a pause comes to.

    Raises:
        Problem: ``room_closed``, ``room_draining``: whoever wished to join a paused room could.
    """
    _expect_joining(
        seen, "nobody is called, and a pause would let newcomers in", "close it, and drain it again to go on"
    )
    return Wish("room_paused", {"state": "paused"})


def resumed(seen: Picture) -> Wish:
    """Return what the end of a pause comes to.

    Raises:
        Problem: ``room_closed``, ``room_draining``: it is not paused, and somebody meant it to be so.
    """
    _expect_joining(seen, "it is not paused; open it", "it is not paused; open it to let newcomers in")
    return Wish("room_resumed", {"state": "open"})


def bypassed(plan: RoomPlan, given: BypassChange) -> Wish:
    """Return what switching the bypass comes to.

    Raises:
        Problem: ``invalid_body``, ``no_bypass_lane``.
    """
    if not any(lane.access == "pass" for lane in plan.lanes):
        raise Problem(errors.NO_BYPASS_LANE)
    if given.off == (given.rate_per_s is not msgspec.UNSET):
        raise _invalid("give either a rate or off", "$.rate_per_s")
    rate = 0.0 if given.rate_per_s is msgspec.UNSET else given.rate_per_s
    settings = _given({"bypass_rate": rate, "bypass_burst": given.burst})
    return Wish("bypass_on" if rate else "bypass_off", settings)


def revoked(seen: Picture, text: str, given: Revocation) -> Wish:
    """Return what taking passes back, or making them good again, comes to. ``text``: the list as it is.

    Raises:
        Problem: ``invalid_body``.
    """
    try:
        batch = read_batch(given.batch)
    except ValueError as error:
        raise _invalid(str(error), "$.batch") from None
    if given.undo and given.numbers is not None:
        raise _invalid("only a whole batch is made good again", "$.numbers")
    try:
        before = Revoked.parse(text)
        after = before.without(batch) if given.undo else before.with_(batch, given.numbers)
    except RevocationsError as error:
        raise _invalid(str(error), "$.numbers") from None
    return Wish(
        "passes_restored" if given.undo else "passes_revoked",
        {"revoked": after.encode(), "revoked_at": max(seen.at_us, seen.revoked_at + 1)},
        {"revoked_passes": len(before)},
        {"revoked_passes": len(after), "batch": batch, "numbers": given.numbers},
    )


def _expect_joining(seen: Picture, closed: str, draining: str) -> None:
    if seen.state == "closed":
        raise Problem(errors.ROOM_CLOSED, closed)
    if seen.state == "draining":
        raise Problem(errors.ROOM_DRAINING, draining)


def _given(wished: Mapping[str, Setting | msgspec.UnsetType]) -> dict[str, Setting]:
    return {name: value for name, value in wished.items() if value is not msgspec.UNSET}


def _moment(given: datetime | msgspec.UnsetType | None) -> int | msgspec.UnsetType:
    return msgspec.UNSET if given is msgspec.UNSET else us(given)


def _schedule(seen: Picture, given: Schedule) -> dict[str, Setting]:
    times = {"prequeue": given.prequeue_at, "opens": given.opens_at, "closes": given.closes_at}
    settings = _given({name: _moment(time) for name, time in times.items()})
    merged = {"prequeue": seen.prequeue, "opens": seen.opens, "closes": seen.closes} | settings
    if fault := schedule_fault(int(merged["prequeue"]), int(merged["opens"]), int(merged["closes"])):
        raise _invalid(fault, "$.schedule")
    return settings


def _discipline(seen: Picture, wished: Discipline, opens: int, seed: str) -> Mapping[str, Setting]:
    becomes_lottery = wished == "lottery"
    if (becomes_lottery and seen.at_us >= opens) or any(lane.entries >= 0 for lane in seen.lanes):
        raise Problem(errors.LOTTERY_DRAWN)
    if seen.joined > 0:  # tickets of one discipline hold no place in the other
        raise Problem(errors.LINE_BEGUN)
    return {"discipline": wished} | ({"seed": seed} if becomes_lottery and not seen.seed else {})


def _lanes(plan: RoomPlan, given: Mapping[str, LaneChange]) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    for name, change in given.items():
        index = plan.lane(name)
        if index is None:
            raise _invalid("there is no such lane", f"$.lanes.{name}")
        opens = _moment(change.opens_at)
        if opens is not msgspec.UNSET and (fault := schedule_fault(0, opens, 0)):
            raise _invalid(fault, f"$.lanes.{name}.opens_at")
        wished = {"weight": change.weight, "floor": change.floor_per_s, "opens": opens}
        settings |= {f"{index + 1}.{field}": value for field, value in _given(wished).items()}
    return settings


def _check_floors(seen: Picture, settings: Mapping[str, Setting]) -> None:
    """A governor may go below the floors for a while; operators promise no lane more than there is."""
    floors = {f"{index}.floor": lane.floor for index, lane in enumerate(seen.lanes, 1)}
    promised, before = sum(float(settings.get(name, floor)) for name, floor in floors.items()), sum(floors.values())
    by_rate, rate = "rate" in settings, float(settings.get("rate", seen.rate))
    if promised > rate and (by_rate or promised > before):
        raise _invalid("the lanes' floors are more than the room's rate", "$.rate_per_s" if by_rate else "$.lanes")


def _invalid(fault: str, path: str) -> Problem:
    return Problem(problem.INVALID_BODY, f"{fault} - at `{path}`")
