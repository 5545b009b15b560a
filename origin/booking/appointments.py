"""What a person sees of an appointment, and how it is kept as the answer to a key."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from origin.inventory.slots import Site

Status = Literal["held", "confirmed", "checked_in", "completed", "no_show", "cancelled"]


class BookedSlot(msgspec.Struct, frozen=True):
    """The time of an appointment, with the site's UTC offset."""

    id: int
    starts_at: datetime
    ends_at: datetime


class Appointment(msgspec.Struct, frozen=True):
    """A person's appointment. ``product``: CVX code; ``version`` grows with every change.

    ``member``: for whom of the caller's household it is; null, for the caller, or for somebody no longer in it.
    """

    id: UUID
    status: Status
    slot: BookedSlot
    site: Site
    product: str
    dose: int
    created_at: datetime
    version: int
    member: UUID | None = None


class AppointmentFacts(msgspec.Struct, frozen=True):
    """An appointment, flat: a row of ``queries.sql``, or the JSON that the booking function keeps."""

    id: UUID
    status: Status
    product: str
    dose: int
    created_at: datetime
    slot: int
    starts_at: datetime
    ends_at: datetime
    site: int
    name: str
    address: str
    town: str
    lat: float
    lng: float
    time_zone: str
    step_free: bool
    version: int = 1
    member: UUID | None = None


def from_row(row: Any) -> Appointment:
    """Return the appointment of a row."""
    return from_facts(AppointmentFacts(**dict(row)))


def from_facts(facts: AppointmentFacts) -> Appointment:
    """Return the appointment as its person sees it."""
    zone = ZoneInfo(facts.time_zone)
    return Appointment(
        id=facts.id,
        status=facts.status,
        slot=BookedSlot(facts.slot, facts.starts_at.astimezone(zone), facts.ends_at.astimezone(zone)),
        site=Site(
            facts.site, facts.name, facts.address, facts.town, facts.lat, facts.lng, facts.time_zone, facts.step_free
        ),
        product=facts.product,
        dose=facts.dose,
        created_at=facts.created_at,
        version=facts.version,
        member=facts.member,
    )
