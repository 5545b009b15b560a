"""What a room is: its plan, what the store says of it, and where a visitor stands. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, Self

import msgspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, model_validator

RoomState = Literal["open", "paused", "draining", "closed"]
Phase = Literal["scheduled", "prequeue", "open", "paused", "draining", "closed"]
PlaceState = Literal["entered", "waiting", "called", "admitted", "left"]
Held = Literal["", "sold_out", "frozen", "origin_down", "origin_unhealthy", "full"]
HELD: tuple[Held, ...] = ("sold_out", "frozen", "origin_down", "origin_unhealthy", "full")
Slowdown = Literal["rate_lowered", "paused", "lost_capacity", "more_show_up", "shared"]
Discipline = Literal["fifo", "lottery"]
Access = Literal["open", "pass", "assisted"]
ChallengeKind = Literal["off", "altcha"]
Kind = Literal["joins", "acts", "waits"]
KINDS: tuple[Kind, ...] = ("joins", "acts", "waits")

MAX_PLACE = 2**32 - 1  # a bitmap of the store ends there
MAX_RATE_PER_S = 100_000
MAX_BURST = 100_000
MAX_LANES = 8
LEAST_WEIGHT = 0.001  # a lane of next to no weight would wait for ever, which no answer can say
MAX_WEIGHT = 1_000
MAX_MOMENT_US = 7_258_118_400_000_000 - 1  # the end of 2199
GENERAL = "general"
Quota = Annotated[int, Field(ge=1, le=10_000_000)] | None
Name = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]


class Limits(BaseModel):
    """How many requests one address may send to a room per minute; None is no limit.

    ``joins`` takes places, ``acts`` is everything else that changes something, ``waits`` hands out the slow way round a
    challenge. Generous: a mobile carrier puts a town behind one address.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    joins: Quota = 600
    acts: Quota = 3_000
    waits: Quota = 60

    def by_kind(self) -> list[tuple[Kind, int]]:
        """Return the limits that there are."""
        given = ((kind, getattr(self, kind)) for kind in KINDS)
        return [(kind, limit) for kind, limit in given if limit is not None]


class LanePlan(BaseModel):
    """A line of its own within a room.

    Tokens are shared by ``weight`` among the lanes in which people wait; none gets less than ``floor_per_s`` while
    somebody of it does. ``access``: ``open`` to anybody, by ``pass`` (one to a person), or ``assisted``: joined for
    somebody by staff on the telephone. ``opens_at``: when it is called, where that is later than the room.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lane: Name
    weight: Annotated[float, Field(ge=LEAST_WEIGHT, le=MAX_WEIGHT)] = 1.0
    floor_per_s: Annotated[float, Field(ge=0, le=MAX_RATE_PER_S)] = 0.0
    access: Access = "open"
    opens_at: AwareDatetime | None = None


class RoomPlan(BaseModel):
    """A room as the rooms file plans it.

    Rate, burst, state, schedule and lanes' weights are where the room begins; operators change them in the store. A
    higher ``epoch`` begins a new line: tickets of the old one are stale. A challenge takes between one and two times
    ``challenge_effort`` hashes; ``challenge_wait_s`` is what those wait who do not compute. With ``require_cookie`` a
    place is given only to who comes back with the cookie that the first join sets. ``capacity_url`` is the capacity
    feed of what lies behind it, ``check_url`` where people may ask there whether they could book, while they wait.

    People may join from ``prequeue_at`` (without it: from ``opens_at``), are called from ``opens_at`` until
    ``closes_at``. In a ``lottery`` those who join before ``opens_at`` have their places drawn at that moment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    name: Annotated[str, Field(min_length=1, max_length=120)]
    rate_per_s: Annotated[float, Field(ge=0.01, le=MAX_RATE_PER_S)]
    burst: Annotated[int, Field(ge=1, le=MAX_BURST)] = 10
    enter_url: HttpUrl
    token_ttl_s: Annotated[int, Field(ge=30, le=86_400)] = 900
    call_window_s: Annotated[int, Field(ge=2, le=300)] = 30
    state: RoomState = "open"
    epoch: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    limits: Limits = Limits()
    challenge: ChallengeKind = "off"
    challenge_effort: Annotated[int, Field(ge=1, le=50_000_000)] = 50_000
    challenge_wait_s: Annotated[int, Field(ge=1, le=120)] = 20
    require_cookie: bool = False
    capacity_url: HttpUrl | None = None
    check_url: HttpUrl | None = None
    discipline: Discipline = "fifo"
    prequeue_at: AwareDatetime | None = None
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    lanes: Annotated[tuple[LanePlan, ...], Field(min_length=1, max_length=MAX_LANES)] = (LanePlan(lane=GENERAL),)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if len({lane.lane for lane in self.lanes}) != len(self.lanes):
            raise ValueError("a lane is named twice")
        if sum(lane.floor_per_s for lane in self.lanes) > self.rate_per_s:
            raise ValueError("the lanes' floors are more than the room's rate")
        fault = schedule_fault(*(us(moment) for moment in (self.prequeue_at, self.opens_at, self.closes_at)))
        fault = fault or next((fault for lane in self.lanes if (fault := schedule_fault(0, us(lane.opens_at), 0))), "")
        if fault:
            raise ValueError(fault)
        return self

    def lane(self, name: str) -> int | None:
        """Return the index of a lane, None where there is none of that name."""
        return next((index for index, lane in enumerate(self.lanes) if lane.lane == name), None)

    def open_lane(self) -> int | None:
        """Return the index of the lane that anybody may join; None in a room that is by invitation only."""
        return next((index for index, lane in enumerate(self.lanes) if lane.access == "open"), None)


def us(moment: datetime | None) -> int:
    """Return a moment in µs since the Unix epoch; 0 where there is none."""
    return 0 if moment is None else round(moment.timestamp() * 1_000_000)


def schedule_fault(prequeue_us: int, opens_us: int, closes_us: int) -> str:
    """Return what is wrong with a schedule in words, empty where nothing is. 0: no such time."""
    if not all(0 <= moment <= MAX_MOMENT_US for moment in (prequeue_us, opens_us, closes_us)):
        return "a time before 1970 or after 2199"
    if prequeue_us and not opens_us:
        return "a room that people may join early needs the time at which it opens"
    if prequeue_us and prequeue_us > opens_us:
        return "people may join early, not late: prequeue_at is after opens_at"
    if closes_us and closes_us <= opens_us:
        return "the room closes before it opens"
    return ""


class Spot(NamedTuple):
    """Where a ticket belongs: the index of its lane, its number there, its place; 0 while that is not drawn."""

    lane: int
    number: int
    place: int


class LanePicture(msgspec.Struct, frozen=True, kw_only=True):
    """A lane as the store had it. Times are in µs since the Unix epoch.

    ``entries``: how many numbers are entries of the lottery, -1 while it is not drawn. ``show``: share of the called
    who come, between 0.25 and 1; ``share``: its part of the rate now, ``least``: with people in all lanes, both in
    tokens/s; ``backlog``: people called lately who are here and wait for a token. ``pace``: calls/s by which waits are
    told, and ``why`` it fell at ``why_at``.
    """

    joined: int
    called: int
    answered: int
    admitted: int
    left: int
    weight: float
    floor: float
    opens: int
    bypasses: int
    entries: int
    show: float
    share: float
    least: float
    backlog: int
    pace: float
    why: Slowdown | Literal[""]
    why_at: int
    phase: Phase

    @property
    def waiting(self) -> int:
        """People who have not been called."""
        return max(0, self.joined - self.called)


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A room as the store had it at ``at_us`` (µs since the Unix epoch, the store's clock).

    ``tokens`` is the level of the token bucket; ``bypassed`` the tokens ever taken from the second one, of those who
    may pass by the line; ``version`` rises with every change of settings. ``held`` is why nobody is called though
    operators would, ``governor`` the bounds that they set (see ``edge.governor``), ``remaining`` the doses left, None:
    not known. ``healing_until`` (µs) changes whenever the store had lost the room, or a new line was begun.
    """

    state: RoomState
    phase: Phase
    reason: str
    epoch: int
    version: int
    rate: float
    burst: int
    window: int
    prequeue: int
    opens: int
    closes: int
    discipline: Discipline
    seed: str
    bypass_rate: float
    bypass_burst: int
    bypassed: int
    revoked_at: int
    tokens: float
    lanes: list[LanePicture]
    healing: bool
    at_us: int
    healing_until: int = 0
    challenge: ChallengeKind | Literal[""] = ""  # as operators set it; empty: as the rooms file has it
    held: Held = ""
    governor: str = ""
    remaining: int | None = None

    @property
    def joined(self) -> int:
        """Tickets given out."""
        return sum(lane.joined for lane in self.lanes)

    @property
    def called(self) -> int:
        """Places whose turn has come."""
        return sum(lane.called for lane in self.lanes)

    @property
    def answered(self) -> int:
        """Called places whose holders have come."""
        return sum(lane.answered for lane in self.lanes)

    @property
    def admitted(self) -> int:
        """Places that were let through."""
        return sum(lane.admitted for lane in self.lanes)

    @property
    def left(self) -> int:
        """Tickets that were given back."""
        return sum(lane.left for lane in self.lanes)

    @property
    def waiting(self) -> int:
        """People who have not been called."""
        return sum(lane.waiting for lane in self.lanes)

    @property
    def backlog(self) -> int:
        """People called lately who are here and wait for a token."""
        return sum(lane.backlog for lane in self.lanes)

    @property
    def calls_per_s(self) -> float:
        """Calls per second as the meters go now, or would go if somebody waited."""
        if not self.flows:
            return 0.0
        return sum(lane.share / lane.show for lane in self.lanes) or sum(lane.least / lane.show for lane in self.lanes)

    @property
    def show(self) -> float:
        """Share of the called who come, over the lanes in which people are called."""
        busy = [lane for lane in self.lanes if lane.share > 0] or self.lanes
        return sum(lane.show for lane in busy) / len(busy)

    @property
    def flows(self) -> bool:
        """Whether people are called and let through."""
        return not self.held and self.phase in {"open", "draining"}

    @property
    def shown(self) -> Phase:
        """The phase that visitors see, whoever brought it about: closed when sold out, paused when held."""
        return shown(self.phase, self.held)

    @property
    def settings(self) -> "dict[str, Setting]":
        """What edges carry for a store that loses everything: fields of the room's hash."""
        fields: dict[str, Setting] = {name: getattr(self, name) for name in SETTINGS}
        for index, lane in enumerate(self.lanes, 1):
            fields |= {f"{index}.{name}": getattr(lane, name) for name in LANE_SETTINGS}
        return fields


def shown(phase: Phase, held: Held) -> Phase:
    """Return the phase that visitors see of a lane or a room."""
    if held == "sold_out":
        return "closed"
    return "paused" if held and phase in {"open", "draining"} else phase


Setting = str | int | float
SETTINGS = (
    "state",
    "reason",
    "rate",
    "burst",
    "challenge",
    "held",
    "governor",
    "discipline",
    "seed",
    "prequeue",
    "opens",
    "closes",
    "bypass_rate",
    "bypass_burst",
    "revoked_at",
)
LANE_SETTINGS = ("weight", "floor", "opens", "bypasses", "entries")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge knows of a room, should the store lose it: settings, and how far each lane had come."""

    epoch: int
    version: int
    joined: list[int]
    called: list[int]
    settings: dict[str, Setting]

    @property
    def mark(self) -> tuple[int, int]:
        """Orders what two edges know: the higher line, and of one line the later settings, are in force."""
        return self.epoch, self.version


def planned(plan: RoomPlan) -> Known:
    """Return the room as the rooms file plans it; whatever an operator has set is later."""
    settings: dict[str, Setting] = {
        "state": plan.state,
        "reason": "",
        "rate": plan.rate_per_s,
        "burst": plan.burst,
        "challenge": plan.challenge,
        "held": "",
        "governor": "",
        "discipline": plan.discipline,
        "seed": "",
        "prequeue": us(plan.prequeue_at),
        "opens": us(plan.opens_at),
        "closes": us(plan.closes_at),
        "bypass_rate": 0,
        "bypass_burst": 1,
        "revoked_at": 0,
    }
    for index, lane in enumerate(plan.lanes, 1):
        settings |= {
            f"{index}.weight": lane.weight,
            f"{index}.floor": lane.floor_per_s,
            f"{index}.opens": us(lane.opens_at),
            f"{index}.bypasses": int(lane.access == "pass"),
            f"{index}.entries": -1,
        }
    nobody = [0] * len(plan.lanes)
    return Known(epoch=plan.epoch, version=0, joined=nobody, called=list(nobody), settings=settings)


def is_unlikely(ahead: int, state: PlaceState, picture: Picture) -> bool:
    """Whether there are more people ahead than doses left, or none at all; False while that is not known."""
    left = picture.remaining
    return left is not None and state in {"entered", "waiting", "called"} and (left == 0 or ahead > left)


def highest(spots: Sequence[Spot], lanes: int) -> list[int]:
    """Return for each lane the highest number or place among ``spots``."""
    most = [0] * lanes
    for lane, number, place in spots:
        most[lane] = max(most[lane], number, place)
    return most
