"""What ``vestibule decision`` and ``vestibule override`` show."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from origin.admin.answer_models import Answer, Found
from origin.admin.override_models import Override, Step
from origin.admin.proof import FAULTS

_MET = {True: "met", False: "not met", None: "not answered"}


def show_answer(console: Console, told: Answer) -> None:
    """Print why somebody was decided about so."""
    rules = told.rules
    in_force = "; ".join(f"{each.act} by {each.by}, {_moment(each.since)}" for each in rules.in_force)
    _facts(
        console,
        {
            "Decision": told.decision_ref,
            "Outcome": "eligible, by override" if told.override else told.outcome,
            "Decided": f"{_moment(told.decided_at)}, as of {told.as_of}",
            "Until": _moment(told.expires_at),
            "Person": told.person,
            "Rules": f"{told.programme} version {rules.version}, {rules.ruleset}",
            "Published": f"written by {rules.author}; reviewed by {rules.reviewer or 'nobody'}; {in_force}",
            "Proof": told.proof.said,
        },
    )
    _table(
        console,
        ("Rule", "Came out", "Code", "What the person reads"),
        ((each.asks, _MET[each.met], each.reason, each.said) for each in told.branches),
    )
    if told.overrides:
        show_overrides(console, told.overrides)


def is_faulty(told: Answer) -> bool:
    """Return whether the record is not what it should be."""
    return told.proof.status in FAULTS


def show_found(console: Console, told: Found) -> None:
    """Print a person's decisions."""
    _table(
        console,
        ("Decision", "Decided", "Programme", "Version", "Outcome"),
        (
            (
                each.decision_ref,
                _moment(each.decided_at),
                each.programme,
                each.rule_version,
                "eligible, by override" if each.override else each.outcome,
            )
            for each in told.decisions
        ),
    )


def show_overrides(console: Console, told: Iterable[Override]) -> None:
    """Print a line for each override."""
    _table(
        console,
        ("Override", "State", "Product", "Dose", "Until", "Made", "Confirmed", "Revoked", "Book with"),
        (
            (
                each.id,
                each.state,
                each.product,
                each.dose,
                _moment(each.expires_at),
                _step(each.made),
                _step(each.confirmed),
                _step(each.revoked),
                each.decision_ref or "",
            )
            for each in told
        ),
    )


def _step(step: Step | None) -> str:
    return "" if step is None else f"{step.by}: {step.reason}"


def _facts(console: Console, told: dict[str, object]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in told.items():
        table.add_row(name, Text(str(value), overflow="fold"))
    console.print(table)


def _table(console: Console, titles: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row))
    console.print(table)


def _moment(value: object) -> str:
    return str(value)[:19]
