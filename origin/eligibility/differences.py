"""What changed between two rule documents: not which lines, but which cohort, clause, grant, text or label. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

import msgspec

from origin.eligibility.document import Document
from origin.eligibility.formats.lift import lifted


@dataclass(frozen=True)
class Difference:
    """One change. ``path``: cohorts and exclusions by their ids, clauses by their place in the older document."""

    path: str
    kind: Literal["added", "removed", "changed", "moved"]
    before: Any = None
    after: Any = None


def differences(before: Document, after: Document) -> list[Difference]:
    """Return all changes, in order of the document; none exactly when both decide and say the same.

    A document of the first format is read as one of the second.
    """
    return list(_compared("", msgspec.to_builtins(lifted(before)), msgspec.to_builtins(lifted(after))))


def _compared(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and before.get("is") == after.get("is"):
        yield from _by_name(path, before, after)
    elif _have_ids(before) and _have_ids(after):
        yield from _by_id(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_sequence(path, before, after)
    else:
        yield Difference(path, "changed", before, after)


def _by_name(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        here = f"{path}.{name}" if path else name
        if name not in after:
            yield Difference(here, "removed", before[name])
        elif name not in before:
            yield Difference(here, "added", None, after[name])
        else:
            yield from _compared(here, before[name], after[name])


def _have_ids(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and "id" in each for each in value)


def _by_id(path: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[Difference]:
    old, new = ({each["id"]: each for each in side} for side in (before, after))
    yield from _by_name(path, old, new)
    order = [id_ for id_ in old if id_ in new], [id_ for id_ in new if id_ in old]
    if order[0] != order[1]:  # the first that is met grants: order decides
        yield Difference(path, "moved", *order)


def _in_sequence(path: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    old, new = ([msgspec.json.encode(each, order="deterministic") for each in side] for side in (before, after))
    for what, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        paired = min(i_end - i, j_end - j) if isinstance(before[0], dict) else 0
        for step in range(paired):
            yield from _compared(f"{path}[{i + step}]", before[i + step], after[j + step])
        for index in range(i + paired, i_end):
            yield Difference(f"{path}[{index}]", "removed", before[index])
        for index in range(j + paired, j_end):
            yield Difference(f"{path}[{index}]", "added", None, after[index])
