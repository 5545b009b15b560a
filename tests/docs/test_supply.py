"""What docs/supply.md says of files is what they may hold, and each code of the report is explained."""

import ast
import re
from collections.abc import Iterable, Iterator

import pytest

from deploy.translations import TRANSLATED
from origin.inventory.bulk.cells import ACCESSIBILITY
from origin.inventory.bulk.fault_kinds import FaultKind
from origin.inventory.bulk.rows import KINDS
from origin.inventory.places.rows import PLACES
from origin.words import texts_in
from tests.conftest import ROOT

PAGE = (ROOT / "docs/supply.md").read_text()
MODULES = [path for room in ("bulk", "places") for path in (ROOT / "origin/inventory" / room).glob("*.py")]


def kinds_made() -> Iterator[str]:
    """Every kind that a fault is made with."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "FaultKind":
                yield node.attr


def made_without_a_kind(source: str) -> list[int]:
    """Lines on which a fault is made past the kinds, so that a page could say it in English only."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Fault"]


def untold(texts: Iterable[str], language: str) -> list[str]:
    """Texts that a page would say in English although it is in another language."""
    return [text for text in texts if texts_in(language).gettext(text) in {"", text}]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_kind_of_fault_is_told_in_every_language(language: str) -> None:
    assert untold((kind.text for kind in FaultKind), language) == []
    assert untold(["a kind of fault that nobody has translated"], language) != []


def test_every_fault_is_of_a_kind_and_every_kind_is_made() -> None:
    assert set(kinds_made()) == {kind.name for kind in FaultKind}
    assert [path.name for path in MODULES if made_without_a_kind(path.read_text())] == []
    assert made_without_a_kind('faults.add(Fault("a.csv", 1, "site", "new_code", "an English sentence"))') == [1]


def test_every_code_of_the_report_is_explained_and_no_other() -> None:
    table = PAGE.partition("## Codes of the report")[2]
    documented = [
        code for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)
    ]
    assert len(documented) > 25
    assert sorted(documented) == sorted({kind.code for kind in FaultKind})


def test_every_column_is_documented() -> None:
    for kind in KINDS:
        part = PAGE.partition(f"**{kind.name.capitalize()}**")[2].partition("\n\n**")[0]
        assert sorted(kind.columns - set(re.findall(r"`(\w+)`", part))) == []
    assert all(word in PAGE for word in ACCESSIBILITY)
    places = PAGE.partition("## Towns and postal codes")[2].partition("\n## ")[0]
    assert sorted(PLACES.columns - set(re.findall(r"`(\w+)`", places))) == []
