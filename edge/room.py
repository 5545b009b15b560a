"""What a room is: its plan, what the store says of it, and where a visitor stands. Pure."""

from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

RoomState = Literal["open", "paused", "closed"]
PlaceState = Literal["waiting", "called", "admitted", "left"]

MAX_PLACE = 2**32 - 1  # a bitmap of the store ends there
MAX_RATE_PER_S = 100_000
MAX_BURST = 100_000


class RoomPlan(BaseModel):
    """A room as the rooms file plans it.

    Rate, burst and state are where the room begins; operators change them in the store. A higher ``epoch`` begins a new
    line: tickets of the old one are stale.
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


class Picture(msgspec.Struct, frozen=True):
    """A room as the store had it at ``at_us`` (µs since the Unix epoch, the store's clock).

    ``tokens`` is the level of the token bucket; ``show`` the share of called people who turn up, between 0.25 and 1;
    ``backlog`` the people called lately who are here and wait for a token.
    """

    state: RoomState
    reason: str
    epoch: int
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

    @property
    def waiting(self) -> int:
        """People who have not been called."""
        return max(0, self.joined - self.called)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator changes of a room; None stays as it is."""

    rate_per_s: float | None = None
    burst: int | None = None
    state: RoomState | None = None
    reason: str | None = None


def people_ahead(place: int, state: PlaceState, picture: Picture) -> int:
    """How many are called before ``place``; nobody once it is called."""
    return max(0, place - picture.called - 1) if state == "waiting" else 0
