"""Reads a document of the first format as one of the second, which can say all that the first can. Pure."""

import msgspec

from origin.eligibility.formats import v1, v2


def lifted(document: v1.Document | v2.Document) -> v2.Document:
    """Return the document in the second format. Its programme is ``first-format``: the first did not name one."""
    if isinstance(document, v2.Document):
        return document
    raw = msgspec.to_builtins(document)
    as_second = {
        "v": 2,
        "programme": "first-format",
        "title": raw["title"],
        "texts": raw["texts"],
        "labels": raw["labels"],
        "requires": raw["requires"],
        "cohorts": raw["offers"],
    }
    return msgspec.convert(as_second, v2.Document)
