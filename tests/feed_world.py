"""A small feed without fault, in memory, to be broken by tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import msgspec

from deploy.feed.check import check
from deploy.feed.findings import Report
from deploy.feed.sources import Missing, Opened

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
BASE = "https://feeds.example.org/vaccines/"
MANIFEST = f"{BASE}$bulk-publish"
REGISTRY = "http://fhir-registry.smarthealthit.org/StructureDefinition/"

LOCATION: dict[str, Any] = {
    "resourceType": "Location",
    "id": "L1",
    "identifier": [{"system": "https://feeds.example.org/sites", "value": "1"}],
    "name": "Health centre",
    "telecom": [
        {"system": "phone", "value": "+1 413-555-0100 ext. 7"},
        {"system": "url", "value": "https://centre.example.org"},
    ],
    "address": {"line": ["173 Elm St"], "city": "Pittsfield", "state": "MA", "postalCode": "01201"},
    "position": {"latitude": 42.45, "longitude": -73.25},
}
SCHEDULE: dict[str, Any] = {
    "resourceType": "Schedule",
    "id": "S1",
    "serviceType": [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/service-type", "code": "57"},
                {
                    "system": "http://fhir-registry.smarthealthit.org/CodeSystem/service-type",
                    "code": "covid19-immunization",
                },
            ]
        }
    ],
    "actor": [{"reference": "Location/L1"}],
    "extension": [
        {
            "url": f"{REGISTRY}vaccine-product",
            "valueCoding": {"system": "http://hl7.org/fhir/sid/cvx", "code": "207", "display": "Moderna"},
        },
        {"url": f"{REGISTRY}vaccine-dose", "valueInteger": 1},
        {"url": f"{REGISTRY}vaccine-dose", "valueInteger": 2},
    ],
}
SLOT: dict[str, Any] = {
    "resourceType": "Slot",
    "id": "T-1.free",
    "schedule": {"reference": "Schedule/S1"},
    "status": "free",
    "start": "2027-03-02T10:00:00-05:00",
    "end": "2027-03-02T10:20:00.000-05:00",
    "extension": [
        {"url": f"{REGISTRY}booking-deep-link", "valueUrl": "https://book.example.org/rooms/spring?slot=1"},
        {"url": f"{REGISTRY}booking-phone", "valueString": "413-555-0100"},
        {"url": f"{REGISTRY}slot-capacity", "valueInteger": 3},
    ],
}


def output(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "url": f"{BASE}{name}", "extension": {"state": ["MA"]}}


class Feed:
    """A source of documents that a test may change before they are read."""

    def __init__(self) -> None:
        self.address: str | None = MANIFEST
        self.document: dict[str, Any] = {
            "transactionTime": "2027-03-01T08:59:00Z",
            "request": MANIFEST,
            "output": [output("Slot", "slots"), output("Schedule", "schedules"), output("Location", "locations")],
        }
        self.location, self.schedule, self.slot = deepcopy(LOCATION), deepcopy(SCHEDULE), deepcopy(SLOT)
        self.more: dict[str, bytes] = {}  # behind the one resource of a file
        self.manifest_bytes: bytes | None = None
        self.media_types = {"manifest": "application/json", "file": "application/fhir+ndjson"}
        self.cache = "public, max-age=300"
        self.chunk = 4096

    @contextmanager
    def manifest(self) -> Iterator[Opened]:
        content = self.manifest_bytes if self.manifest_bytes is not None else msgspec.json.encode(self.document)
        yield Opened("manifest", iter([content]), self.media_types["manifest"], self.cache)

    @contextmanager
    def file(self, url: str) -> Iterator[Opened]:
        name = url.removeprefix(BASE)
        first = {"locations": self.location, "schedules": self.schedule, "slots": self.slot}
        if name not in first:
            raise Missing("it answers 404 Not Found")
        content = msgspec.json.encode(first[name]) + b"\n" + self.more.get(name, b"")
        chunks = (content[start : start + self.chunk] for start in range(0, len(content), self.chunk))
        yield Opened(name, chunks, self.media_types["file"], self.cache)

    def report(self, *, keep: int = 5, max_mb: int = 4) -> Report:
        """Check it."""
        report = Report("feed", keep=keep)
        check(self, report, now=NOW, max_mb=max_mb, progress=_quiet)
        return report


def _quiet(file: str, lines: int) -> None:
    pass
