"""The rules for a manifest. Pure."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deploy.feed import values
from deploy.feed.findings import Note
from deploy.feed.values import shown

TYPES = ("Location", "Schedule", "Slot")  # in the order in which references can be followed
_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class Output:
    """A file to look at. ``url`` as it was given; ``states``: whom it is of interest for, none if it does not say."""

    type: str
    url: str
    states: frozenset[str]


def manifest(document: dict[str, Any], address: str | None, now: datetime, note: Note) -> list[Output]:
    """Check a manifest; return its files, those first that others refer to.

    Args:
        address: where it was fetched from; None where it lay in a folder.
        now: for what is published ahead of time.
    """
    published = values.instant(document, "transactionTime", note)
    if published is not None and published > now + _AHEAD:
        note("time_ahead", "transactionTime", f"{published.isoformat()}, and it is {now.isoformat()}")
    request = values.url(document, "request", "", note)
    if address is not None and request is not None and request != address:
        note("request_differs", "request", f"{shown(request)}, fetched from {address}")
    found = [_output(path, output, note) for path, output in values.objects(document, "output", "", _lenient(note))]
    outputs = [output for output in found if output is not None]
    for url, times in Counter(output.url for output in outputs).items():
        if times > 1:
            note("output_twice", "output", f"{shown(url)}, {times} times")
    for kind in TYPES:
        if not any(output.type == kind for output in outputs):
            note("output_none", "output", f"no {kind}")
    unique = {output.url: output for output in outputs}
    return sorted(unique.values(), key=lambda output: TYPES.index(output.type))


def _lenient(note: Note) -> Note:
    """A feed without any file is not wrong; that there is none of each type is said anyhow."""

    def lenient(rule: str, path: str, found: str) -> None:
        if found != "an empty array":
            note(rule, path, found)

    return lenient


def _output(path: str, output: dict[str, Any], note: Note) -> Output | None:
    kind, url = values.text(output, "type", path, note), values.url(output, "url", path, note)
    if kind is None or url is None:
        return None
    if kind not in TYPES:
        note("output_type", f"{path}.type", shown(kind))
        return None
    extension = values.member(output, "extension", dict, path, note, required=False) or {}
    states = values.member(extension, "state", list, f"{path}.extension", note, required=False)
    if not states:
        note("state_missing", f"{path}.extension.state", "nothing")
    for index, state in enumerate(states or ()):
        if not isinstance(state, str):
            note("field_type", f"{path}.extension.state[{index}]", f"{shown(state)}, not text")
    return Output(kind, url, frozenset(state for state in states or () if isinstance(state, str)))
