"""An appointment as a calendar file (RFC 5545). Pure: the same appointment and time give the same file."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vGeo

from origin.booking.appointments import Appointment
from origin.words import texts_in, where
from shared.web.texts import marked

_PRODUCT_ID = "-//Vestibule//Appointments//EN"


def calendar(appointment: Appointment, now: datetime, language: str = "en") -> bytes:
    """Return the file. The UID never changes, so that a later download replaces the entry instead of doubling it."""
    zone = ZoneInfo(appointment.site.time_zone)
    start, end = appointment.slot.starts_at.astimezone(zone), appointment.slot.ends_at.astimezone(zone)
    site = appointment.site
    event = Event()
    event.add("uid", f"{appointment.id}@vestibule")
    event.add("dtstamp", now)
    event.add("created", appointment.created_at)
    event.add("sequence", appointment.version - 1)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", texts_in(language).gettext(marked("Appointment at %(place)s")) % {"place": site.name})
    event.add("location", f"{site.name}, {where(site)}")
    event.add("geo", vGeo((site.lat, site.lng)))
    event.add("status", "CANCELLED" if appointment.status == "cancelled" else "CONFIRMED")
    event.add("class", "PRIVATE")
    made = Calendar()
    made.add("prodid", _PRODUCT_ID)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add_component(event)
    made.add_missing_timezones((start - timedelta(days=365)).date(), (end + timedelta(days=365)).date())
    return bytes(made.to_ical())
