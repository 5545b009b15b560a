"""The JSON Schema of rule documents, for editors and for whoever checks documents without our program. Pure.

It is made from the structs that documents are read into, with what these cannot say: which dialect it is, that days are
days, and how large a document may be.
"""

from typing import Any

import msgspec

from origin.eligibility.formats import v2

_DAY = "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:vestibule:rules:v2",
    "title": "Vestibule rule document, format 2",
    "description": (
        f"Who may have what, as data. At most {v2.MAX_BYTES} bytes and {v2.MAX_COMPARISONS} comparisons, nested at most"
        f" {v2.MAX_DEPTH} deep. Besides the schema: every reason has a text, every text is there in English, ids are"
        " given once, and what begins or ends has a reason. `vestibule rules lint` checks all of it."
    ),
}


def schema() -> dict[str, Any]:
    """Return the schema."""
    made = msgspec.json.schema(v2.Document)
    definitions = {name: _tidied(each) for name, each in sorted(made["$defs"].items())}
    return {**_HEAD, "$ref": made["$ref"], "$defs": definitions}


def encoded() -> bytes:
    """Return the schema as the file that is published."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2) + b"\n"


def _tidied(part: Any) -> Any:
    """Return a part with descriptions on one line and days that are days also where formats are not looked at."""
    if isinstance(part, list):
        return [_tidied(each) for each in part]
    if not isinstance(part, dict):
        return part
    tidy = {name: _tidied(each) for name, each in part.items()}
    if tidy.get("format") == "date":
        tidy["pattern"] = _DAY
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].split())
    return tidy
