"""What a booking system tells the waiting room about itself: the capacity feed, ``GET /v1/capacity``.

Anything that answers this document can stand behind a room, not only our origin. What is not known is null; a reader
never takes null for zero. Every count is of the process that answers unless its line says otherwise, so that a booking
system of several processes behind one address gives a sample of itself; what the database knows is of all of them.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Health = Literal["ok", "degraded", "unhealthy"]
Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Quantity = Annotated[float, msgspec.Meta(ge=0)]


class Latency(msgspec.Struct, frozen=True):
    """Time to answer in the last ten seconds, in milliseconds, out of ``samples`` answers.

    Over ``limit_ms`` in its 99th percentile the system calls itself degraded.
    """

    p50_ms: Quantity
    p99_ms: Quantity
    limit_ms: Quantity
    samples: Count


class Errors(msgspec.Struct, frozen=True):
    """Share of the last ten seconds' answers that were 5xx, out of ``samples``; and how large it may be."""

    share: Share
    limit: Share
    samples: Count


class ProgrammeSupply(msgspec.Struct, frozen=True):
    """One programme, over all processes, and the waiting room that leads to it.

    ``remaining``: free places in slots that have not begun; null while they were not counted yet.
    """

    programme: str
    room: str
    remaining: Count | None
    frozen: bool
    frozen_reason: str | None


class Funnel(msgspec.Struct, frozen=True):
    """How many came how far since the process began."""

    exchanged: Count
    evaluated: Count
    searched: Count
    book_attempted: Count
    booked: Count


class Capacity(msgspec.Struct, frozen=True):
    """The feed.

    ``bookings_per_s`` is what the whole system can take, as its operator has set it. ``in_flight``: requests under way.
    ``inside``: people who were let in, have not booked and were heard from within two minutes; ``time_inside_s`` how
    long one stays, as a mean. ``unhealthy``: it cannot book at all at this moment.
    """

    bookings_per_s: Quantity | None
    in_flight: Count
    inside: Count
    time_inside_s: Quantity | None
    latency: Latency | None
    errors: Errors | None
    health: Health
    programmes: list[ProgrammeSupply]
    funnel: Funnel
    as_of: datetime
