"""A rule document: who may have what, as data. Typed, bounded, and identified by the hash of its canonical form.

There are two formats, :mod:`origin.eligibility.formats.v1` and :mod:`~origin.eligibility.formats.v2`; the document says
which in ``v``. Both are read; new documents are better written in the second.
"""

import hashlib
from typing import Any

import msgspec
import rfc8785

from origin.eligibility.formats import check, shape, v1, v2
from origin.eligibility.formats.texts import LANGUAGE, Fault, InvalidDocument, Texts, in_language

__all__ = [
    "LANGUAGE",
    "Document",
    "Fault",
    "InvalidDocument",
    "Texts",
    "canonical",
    "in_language",
    "parse",
    "ruleset_id",
]

Document = v1.Document | v2.Document


class _Version(msgspec.Struct):
    v: int


def parse(raw: bytes) -> Document:
    """Return the document.

    Raises:
        InvalidDocument: it is too large or too deep, has another form, or lacks a text for a reason code. Of a v2
            document the error has all faults at once, each with its JSON path.
    """
    if len(raw) > v2.MAX_BYTES:
        raise InvalidDocument(f"larger than {v2.MAX_BYTES} bytes")
    try:
        version = msgspec.json.decode(raw, type=_Version).v
    except (msgspec.DecodeError, RecursionError):
        version = 1
    return parse_v2(raw) if version == 2 else v1.parse(raw)


def parse_v2(raw: bytes) -> v2.Document:
    """Return the document, which must be of the second format.

    Raises:
        InvalidDocument: as above.
    """
    try:
        document = msgspec.json.decode(raw, type=v2.Document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidDocument(*(_shape_faults(raw) or [Fault("$", str(error))])) from None
    found = list(check.faults(document))
    if found:
        raise InvalidDocument(*found)
    return document


def canonical(document: Document) -> bytes:
    """Return the one spelling of a document (RFC 8785)."""
    return rfc8785.dumps(msgspec.to_builtins(document))


def ruleset_id(canonical_document: bytes) -> str:
    """Return the document's name: SHA-256 of its canonical form, in hex."""
    return hashlib.sha256(canonical_document).hexdigest()


def _shape_faults(raw: bytes) -> list[Fault]:
    try:
        value: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return []
    return list(shape.faults(value, v2.Document))
