"""The documents are true: what the code has is documented, and what the documents name exists."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from prometheus_client import CollectorRegistry

import edge.app
import edge.metrics
import origin.app
import origin.metrics
import shared
from shared.problem import ProblemType
from shared.settings import Settings
from tests.conftest import ROOT

DOCS = ROOT / "docs"


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Every module of a package, itself first; entry points excepted, for importing them would run them."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


SERVICES = [module for package in (shared, edge, origin) for module in modules(package)]


def settings_names() -> set[str]:
    for module in ("deploy.crowds", "deploy.rooms", "deploy.officials", "deploy.rule_batches"):
        importlib.import_module(module)
    found: set[str] = set()
    waiting = list(Settings.__subclasses__())
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        found |= {f"{form.model_config['env_prefix']}{name}".upper() for name in form.model_fields}
    return found


def problem_codes() -> dict[str, ProblemType]:
    found: dict[str, ProblemType] = {}
    for module in SERVICES:
        for value in vars(module).values():
            several = value.values() if isinstance(value, dict) else [value]
            for kind in several:
                if isinstance(kind, ProblemType):
                    assert found.setdefault(kind.code, kind) == kind, f"{kind.code} is declared twice, differently"
    return found


def operations() -> set[str]:
    tables = [edge.app.endpoints(), origin.app.endpoints()]
    return {f"{endpoint.method} {endpoint.path}" for table in tables for endpoint in table}


def metric_names() -> set[str]:
    collectors = CollectorRegistry(), CollectorRegistry()
    edge.metrics.EdgeMetrics(collectors[0])
    collectors[0].register(edge.metrics.RoomCollector(dict))
    origin.metrics.OriginMetrics(collectors[1])
    origin.metrics.WorkerMetrics(collectors[1])
    return {metric.name for registry in collectors for metric in registry.collect()}


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("settings.md", settings_names()),
        ("errors.md", set(problem_codes())),
        ("http.md", operations()),
        ("metrics.md", metric_names()),
    ],
    ids=["settings", "errors", "endpoints", "metrics"],
)
def test_everything_that_the_code_has_is_documented(page: str, names: set[str]) -> None:
    documented = set(re.findall(r"`([^`\n]+)`", (DOCS / page).read_text()))
    assert names, "found nothing to look for"
    assert sorted(names - documented) == []


@pytest.mark.parametrize(
    ("page", "pattern", "names"),
    [
        ("settings.md", r"^\| `(VESTIBULE_\w+)`", settings_names()),
        ("errors.md", r"^\| `(\w+)`", set(problem_codes())),
        ("http.md", r"^\| `([A-Z]+ /\S*)`", operations()),
        ("metrics.md", r"^\| `(\w+)`", metric_names()),
    ],
    ids=["settings", "errors", "endpoints", "metrics"],
)
def test_nothing_is_documented_that_the_code_no_longer_has(page: str, pattern: str, names: set[str]) -> None:
    documented = set(re.findall(pattern, (DOCS / page).read_text(), re.MULTILINE))
    assert sorted(documented - names) == []


def functions_of(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_each_guarantee_names_a_test_that_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "guarantees.md").read_text())
    assert len(named) > 20
    missing = [
        f"{path}::{name}" for path, name in named if not (ROOT / path).exists() or name not in functions_of(ROOT / path)
    ]
    assert missing == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)\b", (ROOT / "README.md").read_text())) <= targets


def test_the_lock_pins_by_hash_and_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[\w.-]+==\S+", lock, re.MULTILINE)
    assert len(pins) > 50
    assert lock.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"https?://|index-url|find-links", lock)
