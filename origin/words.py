"""Days, times, distances and products as people say them. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from gettext import NullTranslations
from pathlib import Path

from babel.dates import format_date, format_time
from babel.units import format_unit

from origin.booking.appointments import Appointment
from origin.booking.hold_store import Terms
from origin.inventory.slots import Site, Slot
from shared.web import words
from shared.web.texts import marked, texts

CATALOGUES = Path(__file__).parent / "locale"

# CVX codes (https://www2a.cdc.gov/vaccines/iis/iisstandards/vaccines.asp?rpt=cvx)
_PRODUCTS = {
    "140": marked("Influenza vaccine"),
    "168": marked("Influenza vaccine with adjuvant, for older people"),
    "197": marked("Influenza vaccine, high dose"),
}


def texts_in(language: str) -> NullTranslations:
    """Return the origin's texts in a language."""
    return texts(language, CATALOGUES)


_DAY = {
    "en": "EEEE d MMMM y",
    "es": "EEEE, d 'de' MMMM 'de' y",
    "fr": "EEEE d MMMM y",
    "ar": "EEEE، d MMMM y",
}


@dataclass(frozen=True)
class SlotWords:
    """A slot, said."""

    id: int
    day: str
    time: str
    site: Site
    product: str
    dose: int | None = None
    distance: str = ""
    is_same_place: bool = False
    key: str = ""


def of_slot(slot: Slot, locale: str, *, dose: int | None = None, key: str = "") -> SlotWords:
    """Return a slot in words; ``key``: the Idempotency-Key of the form that books it."""
    return SlotWords(
        id=slot.id,
        day=day(slot.starts_at.date(), locale),
        time=times(slot.starts_at, slot.ends_at, locale),
        site=slot.site,
        product=product(slot.product, locale),
        dose=dose,
        distance=distance(slot.distance_km, locale),
        is_same_place=slot.distance_km == 0,
        key=key,
    )


def of_appointment(appointment: Appointment, locale: str) -> SlotWords:
    """Return the slot of an appointment in words."""
    slot = appointment.slot
    return SlotWords(
        id=slot.id,
        day=day(slot.starts_at.date(), locale),
        time=times(slot.starts_at, slot.ends_at, locale),
        site=appointment.site,
        product=product(appointment.product, locale),
        dose=appointment.dose,
    )


def day(value: date, locale: str) -> str:
    """Return ``Thursday 3 December 2026``."""
    return format_date(value, _DAY[locale], locale=locale)


def clock_time(value: datetime, locale: str) -> str:
    """Return ``09:20``, on the clock of ``value``'s own time zone."""
    return format_time(value.time(), "HH:mm", locale=locale)


def times(start: datetime, end: datetime, locale: str) -> str:
    """Return ``09:20–09:30``."""
    return f"{clock_time(start, locale)}–{clock_time(end, locale)}"


@dataclass(frozen=True)
class TermsWords:
    """Until when and how often an appointment may be changed, said. ``moves``, ``cancels``: left; None, any number."""

    day: str
    time: str
    is_over: bool
    moves: int | None
    cancels: int | None

    @property
    def may_move(self) -> bool:
        """Whether it may be moved now."""
        return not self.is_over and self.moves != 0

    @property
    def may_cancel(self) -> bool:
        """Whether it may be cancelled now."""
        return not self.is_over and self.cancels != 0


def of_terms(terms: Terms, zone: tzinfo, now: datetime, locale: str) -> TermsWords:
    """Return terms in words, on the clock of the site."""
    until = terms.until.astimezone(zone)
    left = [None if number is None else max(0, number) for number in (terms.moves_left, terms.cancels_left)]
    return TermsWords(day(until.date(), locale), clock_time(until, locale), until <= now, *left)


@dataclass(frozen=True)
class TurnWords:
    """Until when booking is possible, said.

    ``left_s``: seconds; ``short``: what less than a minute is called; ``back``: where one goes on after more time.
    """

    ends_at: str
    time: str
    left: str
    left_s: int
    short: str
    back: str


def of_turn(ends_at: int, now: float, locale: str, *, back: str) -> TurnWords:
    """Return the end of a turn in words; on the clock of UTC, for no server knows the visitor's.

    ``origin/web/static/turn.js`` says the same on the clock of the visitor.
    """
    end = datetime.fromtimestamp(ends_at, UTC)
    left_s = max(0, int(ends_at - now))
    short = words.wait_patterns(locale)["none"]
    return TurnWords(
        ends_at=end.isoformat().replace("+00:00", "Z"),
        time=f"{clock_time(end, locale)} UTC",
        left=words.length(left_s // 60, locale) if left_s >= 60 else short,
        left_s=left_s,
        short=short,
        back=back,
    )


def where(site: Site) -> str:
    """Return address and town; the town once, also where the address ends with it."""
    return site.address if site.address.endswith(site.town) else f"{site.address}, {site.town}"


def distance(km: float, locale: str) -> str:
    """Return ``2.4 km``; whole kilometres from ten on."""
    rounded = round(km) if km >= 9.95 else max(0.1, round(km, 1))
    return str(format_unit(rounded, "length-kilometer", "short", locale=locale))


def product(code: str, language: str) -> str:
    """Return what people call a product, by its CVX code."""
    said = texts_in(language).gettext
    name = _PRODUCTS.get(code)
    return said(marked("Vaccine %(code)s")) % {"code": code} if name is None else said(name)
