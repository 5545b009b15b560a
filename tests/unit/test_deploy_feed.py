"""The checker of feeds: each rule has a feed that breaks it and no other; a feed without fault breaks none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.errors import StackError
from deploy.feed import show
from deploy.feed.findings import RULES, Report
from deploy.feed.lines import TooLarge, limited, lines
from deploy.feed.sources import Folder, source_of
from tests.conftest import ROOT
from tests.feed_world import BASE, LOCATION, REGISTRY, SCHEDULE, SLOT, Feed, output

Break = Callable[[Feed], Any]

OTHER: list[dict[str, Any]] = [
    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/service-type", "code": "124"}]}
]

BROKEN: list[tuple[str, str, Break]] = [
    ("manifest_address", "another name", lambda f: setattr(f, "address", f"{BASE}manifest.json")),
    ("manifest_json", "no JSON", lambda f: setattr(f, "manifest_bytes", b"<html>")),
    ("manifest_json", "an array", lambda f: setattr(f, "manifest_bytes", b"[]")),
    ("request_differs", "another host", lambda f: f.document.update(request="https://other.example.org/$bulk-publish")),
    ("url_form", "a request that is a path", lambda f: f.document.update(request="/$bulk-publish")),
    ("url_form", "a file that is a path", lambda f: f.document["output"][0].update(url="slots")),
    ("field_missing", "no time", lambda f: f.document.pop("transactionTime")),
    ("field_missing", "no files", lambda f: f.document.pop("output")),
    ("time_form", "no offset", lambda f: f.document.update(transactionTime="2027-03-01T08:59:00")),
    ("time_ahead", "tomorrow", lambda f: f.document.update(transactionTime="2027-03-02T08:59:00Z")),
    ("output_none", "no slots", lambda f: f.document["output"].pop(0)),
    ("output_none", "an empty feed", lambda f: f.document.update(output=[])),
    ("output_type", "practitioners", lambda f: f.document["output"].append(output("PractitionerRole", "roles"))),
    ("output_twice", "the same again", lambda f: f.document["output"].append(output("Slot", "slots"))),
    ("output_missing", "a file that is not there", lambda f: f.document["output"].append(output("Slot", "gone"))),
    ("state_missing", "no extension", lambda f: f.document["output"][0].pop("extension")),
    ("state_missing", "no state", lambda f: f.document["output"][0]["extension"].update(state=[])),
    ("field_type", "a state that is a number", lambda f: f.document["output"][0]["extension"].update(state=[25])),
    ("state_differs", "a location elsewhere", lambda f: f.location["address"].update(state="CT")),
    ("media_type", "a manifest as text", lambda f: f.media_types.update(manifest="text/plain")),
    ("media_type", "files as JSON", lambda f: f.media_types.update(file="application/json")),
    ("cache_missing", "no Cache-Control", lambda f: setattr(f, "cache", "")),
    ("file_large", "more than allowed", lambda f: f.more.update(slots=b" \n" * 3 * 1024 * 1024)),
    ("line_long", "a long line", lambda f: f.more.update(slots=b"x" * (1024 * 1024 + 1))),
    ("line_json", "half an object", lambda f: f.more.update(slots=b'{"resourceType":"Slot"')),
    ("line_json", "not in UTF-8", lambda f: f.more.update(locations=b'{"name":"\xff"}')),
    ("line_json", "an array", lambda f: f.more.update(schedules=b"[]\n")),
    ("line_json", "spread over lines", lambda f: f.more.update(slots=b'{\n"id": "1"\n}')),
    ("line_blank", "an empty line", lambda f: f.more.update(slots=b"\n")),
    ("type_wrong", "a Schedule among Slots", lambda f: f.slot.update(resourceType="Schedule")),
    ("type_wrong", "no type", lambda f: f.slot.pop("resourceType")),
    ("field_missing", "a location without name", lambda f: f.location.pop("name")),
    ("field_missing", "a null", lambda f: f.location.update(name=None)),
    ("field_missing", "no telecom", lambda f: f.location.pop("telecom")),
    ("field_missing", "no identifier", lambda f: f.location.update(identifier=[])),
    ("field_missing", "no address", lambda f: f.location.pop("address")),
    ("field_missing", "no line", lambda f: f.location["address"].update(line=[])),
    ("field_missing", "no postal code", lambda f: f.location["address"].pop("postalCode")),
    ("field_missing", "half a position", lambda f: f.location["position"].pop("longitude")),
    ("field_missing", "no service", lambda f: f.schedule.pop("serviceType")),
    ("field_missing", "no actor", lambda f: f.schedule.pop("actor")),
    ("field_missing", "no schedule", lambda f: f.slot.pop("schedule")),
    ("field_missing", "no status", lambda f: f.slot.pop("status")),
    ("field_missing", "no end", lambda f: f.slot.pop("end")),
    ("field_missing", "a capacity without value", lambda f: f.slot["extension"][2].pop("valueInteger")),
    ("field_missing", "a link without address", lambda f: f.slot["extension"][0].pop("valueUrl")),
    ("field_type", "a name that is a number", lambda f: f.location.update(name=7)),
    ("field_type", "a telecom that is no array", lambda f: f.location.update(telecom={})),
    ("field_type", "a line that is a number", lambda f: f.location["address"]["line"].append(7)),
    ("field_type", "a position as text", lambda f: f.location["position"].update(latitude="42")),
    ("field_type", "a position that is true", lambda f: f.location["position"].update(latitude=True)),
    ("field_type", "an extension as text", lambda f: f.slot["extension"].append("free")),
    ("field_type", "a start as a number", lambda f: f.slot.update(start=1803798077)),
    ("text_blank", "a blank name", lambda f: f.location.update(name=" ")),
    ("text_control", "a bell", lambda f: f.location["address"].update(city="Pitts\x07field")),
    ("url_form", "a link without host", lambda f: f.slot["extension"][0].update(valueUrl="https:///book")),
    ("url_form", "a link with a blank", lambda f: f.slot["extension"][0].update(valueUrl="https://a.example/b c")),
    ("url_form", "a link of another kind", lambda f: f.slot["extension"][0].update(valueUrl="javascript:alert(1)")),
    ("url_form", "a url without scheme", lambda f: f.location["telecom"][1].update(value="centre.example.org")),
    ("uri_form", "an identifier of no system", lambda f: f.location["identifier"][0].update(system="sites")),
    ("uri_form", "a code of no system", lambda f: f.schedule["serviceType"].append({"coding": [coding("x", "1")]})),
    ("time_form", "hours only in the offset", lambda f: f.slot.update(start="2027-03-02T10:00:00-05")),
    ("time_form", "no seconds", lambda f: f.slot.update(start="2027-03-02T10:00-05:00")),
    ("time_form", "31 February", lambda f: f.slot.update(start="2027-02-31T10:00:00Z")),
    ("time_form", "a blank for the T", lambda f: f.slot.update(end="2027-03-02 10:20:00-05:00")),
    ("id_form", "an underscore", lambda f: f.slot.update(id="T_1")),
    ("id_form", "65 letters", lambda f: f.slot.update(id="T" * 65)),
    ("id_form", "nothing", lambda f: f.slot.update(id="")),
    ("reference_form", "of another type", lambda f: f.slot.update(schedule={"reference": "Location/L1"})),
    ("reference_form", "an address", lambda f: f.schedule["actor"][0].update(reference=f"{BASE}Location/L1")),
    ("reference_unresolved", "no such schedule", lambda f: f.slot.update(schedule={"reference": "Schedule/S2"})),
    ("reference_unresolved", "no such location", lambda f: f.schedule.update(actor=[{"reference": "Location/S1"}])),
    ("telecom_none", "no contact", lambda f: f.location.update(telecom=[])),
    ("telecom_system", "mail", lambda f: f.location["telecom"].append({"system": "email", "value": "a@example.org"})),
    ("phone_form", "a mail address", lambda f: f.location["telecom"][0].update(value="1@example.org")),
    ("phone_form", "words", lambda f: f.slot["extension"][1].update(valueString="call us")),
    ("phone_missing", "a url only", lambda f: f.location["telecom"].pop(0)),
    ("url_missing", "a phone only", lambda f: f.location["telecom"].pop(1)),
    ("position_range", "beyond the pole", lambda f: f.location["position"].update(latitude=90.01)),
    ("position_range", "beyond the date line", lambda f: f.location["position"].update(longitude=-181)),
    ("actor_location", "two places", lambda f: f.schedule["actor"].append({"reference": "Location/L1"})),
    ("covid_codings", "the product says so", lambda f: f.schedule["serviceType"][0]["coding"].pop(1)),
    ("service_immunization", "another service", lambda f: f.schedule.update(serviceType=OTHER, extension=[])),
    ("product_code", "a number", lambda f: f.schedule["extension"][0]["valueCoding"].update(code=207)),
    ("product_code", "a word", lambda f: f.schedule["extension"][0]["valueCoding"].update(code="moderna")),
    ("product_code", "another system", lambda f: f.schedule["extension"][0]["valueCoding"].update(system="urn:x")),
    ("product_repeated", "two products", lambda f: f.schedule["extension"].append(f.schedule["extension"][0])),
    ("display_missing", "no name", lambda f: f.schedule["extension"][0]["valueCoding"].pop("display")),
    ("dose_number", "none", lambda f: f.schedule["extension"][1].update(valueInteger=0)),
    ("dose_number", "text", lambda f: f.schedule["extension"][1].update(valueInteger="1")),
    ("extension_repeated", "two links", lambda f: f.slot["extension"].append(f.slot["extension"][0])),
    ("extension_unknown", "a slip of the pen", lambda f: f.slot["extension"][1].update(url=f"{REGISTRY}booking-hhone")),
    ("status_value", "another of FHIR's", lambda f: f.slot.update(status="busy-tentative")),
    ("slot_ends_first", "at its start", lambda f: f.slot.update(end="2027-03-02T15:00:00Z")),
    ("capacity_value", "less than nothing", lambda f: f.slot["extension"][2].update(valueInteger=-1)),
    ("capacity_value", "a half", lambda f: f.slot["extension"][2].update(valueInteger=1.5)),
    ("capacity_value", "true", lambda f: f.slot["extension"][2].update(valueInteger=True)),
    ("capacity_none", "free and full", lambda f: f.slot["extension"][2].update(valueInteger=0)),
    ("booking_missing", "no way to book", lambda f: f.slot.update(extension=[])),
]
BROKEN += [
    ("id_twice", f"two of {kind}", lambda f, kind=kind, one=one: f.more.update({kind: again(one)}))  # type: ignore[misc]
    for kind, one in (("locations", LOCATION), ("schedules", SCHEDULE), ("slots", SLOT))
]


def coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


def again(resource: dict[str, Any]) -> bytes:
    return msgspec.json.encode(resource)


def test_a_feed_without_fault_breaks_no_rule() -> None:
    report = Feed().report()

    assert report.counts == {}
    assert report.resources == {"Location": 1, "Schedule": 1, "Slot": 1}


# Where one slip must break further rules.
ALSO = {
    "another name": {"request_differs"},
    "no files": {"output_none"},
    "a request that is a path": {"request_differs"},
    "more than allowed": {"line_blank"},
    "no service": {"service_immunization", "covid_codings"},
}


@pytest.mark.parametrize(("rule", "what", "change"), BROKEN, ids=[f"{rule}: {what}" for rule, what, _ in BROKEN])
def test_each_rule_is_broken_by_a_feed_that_breaks_no_other(rule: str, what: str, change: Break) -> None:
    feed = Feed()
    change(feed)

    assert set(feed.report().counts) == {rule} | ALSO.get(what, set())


def test_every_rule_has_a_feed_that_breaks_it_and_a_line_in_the_documents() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)
    page = (ROOT / "docs" / "feeds.md").read_text()
    assert [rule for rule in RULES if f"| `{rule}` |" not in page] == []


def test_findings_name_the_file_the_line_and_the_path_and_only_the_first_are_kept() -> None:
    feed = Feed()
    feed.more["slots"] = b"\n" + b"{}\n" * 9

    report = feed.report(keep=2)

    assert report.counts == {"line_blank": 1, "type_wrong": 9}
    assert [(each.file, each.line, each.path) for each in report.examples["type_wrong"]] == [
        ("slots", 3, "resourceType"),
        ("slots", 4, "resourceType"),
    ]
    assert "error   type_wrong, 9 times" in show.as_text(report)
    assert "slots:3 resourceType (None, not Slot)" in show.as_text(report)
    assert (report.number("error"), report.number("warning")) == (9, 1)


def test_hl7s_names_of_the_extensions_are_known_too() -> None:
    feed = Feed()
    for extension in feed.slot["extension"]:
        extension["url"] = extension["url"].replace(
            REGISTRY, "http://hl7.org/fhir/uv/smart-scheduling-links/StructureDefinition/"
        )

    assert feed.report().counts == {}


def test_one_unreadable_file_does_not_make_every_reference_to_it_wrong() -> None:
    feed = Feed()
    feed.document["output"][1]["url"] = f"{BASE}gone"

    assert feed.report().counts == {"output_missing": 1}


@given(content=st.binary(max_size=400), chunk=st.integers(1, 50), longest=st.integers(1, 40))
def test_lines_are_the_same_however_they_arrive(content: bytes, chunk: int, longest: int) -> None:
    chunks = [content[start : start + chunk] for start in range(0, len(content), chunk)]
    whole = content.split(b"\n")
    whole = whole if whole[-1] else whole[:-1]

    assert list(lines(chunks, longest)) == [
        (number, line if len(line) <= longest else None) for number, line in enumerate(whole, start=1)
    ]


def test_what_is_larger_than_allowed_is_not_read_on() -> None:
    taken: list[bytes] = []
    with pytest.raises(TooLarge):
        taken.extend(limited([b"12", b"34", b"56"], 4))
    assert taken == [b"12", b"34"]


def test_a_folder_holds_what_was_downloaded_by_path_name_or_query(tmp_path: Path) -> None:
    (tmp_path / "$bulk-publish").write_bytes(b"{}")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.ndjson").write_bytes(b"by path")
    (tmp_path / "b.ndjson").write_bytes(b"by name")
    (tmp_path / "c.ndjson?region=MA").write_bytes(b"by query")
    folder = Folder(tmp_path)

    for name, content in (("a.ndjson", b"by path"), ("b.ndjson", b"by name"), ("c.ndjson?region=MA", b"by query")):
        with folder.file(f"https://example.org/data/{name}") as opened:
            assert b"".join(opened.chunks) == content
    with folder.manifest() as opened:
        assert b"".join(opened.chunks) == b"{}"


def test_a_folder_is_never_left(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"")
    (tmp_path / "feed").mkdir()

    report = Report("feed")
    for url in ("https://example.org/../secret", "https://example.org/%2e%2e/secret", f"file://{tmp_path}/secret"):
        candidates = list(Folder(tmp_path / "feed")._candidates(url))
        assert all(path.is_relative_to(tmp_path / "feed") and ".." not in path.parts for path in candidates)
    assert report.counts == {}


def test_what_is_no_feed_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="neither the http address of a manifest nor a folder"), source_of("ftp://a"):
        pass
    with pytest.raises(StackError, match="there is no manifest in"), Folder(tmp_path).manifest():
        pass
