"""From the inventory to the lines of a feed. Pure.

Where the inventory does not know what a feed must say of a site (a postcode), the site is left out, whole; what a
feed only should say is left out alone. Nothing is made up.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET

from origin.inventory.feeds import resources
from origin.inventory.feeds.resources import (
    Address,
    Coding,
    Concept,
    Extension,
    Location,
    Manifest,
    Named,
    Output,
    Position,
    Reference,
    Schedule,
    Slot,
    States,
)

MEDIA_TYPE = "application/fhir+ndjson"
FILES = {"Location": "locations.ndjson", "Schedule": "schedules.ndjson", "Slot": "slots.ndjson"}

_IMMUNIZATION = Coding(resources.HL7_SERVICE_TYPES, "57", "Immunization")
_COVID_19 = Coding(resources.SERVICE_TYPES, "covid19-immunization", "COVID-19 Immunization Appointment")
# CVX codes: https://www2a.cdc.gov/vaccines/iis/iisstandards/vaccines.asp?rpt=cvx
_COVID_19_CODES = (207, 208, *range(210, 214), *range(217, 220), 221, 225, *range(227, 231), *range(300, 303))
_COVID_19_PRODUCTS = frozenset(map(str, (*_COVID_19_CODES, *range(308, 314))))
_NAMES = {
    "140": "Influenza vaccine",
    "168": "Influenza vaccine with adjuvant, for older people",
    "197": "Influenza vaccine, high dose",
}
_CVX_CODE = re.compile(r"[0-9]{1,3}")
_NAME_OF_ITS_OWN = re.compile(r"[A-Za-z0-9.]{1,24}")
_PHONE = re.compile(r"[+(]{0,2}[0-9][0-9 ()./-]{2,40}( ?(x|ext\.?) ?[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


class SiteFacts(msgspec.Struct, frozen=True):
    """What the inventory knows of a site."""

    id: int
    region: str
    name: str
    address: str
    town: str
    postcode: str
    phone: str
    lat: float
    lng: float
    time_zone: str


class SlotFacts(msgspec.Struct, frozen=True):
    """A slot and its places. Times are aware."""

    id: int
    starts_at: datetime
    ends_at: datetime
    product: str
    capacity: int
    remaining: int


@dataclass(frozen=True)
class Publisher:
    """Who speaks, of what: the addresses of our service, of one programme's feed, and of its waiting room."""

    service: str
    feed: str
    booking: str

    @classmethod
    def of(cls, origin_url: str, edge_url: str, *, programme: str, room: str) -> "Publisher":
        """Return the publisher of a programme."""
        origin, edge = origin_url.rstrip("/"), edge_url.rstrip("/")
        service = f"{origin}/v1/feeds"
        return cls(service, f"{service}/{quote(programme, safe='')}", f"{edge}/rooms/{quote(room, safe='')}")


def manifest(publisher: Publisher, regions: list[str], as_of: datetime) -> Manifest:
    """Return the manifest: three files to a region."""
    return Manifest(
        transaction_time=as_of,
        request=f"{publisher.feed}/$bulk-publish",
        requires_access_token=False,
        output_format=MEDIA_TYPE,
        output=[
            Output(kind, f"{publisher.feed}/{name}?region={quote(region, safe='')}", States([_plain(region)]))
            for kind, name in FILES.items()
            for region in regions
            if _plain(region)
        ],
        error=[],
    )


def location(publisher: Publisher, site: SiteFacts) -> Location | None:
    """Return a site, or None where something is missing that a feed must say."""
    name, line, city = _plain(site.name), _plain(site.address), _plain(site.town)
    state, postcode = _plain(site.region), _plain(site.postcode)
    if not (name and line and city and state and postcode):
        return None
    phone = _plain(site.phone)
    phones = [Named("phone", phone)] if _PHONE.fullmatch(phone) else []
    return Location(
        id=str(site.id),
        identifier=[Named(publisher.service, str(site.id))],
        name=name,
        telecom=[*phones, Named("url", publisher.booking)],
        address=Address([line], city, state, postcode),
        position=Position(site.lat, site.lng),
    )


def schedule(site: int, product: str) -> Schedule:
    """Return the schedule of one product at one site. Doses are not the inventory's to know: rules grant them."""
    codings = [_IMMUNIZATION, _COVID_19] if product in _COVID_19_PRODUCTS else [_IMMUNIZATION]
    coded = Coding(resources.CVX, product, _NAMES.get(product, f"CVX {product}"))
    return Schedule(
        id=_schedule_id(site, product),
        service_type=[Concept(codings)],
        actor=[Reference(f"Location/{site}")],
        extension=[Extension(resources.PRODUCT, value_coding=coded)] if _CVX_CODE.fullmatch(product) else UNSET,
    )


def slots(publisher: Publisher, site: SiteFacts, slot: SlotFacts, *, frozen: bool) -> list[Slot]:
    """Return the free places of a slot and the taken ones, each as what the specification calls aggregated slots.

    Where booking is ``frozen`` nothing is free.
    """
    free = 0 if frozen else slot.remaining
    link = Extension(resources.DEEP_LINK, value_url=publisher.booking)
    zone = _zone(site.time_zone)
    return [
        Slot(
            id=f"{slot.id}.{status}",
            schedule=Reference(f"Schedule/{_schedule_id(site.id, slot.product)}"),
            status=status,
            start=slot.starts_at.astimezone(zone),
            end=slot.ends_at.astimezone(zone),
            extension=[*links, Extension(resources.CAPACITY, value_integer=places)],
        )
        for status, places, links in (("free", free, [link]), ("busy", slot.capacity - free, []))
        if places
    ]


def _schedule_id(site: int, product: str) -> str:
    """Return an id of letters, digits and points, at most 64, the only signs that every edition allows."""
    own = (
        product if _NAME_OF_ITS_OWN.fullmatch(product) else f"x{blake2b(product.encode(), digest_size=12).hexdigest()}"
    )
    return f"{site}.{own}"


def _plain(text: str) -> str:
    """Return a text on one line, without signs that FHIR's strings must not have."""
    return _CONTROL.sub(" ", text).strip()


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC  # the same moment, not as handy
