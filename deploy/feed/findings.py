"""What can be wrong with a feed, and a report of what was. Pure.

Errors are what the specification requires; warnings what it recommends, and what nobody can have meant. Rules and their
names are stable; ``docs/feeds.md`` says where each comes from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]
Note = Callable[[str, str, str], None]  # rule, path within the document, what was found

ERRORS = {
    "manifest_address": "the manifest's address ends in $bulk-publish",
    "manifest_json": "the manifest is one JSON object in UTF-8",
    "output_twice": "each file is listed once",
    "output_missing": "each file that is listed can be fetched",
    "file_large": "a file has no more bytes than --max-mb allows",
    "line_long": "a line has at most 1 MB",
    "line_json": "each line is one JSON object in UTF-8",
    "type_wrong": "a file holds resources of the type that it is listed with",
    "field_missing": "a required field is there",
    "field_type": "a field has the type that the specification gives it",
    "text_blank": "a text says something",
    "text_control": "a text has no control characters",
    "url_form": "an address is absolute, http or https, and without spaces",
    "uri_form": "a system is an absolute URI",
    "time_form": "a time is YYYY-MM-DDThh:mm:ss, a fraction where wanted, and a UTC offset (±hh:mm or Z)",
    "id_form": "an id has 1 to 64 letters, digits, '-' and '.'",
    "id_twice": "an id is given once per type",
    "reference_form": "a reference is Type/id",
    "reference_unresolved": "what is referred to is in the feed",
    "telecom_none": "a location has at least one point of contact",
    "telecom_system": "a point of contact is a phone or a url",
    "phone_form": "a phone number has digits, and no letters or @",
    "position_range": "a latitude lies in ±90, a longitude in ±180",
    "actor_location": "a schedule has exactly one actor, a Location",
    "covid_codings": "a COVID-19 schedule has both codings: service-type 57 and covid19-immunization",
    "product_code": "a vaccine product is a CVX code: 1 to 3 digits, as text, in the system http://hl7.org/fhir/sid/cvx",
    "dose_number": "a dose number is an integer of at least 1",
    "extension_repeated": "this extension is given once",
    "status_value": "a slot is free or busy",
    "slot_ends_first": "a slot ends after its start",
    "capacity_value": "a capacity is an integer of at least 0",
}
WARNINGS = {
    "request_differs": "`request` is the address that the manifest was fetched from",
    "time_ahead": "the manifest was published in the past",
    "output_none": "there are files of all three types",
    "output_type": "other types than Location, Schedule and Slot are not looked at",
    "state_missing": "each file says for which states it is of interest",
    "state_differs": "a location lies in a state that its file is listed with",
    "media_type": "the manifest is sent as application/json, files as application/fhir+ndjson",
    "cache_missing": "Cache-Control: max-age tells clients when to come back",
    "line_blank": "there are no empty lines",
    "phone_missing": "a location has a phone number",
    "url_missing": "a location has a url",
    "service_immunization": "a schedule says that it is for immunization: service-type 57",
    "product_repeated": "each product has a schedule of its own",
    "display_missing": "a product's code has a name to show",
    "extension_unknown": "an extension of the specification's registry is one that it defines",
    "booking_missing": "a free slot has a link or a phone number to book it by",
    "capacity_none": "a free slot has room for somebody",
}
RULES: dict[str, Severity] = {rule: "error" if rule in ERRORS else "warning" for rule in [*ERRORS, *WARNINGS]}


@dataclass(frozen=True)
class Example:
    """Where a rule was broken: ``line`` counts from 1, 0 is the whole file; ``path`` leads into the document."""

    file: str
    line: int
    path: str
    found: str


@dataclass
class Report:
    """How often each rule was broken, with the first ``keep`` examples of each. Memory does not grow with the feed."""

    feed: str
    keep: int = 5
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=lambda: {"Location": 0, "Schedule": 0, "Slot": 0})

    def add(self, rule: str, example: Example) -> None:
        """Count one more."""
        assert rule in RULES
        self.counts[rule] = self.counts.get(rule, 0) + 1
        kept = self.examples.setdefault(rule, [])
        if len(kept) < self.keep:
            kept.append(example)

    def noting(self, file: str, line: int = 0) -> Note:
        """Return what notes findings of one place."""

        def note(rule: str, path: str, found: str) -> None:
            self.add(rule, Example(file, line, path, found))

        return note

    def number(self, severity: Severity) -> int:
        """Return how many findings there are of a severity."""
        return sum(count for rule, count in self.counts.items() if RULES[rule] == severity)
