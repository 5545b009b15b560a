"""What docs/supply.md says of files is what they may hold, and each code of the report is explained."""

import ast
import re
from collections.abc import Iterator

from origin.inventory.bulk.cells import ACCESSIBILITY
from origin.inventory.bulk.rows import KINDS
from tests.conftest import ROOT

PAGE = (ROOT / "docs/supply.md").read_text()
_FAULTS = {"CellFault", "Fault", "fault", "_fault", "check"}


def codes() -> Iterator[str]:
    """Every code that a fault is made with: what all these calls have before their last argument."""
    for path in (ROOT / "origin/inventory/bulk").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and len(node.args) > 1:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                code = node.args[-2]
                if name in _FAULTS and isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value


def test_every_code_of_the_report_is_explained_and_no_other() -> None:
    table = PAGE.partition("## Codes of the report")[2]
    documented = [
        code for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)
    ]
    assert len(documented) > 25
    assert sorted(documented) == sorted(set(codes()))


def test_every_column_is_documented() -> None:
    for kind in KINDS:
        part = PAGE.partition(f"**{kind.name.capitalize()}**")[2].partition("\n\n**")[0]
        assert sorted(kind.columns - set(re.findall(r"`(\w+)`", part))) == []
    assert all(word in PAGE for word in ACCESSIBILITY)
