"""What ``vestibule decision`` and ``vestibule override`` show."""

from collections.abc import Iterable

from rich.console import Console

from deploy.tables import facts, moment, table
from origin.admin.answer_models import Answer, Found
from origin.admin.override_models import Override, Step
from origin.admin.proof import FAULTS

_MET = {True: "met", False: "not met", None: "not answered"}


def show_answer(console: Console, told: Answer) -> None:
    """Print why somebody was decided about so."""
    rules = told.rules
    in_force = "; ".join(f"{each.act} by {each.by}, {moment(each.since)}" for each in rules.in_force)
    console.print(
        facts(
            {
                "Decision": told.decision_ref,
                "Outcome": "eligible, by override" if told.override else told.outcome,
                "Decided": f"{moment(told.decided_at)}, as of {told.as_of}",
                "Until": moment(told.expires_at),
                "Person": told.person,
                "Rules": f"{told.programme} version {rules.version}, {rules.ruleset}",
                "Published": f"written by {rules.author}; reviewed by {rules.reviewer or 'nobody'}; {in_force}",
                "Proof": told.proof.said,
            }.items()
        )
    )
    console.print(
        table(
            ("Rule", "Came out", "Code", "What the person reads"),
            ((each.asks, _MET[each.met], each.reason, each.said) for each in told.branches),
        )
    )
    if told.overrides:
        show_overrides(console, told.overrides)


def is_faulty(told: Answer) -> bool:
    """Return whether the record is not what it should be."""
    return told.proof.status in FAULTS


def show_found(console: Console, told: Found) -> None:
    """Print a person's decisions."""
    console.print(
        table(
            ("Decision", "Decided", "Programme", "Version", "Outcome"),
            (
                (
                    each.decision_ref,
                    moment(each.decided_at),
                    each.programme,
                    each.rule_version,
                    "eligible, by override" if each.override else each.outcome,
                )
                for each in told.decisions
            ),
        )
    )


def show_overrides(console: Console, told: Iterable[Override]) -> None:
    """Print a line for each override."""
    console.print(
        table(
            ("Override", "State", "Product", "Dose", "Until", "Made", "Confirmed", "Revoked", "Book with"),
            (
                (
                    each.id,
                    each.state,
                    each.product,
                    each.dose,
                    moment(each.expires_at),
                    _step(each.made),
                    _step(each.confirmed),
                    _step(each.revoked),
                    each.decision_ref or "",
                )
                for each in told
            ),
        )
    )


def _step(step: Step | None) -> str:
    return "" if step is None else f"{step.by}: {step.reason}"
