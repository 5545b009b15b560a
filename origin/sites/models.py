"""What staff of a site send and see."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from origin.admin.officials import Why
from origin.booking.appointments import Status
from origin.eligibility.person import Declared

MOST_PLACES = 100_000

Time = Annotated[datetime, msgspec.Meta(tz=True)]
_Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class CancelForm(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """One slot, or all that begin from ``from`` until before ``to``; and why, which their people are told.

    ``confirm``: in how many people's way it is, as the answer without it has told; without it nothing is done.
    """

    reason: Why
    slot_id: _Id | None = None
    starts_from: Time | None = None
    starts_before: Time | None = None
    confirm: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None


class ReopenForm(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """One cancelled slot, or all that begin from ``from`` until before ``to``; and why.

    ``places``: how many each of them is to have; left out, as many as before it was cancelled.
    """

    reason: Why
    slot_id: _Id | None = None
    starts_from: Time | None = None
    starts_before: Time | None = None
    places: Annotated[int, msgspec.Meta(ge=1, le=MOST_PLACES)] | None = None


class Concerned(msgspec.Struct, frozen=True):
    """An appointment that is in the way. ``reference``: the code that its person can show; ``product``: CVX code."""

    id: UUID
    reference: str
    starts_at: datetime
    product: str


class Preview(msgspec.Struct, frozen=True):
    """What would be cancelled: how many slots, and everybody in them. ``confirm`` is how many that are."""

    slots: int
    confirm: int
    appointments: list[Concerned]


class Progress(msgspec.Struct, frozen=True):
    """How many people are where.

    ``waiting`` for a look at other times; ``offered`` one, not answered yet; ``accepted`` it; ``left`` by a change of
    their own; ``declined``, ``lapsed`` (not answered in time) and ``none_found``: their appointment is cancelled.
    """

    waiting: int
    offered: int
    accepted: int
    left: int
    declined: int
    lapsed: int
    none_found: int


class Cancellation(msgspec.Struct, frozen=True):
    """Slots that a site has cancelled. ``first`` and ``last``: the first and the last start among them.

    ``reopened``: how many of the slots were opened again. ``is_finished``: everybody has another time, or has been told
    that there is none.
    """

    id: UUID
    site: str
    first: datetime
    last: datetime
    slots: int
    people: int
    reason: str
    actor: str
    at: datetime
    reopened: int
    is_finished: bool
    progress: Progress


class Cancellations(msgspec.Struct, frozen=True):
    """What a site has cancelled, newest first; at most a hundred."""

    cancellations: list[Cancellation]


class Reopening(msgspec.Struct, frozen=True):
    """Cancelled slots that a site has opened again. ``first`` and ``last``: the first and the last start among them.

    ``places``: how many became free.
    """

    id: UUID
    site: str
    first: datetime
    last: datetime
    slots: int
    places: int
    reason: str
    actor: str
    at: datetime


class Reopenings(msgspec.Struct, frozen=True):
    """What a site has opened again, newest first; at most a hundred."""

    reopenings: list[Reopening]


class DayAppointment(msgspec.Struct, frozen=True):
    """Somebody who is expected: the code that they show, how they stand, and which dose it is. No name, no health."""

    id: UUID
    reference: str
    status: Status
    dose: int


class DaySlot(msgspec.Struct, frozen=True):
    """A slot of the day, with who is in it. Times carry the site's UTC offset; ``product``: CVX code."""

    id: int
    starts_at: datetime
    ends_at: datetime
    product: str
    capacity: int
    remaining: int
    is_cancelled: bool
    appointments: list[DayAppointment]


class DayList(msgspec.Struct, frozen=True):
    """A day at a site, by time."""

    site: str
    name: str
    day: date
    as_of: datetime
    slots: list[DaySlot]


Mark = Literal["confirmed", "checked_in", "completed", "no_show"]


class MarkForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How staff see it; ``confirmed`` takes a mark back."""

    status: Mark


class Marked(msgspec.Struct, frozen=True):
    """How an appointment stands now."""

    id: UUID
    status: Mark


class WalkInForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A slot of the site that has not begun, and what the person declares."""

    slot_id: _Id
    facts: Declared


def reference(appointment: UUID) -> str:
    """Return the code that a person shows at the site, and that staff find the appointment by: ``7F3A-90C2``."""
    digits = appointment.hex[-8:].upper()
    return f"{digits[:4]}-{digits[4:]}"
