"""A feed checked from its manifest to its last line: what others refer to first, one line at a time.

Memory grows by some 70 bytes a resource: a hash of its id, to find those given twice and references that lead nowhere.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from deploy.feed import resources, values
from deploy.feed.findings import Note, Report
from deploy.feed.lines import TooLarge, limited, lines
from deploy.feed.manifest import Output, manifest
from deploy.feed.sources import Missing, Opened, Source

MANIFEST_MOST = 16 * 1024 * 1024
_MB = 1024 * 1024
_MANIFEST_TYPES = frozenset({"application/json", "application/fhir+json"})
_REFERS_TO = {"Schedule": ("Location", "actor[0].reference"), "Slot": ("Schedule", "schedule.reference")}

Progress = Callable[[str, int], None]  # file, lines so far


class _Feed:
    """One run. ``whole`` holds the types of which every file could be read."""

    def __init__(self, source: Source, report: Report, most: int, progress: Progress) -> None:
        self._source = source
        self._report = report
        self._most = most
        self._progress = progress
        self._ids: dict[str, set[int]] = {kind: set() for kind in report.resources}
        self._whole = set(report.resources)

    def manifest(self, now: datetime) -> list[Output]:
        with self._source.manifest() as opened:
            note = self._report.noting(opened.name)
            _server(opened, _MANIFEST_TYPES, note)
            address = self._source.address
            if address is not None and not address.endswith("$bulk-publish"):
                note("manifest_address", "", address)
            try:
                document = _object(b"".join(limited(opened.chunks, MANIFEST_MOST)))
            except TooLarge:
                note("file_large", "", f"more than {MANIFEST_MOST // _MB} MB")
                return []
        if isinstance(document, str):
            note("manifest_json", "", document)
            return []
        return manifest(document, address, now, note)

    def file(self, output: Output) -> None:
        try:
            with self._source.file(output.url) as opened:
                note = self._report.noting(opened.name)
                _server(opened, frozenset({"application/fhir+ndjson"}), note)
                self._lines(output, opened)
        except Missing as missing:
            self._report.noting(output.url)("output_missing", "", str(missing))
            self._whole.discard(output.type)
        except TooLarge:
            self._report.noting(output.url)("file_large", "", f"more than {self._most // _MB} MB")
            self._whole.discard(output.type)

    def _lines(self, output: Output, opened: Opened) -> None:
        number = 0
        for number, line in lines(limited(opened.chunks, self._most)):
            note = self._report.noting(opened.name, number)
            if line is None:
                note("line_long", "", "more than 1 MB")
            elif not line.strip():
                note("line_blank", "", "nothing")
            else:
                self._line(output, line, note)
            if number % 1000 == 0:
                self._progress(opened.name, number)
        self._progress(opened.name, number)

    def _line(self, output: Output, line: bytes, note: Note) -> None:
        resource = _object(line)
        if isinstance(resource, str):
            note("line_json", "", resource)
            return
        kind = resource.get("resourceType")
        if kind != output.type:
            note("type_wrong", "resourceType", f"{kind!r}, not {output.type}")
            return
        self._report.resources[output.type] += 1
        self._identify(output.type, resource, note)
        if output.type == "Location":
            resources.location(resource, note, output.states)
            return
        referred = resources.CHECKS[output.type](resource, note)
        target, path = _REFERS_TO[output.type]
        if referred is not None and target in self._whole and hash(referred) not in self._ids[target]:
            note("reference_unresolved", path, f"{target}/{referred}")

    def _identify(self, kind: str, resource: dict[str, Any], note: Note) -> None:
        identity = values.identity(resource, note)
        if identity is None:
            return
        if hash(identity) in self._ids[kind]:
            note("id_twice", "id", identity)
        self._ids[kind].add(hash(identity))


def check(source: Source, report: Report, *, now: datetime, max_mb: int, progress: Progress) -> None:
    """Check everything, and write what is found into ``report``.

    Raises:
        StackError: the manifest, or a file that is there, cannot be read.
    """
    feed = _Feed(source, report, max_mb * _MB, progress)
    for output in feed.manifest(now):
        feed.file(output)


def _object(text: bytes) -> dict[str, Any] | str:
    """Return the JSON object, or what is wrong with it."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return str(error) or type(error).__name__
    return found if isinstance(found, dict) else "JSON, but no object"


def _server(opened: Opened, types: frozenset[str], note: Note) -> None:
    if opened.media_type is not None and opened.media_type not in types:
        note("media_type", "Content-Type", opened.media_type or "nothing")
    if opened.cache is not None and "max-age=" not in opened.cache.lower():
        note("cache_missing", "Cache-Control", opened.cache or "nothing")
