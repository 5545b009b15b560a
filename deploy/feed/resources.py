"""The rules for one line: a Location, a Schedule or a Slot. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from deploy.feed import values
from deploy.feed.findings import Note
from deploy.feed.values import shown

REGISTRY = "http://fhir-registry.smarthealthit.org/"
HL7_EDITION = "http://hl7.org/fhir/uv/smart-scheduling-links/"  # the same extensions in HL7's edition, in ballot
SERVICE_TYPES = f"{REGISTRY}CodeSystem/service-type"
HL7_SERVICE_TYPES = "http://terminology.hl7.org/CodeSystem/service-type"
CVX = "http://hl7.org/fhir/sid/cvx"

_IMMUNIZATION = (HL7_SERVICE_TYPES, "57")
_COVID_19 = (SERVICE_TYPES, "covid19-immunization")
# CVX codes: https://www2a.cdc.gov/vaccines/iis/iisstandards/vaccines.asp?rpt=cvx
_COVID_19_CODES = (207, 208, *range(210, 214), *range(217, 220), 221, 225, *range(227, 231), *range(300, 303))
_COVID_19_PRODUCTS = frozenset(map(str, (*_COVID_19_CODES, *range(308, 314))))
_DEFINED = ("booking-deep-link", "booking-phone", "slot-capacity", "vaccine-product", "vaccine-dose")
# Published in that registry by others, and harmless.
_KNOWN = frozenset({*_DEFINED, "has-availability"})


def location(resource: dict[str, Any], note: Note, states: frozenset[str]) -> None:
    """Check a Location; ``states``: those that its file is listed with, none if it is listed with none."""
    values.text(resource, "name", "", note)
    values.text(resource, "description", "", note, required=False)
    _telecom(resource, note)
    state = _address(resource, note)
    if states and state is not None and state not in states:
        note("state_differs", "address.state", f"{shown(state)}, not {', '.join(sorted(states))}")
    _position(resource, note)
    for path, identifier in values.objects(resource, "identifier", "", note):
        values.system(identifier, path, note)
        values.text(identifier, "value", path, note)


def _telecom(resource: dict[str, Any], note: Note) -> None:
    contacts = values.member(resource, "telecom", list, "", note)
    if contacts is None:
        return
    if not contacts:
        note("telecom_none", "telecom", "an empty array")
        return
    systems = {_contact(path, contact, note) for path, contact in values.objects(resource, "telecom", "", note)}
    for system in ("phone", "url"):
        if system not in systems:
            note(f"{system}_missing", "telecom", "nothing")


def _contact(path: str, contact: dict[str, Any], note: Note) -> str | None:
    system = values.text(contact, "system", path, note)
    value = values.text(contact, "value", path, note)
    if system is not None and system not in {"phone", "url"}:
        note("telecom_system", f"{path}.system", shown(system))
    if system == "phone" and value is not None and not values.is_phone(value):
        note("phone_form", f"{path}.value", shown(value))
    if system == "url" and value is not None and not values.is_url(value):
        note("url_form", f"{path}.value", shown(value))
    return system


def _address(resource: dict[str, Any], note: Note) -> str | None:
    address = values.member(resource, "address", dict, "", note)
    if address is None:
        return None
    lines = values.member(address, "line", list, "address", note)
    if lines == []:
        note("field_missing", "address.line", "an empty array")
    for index, line in enumerate(lines or ()):
        if isinstance(line, str):
            values.checked_text(line, f"address.line[{index}]", note)
        else:
            note("field_type", f"address.line[{index}]", f"{shown(line)}, not text")
    for name in ("city", "postalCode"):
        values.text(address, name, "address", note)
    values.text(address, "district", "address", note, required=False)
    return values.text(address, "state", "address", note)


def _position(resource: dict[str, Any], note: Note) -> None:
    position = values.member(resource, "position", dict, "", note, required=False)
    if position is None:
        return
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = position.get(name)
        if value is None:
            note("field_missing", f"position.{name}", "nothing")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            note("field_type", f"position.{name}", f"{shown(value)}, not a number")
        elif abs(value) > most:
            note("position_range", f"position.{name}", shown(value))


def schedule(resource: dict[str, Any], note: Note) -> str | None:
    """Check a Schedule; return the id of its location."""
    location_id = None
    actors = list(values.objects(resource, "actor", "", note))
    for path, actor in actors[:1]:
        location_id = values.reference(actor, "Location", path, note)
    if len(actors) > 1:
        note("actor_location", "actor", f"{len(actors)} actors")
    products = _schedule_extensions(resource, note)
    codings = _codings(resource, note)
    if _IMMUNIZATION not in codings:
        note("service_immunization", "serviceType", "no such coding")
    if _COVID_19 in codings and _IMMUNIZATION not in codings:
        note("covid_codings", "serviceType", "service-type 57 is missing")
    if products & _COVID_19_PRODUCTS and _COVID_19 not in codings:
        note("covid_codings", "serviceType", "covid19-immunization is missing")
    return location_id


def _codings(resource: dict[str, Any], note: Note) -> set[tuple[str | None, str | None]]:
    return {
        (values.system(coding, inner, note), values.text(coding, "code", inner, note))
        for path, concept in values.objects(resource, "serviceType", "", note)
        for inner, coding in values.objects(concept, "coding", path, note)
    }


def _schedule_extensions(resource: dict[str, Any], note: Note) -> set[str]:
    products: set[str] = set()
    times = Counter[str]()
    for name, path, extension in _extensions(resource, note):
        times[name] += 1
        if name == "vaccine-product":
            products |= _product(path, extension, note)
        if name == "vaccine-dose":
            _counted(path, extension, note, "dose_number", 1)
    if times["vaccine-product"] > 1:
        note("product_repeated", "extension", f"{times['vaccine-product']} products")
    return products


def _product(path: str, extension: dict[str, Any], note: Note) -> set[str]:
    coding = values.member(extension, "valueCoding", dict, path, note)
    if coding is None:
        return set()
    inner = f"{path}.valueCoding"
    system, code = values.text(coding, "system", inner, note), coding.get("code")
    is_code = isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 3
    if system is not None and (system != CVX or not is_code):
        note("product_code", inner, f"{shown(code)} in {shown(system)}")
    if not coding.get("display"):
        note("display_missing", f"{inner}.display", "nothing")
    return {str(code)}


def slot(resource: dict[str, Any], note: Note) -> str | None:
    """Check a Slot; return the id of its schedule."""
    held = values.member(resource, "schedule", dict, "", note)
    schedule_id = None if held is None else values.reference(held, "Schedule", "schedule", note)
    status = values.text(resource, "status", "", note)
    if status is not None and status not in {"free", "busy"}:
        note("status_value", "status", shown(status))
    start, end = values.instant(resource, "start", note), values.instant(resource, "end", note)
    if start is not None and end is not None and end <= start:
        note("slot_ends_first", "end", f"{resource['end']}, and starts {resource['start']}")
    _slot_extensions(resource, note, is_free=status == "free")
    return schedule_id


def _slot_extensions(resource: dict[str, Any], note: Note, *, is_free: bool) -> None:
    times = Counter[str]()
    capacity = None
    for name, path, extension in _extensions(resource, note):
        times[name] += 1
        if name == "slot-capacity":
            capacity = _counted(path, extension, note, "capacity_value", 0)
        else:
            _booking(name, path, extension, note)
    for name in ("booking-deep-link", "booking-phone", "slot-capacity"):
        if times[name] > 1:
            note("extension_repeated", "extension", f"{name}, {times[name]} times")
    if is_free and not (times["booking-deep-link"] or times["booking-phone"]):
        note("booking_missing", "extension", "neither")
    if is_free and capacity == 0:
        note("capacity_none", "extension", "0")


def _booking(name: str, path: str, extension: dict[str, Any], note: Note) -> None:
    if name == "booking-deep-link":
        values.url(extension, "valueUrl", path, note)
    elif name == "booking-phone":
        number = values.text(extension, "valueString", path, note)
        if number is not None and not values.is_phone(number):
            note("phone_form", f"{path}.valueString", shown(number))


def _counted(path: str, extension: dict[str, Any], note: Note, rule: str, least: int) -> int | None:
    value = extension.get("valueInteger")
    if value is None:
        note("field_missing", f"{path}.valueInteger", "nothing")
    elif not values.is_count(value, least):
        note(rule, f"{path}.valueInteger", shown(value))
    else:
        return int(value)
    return None


def _extensions(resource: dict[str, Any], note: Note) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the extensions that the specification defines, by name."""
    for path, extension in values.objects(resource, "extension", "", note, required=False):
        address = values.text(extension, "url", path, note)
        if address is None or not address.startswith((REGISTRY, HL7_EDITION)):
            continue
        name = address.rpartition("/")[2]
        if name not in _KNOWN:
            note("extension_unknown", f"{path}.url", shown(address))
        elif name in _DEFINED:
            yield name, path, extension


CHECKS: dict[str, Callable[[dict[str, Any], Note], str | None]] = {"Schedule": schedule, "Slot": slot}
