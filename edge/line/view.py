"""A room as it was a moment ago, and what is made of it once for all who are shown it."""

from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

import msgspec

from edge.line.lottery import commitment
from edge.line.room import (
    ChallengeKind,
    Discipline,
    Held,
    LanePicture,
    LanePlan,
    Phase,
    Picture,
    RoomPlan,
    Slowdown,
    shown,
)

_EXPLAINED_US = 600_000_000  # for how long a wait that grew is explained


class LaneStatus(msgspec.Struct, frozen=True):
    """What everybody may know of a lane."""

    lane: str
    joined: int
    called: int
    admitted: int
    opens_at: str | None


class LotteryStatus(msgspec.Struct, frozen=True):
    """What is published of a lottery; see ``docs/lottery.md``.

    ``commitment`` is the SHA-256 of the seed, in hex. ``seed`` (hex) and ``entries``, by lane, are there once it is
    drawn.
    """

    commitment: str
    seed: str | None
    entries: dict[str, int] | None


class RoomStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may know of a room. Times are ISO 8601; ``as_of`` is on the store's clock, like all that is done.

    ``why`` nobody is called though operators would let them: null, or what the booking system behind says of itself.
    ``remaining``: doses left, null while that is not known. ``lottery``: null in a room that is first come, first
    served.
    """

    room: str
    name: str
    state: Phase
    epoch: int
    joined: int
    called: int
    admitted: int
    rate_per_s: float
    burst: int
    prequeue_at: str | None
    opens_at: str | None
    closes_at: str | None
    discipline: Discipline
    lottery: LotteryStatus | None
    lanes: list[LaneStatus]
    why: Held | None
    remaining: int | None
    as_of: str


class LaneView(NamedTuple):
    """A lane, as all who stand in it are told. ``starts_in_s``: seconds until it is called, 0 once it is.

    ``slowdown``: why the wait may have grown lately. ``opens_at``: ISO 8601, as long as that is to come. The rest is as
    in the picture of the lane.
    """

    name: str
    phase: Phase
    called: int
    entries: int
    pace: float
    least: float
    starts_in_s: float
    slowdown: Slowdown | None
    opens_at: str | None


class View:
    """A picture with what is made of it once, for all who are shown it."""

    def __init__(self, plan: RoomPlan, picture: Picture, taken_at: float) -> None:
        self.plan = plan
        self.picture = picture
        self.taken_at = taken_at

    @cached_property
    def as_of(self) -> str:
        """When the store had it, ISO 8601."""
        return iso(self.picture.at_us / 1_000_000)

    @property
    def challenge(self) -> ChallengeKind:
        """What newcomers are asked to solve."""
        return self.picture.challenge or self.plan.challenge

    @cached_property
    def waiting(self) -> int:
        """People who have not been called."""
        return self.picture.waiting

    @cached_property
    def why(self) -> Held | None:
        """Why nobody is called though operators would let them."""
        return self.picture.held or None

    @cached_property
    def lanes(self) -> list[LaneView]:
        """The lanes, as all who stand in them are told."""
        return [self._lane(*each) for each in zip(self.plan.lanes, self.picture.lanes, strict=True)]

    @cached_property
    def status(self) -> RoomStatus:
        """The public status."""
        plan, seen = self.plan, self.picture
        return RoomStatus(
            room=plan.id,
            name=plan.name,
            state=seen.shown,
            epoch=seen.epoch,
            joined=seen.joined,
            called=seen.called,
            admitted=seen.admitted,
            rate_per_s=seen.rate,
            burst=seen.burst,
            prequeue_at=_moment(seen.prequeue),
            opens_at=_moment(seen.opens),
            closes_at=_moment(seen.closes),
            discipline=seen.discipline,
            lottery=self._lottery(),
            lanes=[
                LaneStatus(planned.lane, lane.joined, lane.called, lane.admitted, _moment(max(seen.opens, lane.opens)))
                for planned, lane in zip(plan.lanes, seen.lanes, strict=True)
            ],
            why=seen.held or None,
            remaining=seen.remaining,
            as_of=self.as_of,
        )

    @cached_property
    def status_json(self) -> bytes:
        """The public status, encoded."""
        return msgspec.json.encode(self.status)

    def _lane(self, plan: LanePlan, lane: LanePicture) -> LaneView:
        seen = self.picture
        opens = max(seen.opens, lane.opens)
        phase = shown(lane.phase, seen.held)
        return LaneView(
            name=plan.lane,
            phase=phase,
            called=lane.called,
            entries=lane.entries,
            pace=lane.pace,
            least=lane.least,
            starts_in_s=max(0, opens - seen.at_us) / 1_000_000,
            slowdown=_slowdown(phase, lane, seen),
            opens_at=_moment(opens) if opens > seen.at_us else None,
        )

    def _lottery(self) -> LotteryStatus | None:
        seen = self.picture
        if seen.discipline != "lottery" or not seen.seed:
            return None
        seed = bytes.fromhex(seen.seed)
        entries = {
            planned.lane: lane.entries
            for planned, lane in zip(self.plan.lanes, seen.lanes, strict=True)
            if lane.entries >= 0
        }
        drawn = len(entries) == len(seen.lanes)
        return LotteryStatus(commitment(seed), seen.seed if drawn else None, entries if drawn else None)


def iso(unix: float) -> str:
    """Return Unix seconds as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _slowdown(phase: Phase, lane: LanePicture, seen: Picture) -> Slowdown | None:
    if seen.held:
        return "lost_capacity"
    if phase == "paused":
        return "paused"
    return lane.why if lane.why and seen.at_us - lane.why_at < _EXPLAINED_US else None


def _moment(us: int) -> str | None:
    return iso(us / 1_000_000) if us else None
