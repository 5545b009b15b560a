"""What a line of a feed says: FHIR R4 resources as SMART Scheduling Links has them.

Specification: https://github.com/smart-on-fhir/smart-scheduling-links/blob/master/specification.md
"""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

_REGISTRY = "http://fhir-registry.smarthealthit.org"
DEEP_LINK = f"{_REGISTRY}/StructureDefinition/booking-deep-link"
PHONE = f"{_REGISTRY}/StructureDefinition/booking-phone"
CAPACITY = f"{_REGISTRY}/StructureDefinition/slot-capacity"
PRODUCT = f"{_REGISTRY}/StructureDefinition/vaccine-product"
SERVICE_TYPES = f"{_REGISTRY}/CodeSystem/service-type"
HL7_SERVICE_TYPES = "http://terminology.hl7.org/CodeSystem/service-type"
CVX = "http://hl7.org/fhir/sid/cvx"


class _Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A part of a resource: what is not known is not there."""


class Coding(_Part, frozen=True):
    """A code of a code system."""

    system: str
    code: str
    display: str


class Extension(_Part, frozen=True):
    """What FHIR has no element for. Exactly one value."""

    url: str
    value_url: str | UnsetType = UNSET
    value_string: str | UnsetType = UNSET
    value_integer: int | UnsetType = UNSET
    value_coding: Coding | UnsetType = UNSET


class Reference(_Part, frozen=True):
    """``Type/id`` of another resource of the same feed."""

    reference: str


class Named(_Part, frozen=True):
    """An identifier or a point of contact: a value, and the system that it belongs to."""

    system: str
    value: str


class Address(_Part, frozen=True):
    """``state``: the region's id."""

    line: list[str]
    city: str
    state: str
    postal_code: str


class Position(_Part, frozen=True):
    """WGS 84, degrees."""

    latitude: float
    longitude: float


class Concept(_Part, frozen=True):
    """One notion, in the codes of several systems."""

    coding: list[Coding]


class Location(_Part, frozen=True, tag_field="resourceType", tag="Location"):
    """A site."""

    id: str
    identifier: list[Named]
    name: str
    telecom: list[Named]
    address: Address
    position: Position


class Schedule(_Part, frozen=True, tag_field="resourceType", tag="Schedule"):
    """One vaccine product at one site."""

    id: str
    service_type: list[Concept]
    actor: list[Reference]
    extension: list[Extension] | UnsetType = UNSET


class Slot(_Part, frozen=True, tag_field="resourceType", tag="Slot"):
    """Places of one time at one site, all free or all taken. Times carry the site's UTC offset."""

    id: str
    schedule: Reference
    status: str
    start: datetime
    end: datetime
    extension: list[Extension]


class States(_Part, frozen=True):
    """For whom a file is of interest."""

    state: list[str]


class Output(_Part, frozen=True):
    """One file of a feed."""

    type: str
    url: str
    extension: States


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """Where the files are. Each, when fetched later, is no older than ``transaction_time``."""

    transaction_time: datetime
    request: str
    requires_access_token: bool
    output_format: str
    output: list[Output]
    error: list[Output]
