"""What the page says of faults in supply files, in the reader's language."""

import re
from html import unescape

import msgspec
import pytest
from markupsafe import escape

from origin.inventory.bulk.fault_kinds import FaultKind
from origin.inventory.bulk.faults import Fault
from origin.web.staff.supply_words import fault_said
from shared.web.languages import LANGUAGES

_PARAMETER = re.compile(r"%\((\w+)\)s")


def made(kind: FaultKind) -> Fault:
    """A fault of a kind, about something that no text has in it."""
    asked = set(_PARAMETER.findall(kind.text)) - set(kind.fixed)
    return Fault.of(kind, "slots.csv", 3, "site", **{name: f"<{name}> & 7" for name in asked})


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.id)
def test_in_english_the_page_says_what_the_report_says(kind: FaultKind) -> None:
    fault = made(kind)
    assert plain(fault_said(fault, "en")) == fault.what.replace("`", "")
    assert fault.code == kind.code


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
@pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.id)
def test_what_it_is_about_is_in_every_language_and_set_apart(kind: FaultKind, language: str) -> None:
    fault = made(kind)
    html = str(fault_said(fault, language))
    assert plain(html) != fault.what.replace("`", "")
    for name, value in {**kind.fixed, **fault.given}.items():
        assert name == "table" or f'dir="ltr">{escape(value)}<' in html
    assert "<table>" not in html
    assert "%(" not in html


def test_a_kind_of_file_is_said_in_words() -> None:
    fault = Fault.of(FaultKind.COLUMNS_READ_MISSING, "a.csv", 1, table="sites", missing="region")
    assert plain(fault_said(fault, "es")) == "leído como: Centros; faltan: region"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("a.csv", 1, "site", "site_unknown", "there is no site <7>"),
        Fault("a.csv", 1, "site", "site_unknown", "there is no site <7>", "of_a_later_release", {"site": "<7>"}),
        Fault("a.csv", 1, "site", "site_unknown", "there is no site <7>", "site_unknown", {"place": "<7>"}),
    ],
    ids=["of an older release", "of a later one", "about something else"],
)
def test_what_this_release_does_not_know_is_said_in_english(fault: Fault) -> None:
    assert fault_said(fault, "ar") == '<span lang="en" dir="ltr">there is no site &lt;7&gt;</span>'


def test_reports_that_were_kept_before_there_were_kinds_are_read() -> None:
    kept = b'{"file":"a.csv","line":1,"field":"site","code":"empty","what":"this may not be empty"}'
    assert msgspec.json.decode(kept, type=Fault).kind == ""
