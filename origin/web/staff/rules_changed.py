"""The changes between two documents in words, clause by clause. Pure."""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from origin.eligibility.differences import Difference, differences
from origin.eligibility.document import Document
from origin.eligibility.formats.v2 import Clause, Cohort
from origin.web.staff.rules_words import Read, ReadCohort, RulesReader


@dataclass(frozen=True)
class Side:
    """One side of a change: a cohort or a clause in words, or a text."""

    cohort: ReadCohort | None = None
    clause: Read | None = None
    text: str = ""


@dataclass(frozen=True)
class Changed:
    """One change. ``path``: where, in the document's own words; ``about``: which part of the document it is."""

    about: Literal["requires", "exclusions", "cohorts", "texts", "labels", "other"]
    path: str
    kind: Literal["added", "removed", "changed", "moved"]
    before: Side
    after: Side


def changes(before: Document, after: Document, language: str) -> list[Changed]:
    """Return all changes, in order of the document."""
    readers = RulesReader(before, language), RulesReader(after, language)
    return [_changed(each, *readers) for each in differences(before, after)]


def _changed(each: Difference, old: RulesReader, new: RulesReader) -> Changed:
    first, _, rest = each.path.partition(".")
    about: Any = first if first in {"requires", "exclusions", "cohorts", "texts", "labels"} else "other"
    return Changed(about, rest or each.path, each.kind, _side(each.before, old), _side(each.after, new))


def _side(value: Any, reader: RulesReader) -> Side:
    if not isinstance(value, dict):
        return Side(text=_text(value))
    if "grants" in value:
        return Side(cohort=reader.cohort(msgspec.convert(value, Cohort)))
    clause = value.get("when", value)
    return Side(clause=reader.clause(msgspec.convert(clause, Clause))) if "is" in clause else Side(text=_text(value))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return "; ".join(f"{name}: {each}" for name, each in value.items())
    return value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
