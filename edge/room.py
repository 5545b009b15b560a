"""What a room is: its plan, what the store says of it, and where a visitor stands. Pure."""

from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

RoomState = Literal["open", "paused", "closed"]
PlaceState = Literal["waiting", "called", "admitted", "left"]
Held = Literal["", "sold_out", "frozen", "origin_down", "origin_unhealthy", "full"]
HELD: tuple[Held, ...] = ("sold_out", "frozen", "origin_down", "origin_unhealthy", "full")
ChallengeKind = Literal["off", "altcha"]
Kind = Literal["joins", "acts", "waits"]
KINDS: tuple[Kind, ...] = ("joins", "acts", "waits")

MAX_PLACE = 2**32 - 1  # a bitmap of the store ends there
MAX_RATE_PER_S = 100_000
MAX_BURST = 100_000
Quota = Annotated[int, Field(ge=1, le=10_000_000)] | None


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


class RoomPlan(BaseModel):
    """A room as the rooms file plans it.

    Rate, burst and state are where the room begins; operators change them in the store. A higher ``epoch`` begins a new
    line: tickets of the old one are stale. A challenge takes between one and two times ``challenge_effort`` hashes;
    ``challenge_wait_s`` is what those wait who do not compute. With ``require_cookie`` a place is given only to who
    comes back with the cookie that the first join sets. ``capacity_url`` is the capacity feed of what lies behind it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]
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


class Picture(msgspec.Struct, frozen=True):
    """A room as the store had it at ``at_us`` (µs since the Unix epoch, the store's clock).

    ``tokens`` is the level of the token bucket; ``show`` the share of called people who turn up, between 0.25 and 1;
    ``backlog`` the people called lately who are here and wait for a token;
    ``version`` rises with every change of settings. ``held`` is why nobody is called though operators would,
    ``governor`` the bounds that they set (see ``edge.steering``), ``remaining`` the doses left, None: not known.
    """

    state: RoomState
    reason: str
    epoch: int
    version: int
    rate: float
    burst: int
    window: int
    joined: int
    called: int
    answered: int
    admitted: int
    left: int
    tokens: float
    show: float
    calls_per_s: float
    backlog: int
    healing: bool
    at_us: int
    challenge: ChallengeKind | Literal[""] = ""  # as operators set it; empty: as the rooms file has it
    held: Held = ""
    governor: str = ""
    remaining: int | None = None

    @property
    def waiting(self) -> int:
        """People who have not been called."""
        return max(0, self.joined - self.called)

    @property
    def shown(self) -> RoomState:
        """The state that visitors see, whoever brought it about: closed when sold out, paused when held."""
        if self.held == "sold_out":
            return "closed"
        return "paused" if self.held and self.state == "open" else self.state


Setting = str | int | float
SETTINGS = ("state", "reason", "rate", "burst", "challenge", "held", "governor")
"""The fields of a picture that are settings: what edges carry for a store that loses everything."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge knows of a room, should the store lose it: settings, and how far the line had come."""

    epoch: int
    version: int
    joined: int
    called: int
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
    }
    return Known(epoch=plan.epoch, version=0, joined=0, called=0, settings=settings)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator changes of a room; None stays as it is."""

    rate_per_s: float | None = None
    burst: int | None = None
    state: RoomState | None = None
    reason: str | None = None
    challenge: ChallengeKind | None = None
    governor: str | None = None


def people_ahead(place: int, state: PlaceState, picture: Picture) -> int:
    """How many are called before ``place``; nobody once it is called."""
    return max(0, place - picture.called - 1) if state == "waiting" else 0


def is_unlikely(ahead: int, state: PlaceState, picture: Picture) -> bool:
    """Whether there are more people ahead than doses left, or none at all; False while that is not known."""
    left = picture.remaining
    return left is not None and state in {"waiting", "called"} and (left == 0 or ahead > left)
