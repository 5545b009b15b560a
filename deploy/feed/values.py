"""Single values: texts, addresses, times, ids. Pure. Each notes what is wrong and returns what can be used, or None."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from deploy.feed.findings import Note

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACE = re.compile(r"\s")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_NO_PHONE = re.compile(r"[@]|[A-Za-z]{4}")  # "ext" and "x" are fine
_NAMES = {str: "text", list: "an array", dict: "an object"}
_SHOWN = 80

T = TypeVar("T", str, list[Any], dict[str, Any])


def shown(value: object) -> str:
    """Return a value as a finding shows it."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def member(
    holder: dict[str, Any], name: str, kind: type[T], path: str, note: Note, *, required: bool = True
) -> T | None:
    """Return a member of an object, of that type."""
    here = f"{path}.{name}" if path else name
    if name not in holder or holder[name] is None:
        if required:
            note("field_missing", here, "nothing")
        return None
    value = holder[name]
    if not isinstance(value, kind):
        note("field_type", here, f"{shown(value)}, not {_NAMES[kind]}")
        return None
    return value


def objects(
    holder: dict[str, Any], name: str, path: str, note: Note, *, required: bool = True
) -> Iterator[tuple[str, Any]]:
    """Yield path and value of each object in an array; what is none is noted. An empty array holds nothing."""
    found = member(holder, name, list, path, note, required=required)
    here = f"{path}.{name}" if path else name
    if found == [] and required:
        note("field_missing", here, "an empty array")
    for index, value in enumerate(found or ()):
        if isinstance(value, dict):
            yield f"{here}[{index}]", value
        else:
            note("field_type", f"{here}[{index}]", f"{shown(value)}, not an object")


def text(holder: dict[str, Any], name: str, path: str, note: Note, *, required: bool = True) -> str | None:
    """Return a text that says something."""
    value = member(holder, name, str, path, note, required=required)
    return None if value is None else checked_text(value, f"{path}.{name}" if path else name, note)


def checked_text(value: str, path: str, note: Note) -> str | None:
    """Return a text that says something."""
    if not value.strip():
        note("text_blank", path, shown(value))
        return None
    if _CONTROL.search(value):
        note("text_control", path, shown(value))
    return value


def is_url(value: str) -> bool:
    """Return whether it is an absolute address that a browser opens."""
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not _SPACE.search(value)
    except ValueError:
        return False


def url(holder: dict[str, Any], name: str, path: str, note: Note) -> str | None:
    """Return an absolute address."""
    value = text(holder, name, path, note)
    if value is not None and not is_url(value):
        note("url_form", f"{path}.{name}" if path else name, shown(value))
    return value


def system(holder: dict[str, Any], path: str, note: Note) -> str | None:
    """Return the system of a code or an identifier."""
    value = text(holder, "system", path, note)
    if value is not None and not _URI.fullmatch(value):
        note("uri_form", f"{path}.system", shown(value))
    return value


def instant(holder: dict[str, Any], name: str, note: Note) -> datetime | None:
    """Return a time with its offset (FHIR's ``instant``)."""
    value = member(holder, name, str, "", note)
    if value is None:
        return None
    try:
        if _INSTANT.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass  # 31 February
    note("time_form", name, shown(value))
    return None


def identity(resource: dict[str, Any], note: Note) -> str | None:
    """Return a resource's id."""
    value = member(resource, "id", str, "", note)
    if value is not None and not _ID.fullmatch(value):
        note("id_form", "id", shown(value))
    return value


def reference(holder: dict[str, Any], kind: str, path: str, note: Note) -> str | None:
    """Return the id out of a reference to a ``kind``."""
    value = text(holder, "reference", path, note)
    if value is None:
        return None
    given, _, target = value.partition("/")
    if given != kind or not _ID.fullmatch(target):
        note("reference_form", f"{path}.reference", f"{shown(value)}, not {kind}/id")
        return None
    return target


def is_phone(value: str) -> bool:
    """Return whether somebody can dial it."""
    return any(sign.isdigit() for sign in value) and not _NO_PHONE.search(value)


def is_count(value: object, least: int) -> bool:
    """Return whether it is an integer of at least ``least``; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
