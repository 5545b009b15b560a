"""What operators send, as the API and its client both know it. Imports nothing of the server."""

from datetime import datetime
from typing import Annotated

import msgspec

from edge.governor.pacing import Mode
from edge.line.room import (
    LEAST_WEIGHT,
    MAX_BURST,
    MAX_LANES,
    MAX_RATE_PER_S,
    MAX_WEIGHT,
    Access,
    ChallengeKind,
    Discipline,
    RoomState,
)

Id = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]

Rate = Annotated[float, msgspec.Meta(ge=0.01, le=MAX_RATE_PER_S)]
Burst = Annotated[int, msgspec.Meta(ge=1, le=MAX_BURST)]
People = Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
Weight = Annotated[float, msgspec.Meta(ge=LEAST_WEIGHT, le=MAX_WEIGHT)]
Floor = Annotated[float, msgspec.Meta(ge=0, le=MAX_RATE_PER_S)]
Quota = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=2_083)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class GovernorChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is missing stays.

    ``manual`` leaves the rate to operators, ``automatic`` lets it follow the booking system within the bounds, ``off``
    follows nothing. ``max_inside``: people inside the booking system at a time; null takes the cap away.
    """

    mode: Mode | msgspec.UnsetType = msgspec.UNSET
    min_rate_per_s: Rate | msgspec.UnsetType = msgspec.UNSET
    max_rate_per_s: Rate | msgspec.UnsetType = msgspec.UNSET
    max_inside: People | msgspec.UnsetType | None = msgspec.UNSET


class StateChange(msgspec.Struct, forbid_unknown_fields=True):
    """Why a room is paused, resumed, opened, drained or closed."""

    reason: Reason


class Schedule(msgspec.Struct, forbid_unknown_fields=True):
    """When people may join, are called, and no longer are; null: no such time, what is missing stays."""

    prequeue_at: Moment | msgspec.UnsetType | None = msgspec.UNSET
    opens_at: Moment | msgspec.UnsetType | None = msgspec.UNSET
    closes_at: Moment | msgspec.UnsetType | None = msgspec.UNSET


class LaneChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to change of a lane; what is missing stays. ``opens_at`` null: with the room."""

    weight: Weight | msgspec.UnsetType = msgspec.UNSET
    floor_per_s: Floor | msgspec.UnsetType = msgspec.UNSET
    opens_at: Moment | msgspec.UnsetType | None = msgspec.UNSET


class RoomChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change and why; what is missing stays. ``rate_per_s`` is in tokens per second, ``burst`` in tokens."""

    reason: Reason
    rate_per_s: Rate | msgspec.UnsetType = msgspec.UNSET
    burst: Burst | msgspec.UnsetType = msgspec.UNSET
    challenge: ChallengeKind | msgspec.UnsetType = msgspec.UNSET
    governor: GovernorChange | msgspec.UnsetType = msgspec.UNSET
    schedule: Schedule | msgspec.UnsetType = msgspec.UNSET
    discipline: Discipline | msgspec.UnsetType = msgspec.UNSET
    lanes: dict[Id, LaneChange] | msgspec.UnsetType = msgspec.UNSET


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """Why a new line is begun; ``confirm`` is the room's id, for everybody in the old one loses the place."""

    confirm: str
    reason: Reason


class BypassChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How many holders of passes a second pass by the line, and why; ``off``, or a rate of 0: nobody does."""

    reason: Reason
    rate_per_s: Floor | msgspec.UnsetType = msgspec.UNSET
    burst: Burst | msgspec.UnsetType = msgspec.UNSET
    off: bool = False


class Revocation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which passes are taken back, and why: ``numbers`` of a batch, or all of it.

    ``undo`` makes everything of the batch that was taken back good again.
    """

    batch: Annotated[str, msgspec.Meta(max_length=64)]
    reason: Reason
    numbers: Annotated[list[int], msgspec.Meta(min_length=1)] | None = None
    undo: bool = False


class NewLimits(msgspec.Struct, forbid_unknown_fields=True):
    """Requests per minute and address, by kind; null is no limit, what is missing is the default."""

    joins: Quota | msgspec.UnsetType = msgspec.UNSET
    acts: Quota | msgspec.UnsetType = msgspec.UNSET
    waits: Quota | msgspec.UnsetType = msgspec.UNSET


class NewLane(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A lane of a room to create, as the rooms file has it; what is missing is the default."""

    lane: Id
    weight: Weight | msgspec.UnsetType = msgspec.UNSET
    floor_per_s: Floor | msgspec.UnsetType = msgspec.UNSET
    access: Access | msgspec.UnsetType = msgspec.UNSET
    opens_at: Moment | msgspec.UnsetType | None = msgspec.UNSET


class NewRoom(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A room to create: what the rooms file says of one (see there), and why. What is missing is the default.

    A higher ``epoch`` begins a new line where there was a room of this id before.
    """

    id: Id
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    rate_per_s: Rate
    enter_url: Address
    reason: Reason
    burst: Burst | msgspec.UnsetType = msgspec.UNSET
    token_ttl_s: Annotated[int, msgspec.Meta(ge=30, le=86_400)] | msgspec.UnsetType = msgspec.UNSET
    call_window_s: Annotated[int, msgspec.Meta(ge=2, le=300)] | msgspec.UnsetType = msgspec.UNSET
    state: RoomState | msgspec.UnsetType = msgspec.UNSET
    epoch: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | msgspec.UnsetType = msgspec.UNSET
    limits: NewLimits | msgspec.UnsetType = msgspec.UNSET
    challenge: ChallengeKind | msgspec.UnsetType = msgspec.UNSET
    challenge_effort: Annotated[int, msgspec.Meta(ge=1, le=50_000_000)] | msgspec.UnsetType = msgspec.UNSET
    challenge_wait_s: Annotated[int, msgspec.Meta(ge=1, le=120)] | msgspec.UnsetType = msgspec.UNSET
    require_cookie: bool | msgspec.UnsetType = msgspec.UNSET
    capacity_url: Address | msgspec.UnsetType | None = msgspec.UNSET
    check_url: Address | msgspec.UnsetType | None = msgspec.UNSET
    discipline: Discipline | msgspec.UnsetType = msgspec.UNSET
    prequeue_at: Moment | msgspec.UnsetType | None = msgspec.UNSET
    opens_at: Moment | msgspec.UnsetType | None = msgspec.UNSET
    closes_at: Moment | msgspec.UnsetType | None = msgspec.UNSET
    lanes: Annotated[list[NewLane], msgspec.Meta(min_length=1, max_length=MAX_LANES)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
