"""What operators get, as the API and its client both know it. Imports nothing of the server."""

import msgspec

from edge.governor.pacing import Mode
from edge.line.room import Access, ChallengeKind, Discipline, Held, Phase, RoomState


class GovernorReport(msgspec.Struct, frozen=True):
    """A room's governor. ``why`` nobody is called (null: people are); ``remaining`` doses, null while not known."""

    mode: Mode
    min_rate_per_s: float
    max_rate_per_s: float
    max_inside: int | None
    why: Held | None
    remaining: int | None


class LaneReport(msgspec.Struct, frozen=True, kw_only=True):
    """A lane with its settings, counters and meters.

    ``opens_at``: when it is called, where that was set for the lane alone. ``entries`` of the lottery, null while it is
    not drawn. ``rate_per_s`` is its part of the room's rate now, ``least_per_s`` with people waiting in every lane.
    """

    lane: str
    access: Access
    weight: float
    floor_per_s: float
    opens_at: str | None
    phase: Phase
    joined: int
    called: int
    answered: int
    admitted: int
    left: int
    waiting: int
    backlog: int
    entries: int | None
    show: float
    rate_per_s: float
    least_per_s: float


class BypassReport(msgspec.Struct, frozen=True):
    """The second bucket, for holders of passes, who pass by the line; rate 0: off. Tokens ever issued out of it."""

    rate_per_s: float
    burst: int
    tokens_issued: int


class CreationReport(msgspec.Struct, frozen=True):
    """Who created a room, when (ISO 8601) and why."""

    at: str
    actor: str
    why: str


class RoomReport(msgspec.Struct, frozen=True, kw_only=True):
    """A room with its settings, counters and meters.

    ``state`` is what operators set, ``phase`` what the schedule makes of it. ``version`` of the settings: the time of
    the last change in µs. ``lottery_commitment`` is the SHA-256 of the lottery's seed, null in a room that is first
    come, first served. ``revoked_passes`` counts batches and single passes. ``tokens`` is the level of the token
    bucket, ``show`` the share of called people who turn up, ``backlog`` the people called lately who wait for a token.
    ``reason`` is what the last change gave. ``created`` is null where the rooms file has the room.
    """

    room: str
    name: str
    state: RoomState
    phase: Phase
    reason: str
    epoch: int
    version: int
    prequeue_at: str | None
    opens_at: str | None
    closes_at: str | None
    discipline: Discipline
    lottery_commitment: str | None
    lanes: list[LaneReport]
    bypass: BypassReport
    revoked_passes: int
    rate_per_s: float
    burst: int
    call_window_s: int
    token_ttl_s: int
    enter_url: str
    check_url: str | None
    challenge: ChallengeKind
    governor: GovernorReport | None
    created: CreationReport | None
    joined: int
    called: int
    answered: int
    admitted: int
    left: int
    waiting: int
    backlog: int
    tokens: float
    show: float
    calls_per_s: float
    as_of: str


class RoomReports(msgspec.Struct, frozen=True):
    """All rooms of this edge."""

    rooms: list[RoomReport]
