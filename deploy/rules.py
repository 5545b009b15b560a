"""Shows rule documents, decisions under them and differences between them, to people and as JSON."""

from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from origin.eligibility.cases import Case, check
from origin.eligibility.differences import differences
from origin.eligibility.document import Document, Fault, canonical, in_language, ruleset_id
from origin.eligibility.evaluator import EVALUATOR, Branch, Evaluation, Evaluator, Facts
from origin.eligibility.evaluators.v2_tree import Truth
from origin.eligibility.formats.check import comparisons, warnings
from origin.eligibility.formats.lift import lifted
from origin.eligibility.formats.v2 import All, AnyOf, Clause, Leaf, Not
from origin.eligibility.observed import observed
from origin.eligibility.reading import Reader
from shared.web.languages import DEFAULT

_MARK = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]?[/]"}
_OUTCOME = {"eligible": "[bold green]eligible[/]", "not_eligible": "[bold red]not eligible[/]"}


def warnings_of(document: Document) -> list[Fault]:
    """Return what may not be meant."""
    return list(warnings(lifted(document)))


def show_faults(
    console: Console,
    file: Path,
    faults: list[Fault],
    found: list[Fault],
    *,
    as_json: bool,
    document: Document | None = None,
) -> None:
    """Print faults and warnings, each with its path, and of a good document its id."""
    ruleset = None if document is None else ruleset_id(canonical(document))
    if as_json:
        told = {"ruleset": ruleset, "faults": faults, "warnings": found}
        console.print(msgspec.json.encode(told).decode(), markup=False)
        return
    for word, each in [("[red]fault[/]", fault) for fault in faults] + [("[yellow]warning[/]", w) for w in found]:
        console.print(f"{word} {escape(each.path)}: {escape(each.what)}")
    if document is None:
        console.print(f"{escape(file.name)}: {len(faults)} to mend")
    else:
        second = lifted(document)
        size = f"{len(second.cohorts)} cohorts, {len(comparisons(second))} comparisons, {len(second.texts)} reasons"
        console.print(f"[green]good[/] {ruleset}\n     format {document.v}, {size}")


@dataclass(frozen=True)
class Explained:
    """A decision with all that it was made from."""

    document: Document
    facts: Facts
    on: date
    evaluation: Evaluation

    def observed(self, branch: Branch) -> Any:
        """Return what a comparison looked at."""
        return observed(branch, self.document, self.facts, self.on)

    def text(self, reason: str, met: Truth, language: str) -> str:
        """Return what a person reads; unknown reads as not met."""
        text = self.document.texts[reason]
        return in_language(text.met if met else text.unmet, language)


def facts_in(file: Path) -> Facts:
    """Return the facts in a JSON file.

    Raises:
        ValueError: it has no facts.
    """
    return msgspec.json.decode(file.read_bytes(), type=Facts)


def explained(document: Document, facts: Facts, day: date) -> Explained:
    """Decide."""
    return Explained(document, facts, day, Evaluator(document).evaluate(facts, day))


def as_json(told: Explained, language: str) -> str:
    """Return a decision as JSON: the evaluation, with what was observed and the reasons' texts."""
    branches = [
        {
            **msgspec.to_builtins(branch),
            "observed": told.observed(branch),
            "text": told.text(branch.reason, branch.met, language),
        }
        for branch in told.evaluation.branches
    ]
    head = {"ruleset": ruleset_id(canonical(told.document)), "evaluator": EVALUATOR, "as_of": told.on}
    whole = {**head, **msgspec.structs.asdict(told.evaluation), "branches": branches}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def show(console: Console, told: Explained, language: str) -> None:
    """Print a decision as a tree with every branch, and what follows from it."""
    evaluation = told.evaluation
    title = escape(in_language(told.document.title, language))
    verdict = _OUTCOME.get(evaluation.outcome, "[bold yellow]incomplete[/]")
    granted = "" if evaluation.cohort is None else f", cohort [bold]{escape(evaluation.cohort)}[/]"
    console.print(f"{title}\non {told.on}: {verdict}{granted}")
    console.print(_Drawn(told, language).tree(), soft_wrap=False)
    if evaluation.missing:
        proof = f" (to be verified: {', '.join(evaluation.to_verify)})" if evaluation.to_verify else ""
        console.print(f"[yellow]missing[/] {', '.join(evaluation.missing)}{proof}")
    for change in evaluation.would_change:
        by = " and ".join(f"{each.reason} {'met' if each.met else 'not met'}" for each in change.by)
        console.print(f"[cyan]would be {change.outcome.replace('_', ' ')}[/] with {by}")
    if evaluation.changes_on is not None:
        console.print(f"[cyan]changes by itself[/] on {evaluation.changes_on}")


class _Drawn:
    """Draws the document's own tree, with a branch of the evaluation at each comparison."""

    def __init__(self, told: Explained, language: str) -> None:
        self._told = told
        self._language = language
        self._reader = Reader(told.document, language)
        self._branches = iter(told.evaluation.branches)

    def tree(self) -> Tree:
        document = lifted(self._told.document)
        root = Tree("rules", hide_root=True)
        if document.requires is not None:
            self._draw(root.add("[bold]everybody must meet[/]"), document.requires)
        for exclusion in document.exclusions:
            self._draw(root.add(f"[bold]excluded[/] {escape(exclusion.id)}, if"), exclusion.when)
        for cohort in document.cohorts:
            grant = cohort.grants
            granted = self._told.evaluation.cohort == cohort.id
            gives = f"grants {', '.join(grant.products)}, dose {grant.dose}"
            branch = root.add(f"[bold]cohort[/] {escape(cohort.id)}, {gives}{' [green]← granted[/]' * granted}")
            self._draw(branch, cohort.when)
            if grant.reason is not None:
                branch.add(self._line(next(self._branches)))
        return root

    def _draw(self, above: Tree, clause: Clause) -> None:
        match clause:
            case All(of=of) | AnyOf(of=of):
                node = above.add("all of" if isinstance(clause, All) else "one of")
                for each in of:
                    self._draw(node, each)
            case Not(of=inner):
                self._draw(above.add("not"), inner)
            case _:
                above.add(self._line(next(self._branches)))

    def _line(self, branch: Branch) -> str:
        compared = escape(self._reader.branch(branch))
        seen = escape(f"is {_plain(self._told.observed(branch))}")
        said = escape(self._told.text(branch.reason, branch.met, self._language))
        return f"{_MARK[branch.met]} {compared}; {seen} [dim]{branch.reason}: {said}[/]"


def _plain(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


_WIDEST = 240
_SIGN = {"added": "[green]+[/]", "removed": "[red]-[/]", "changed": "[yellow]~[/]", "moved": "[yellow]↕[/]"}


def show_differences(console: Console, before: Document, after: Document, *, as_json: bool) -> int:
    """Print what changed, a line each, comparisons in words; return how much did."""
    found = differences(before, after)
    if as_json:
        console.print(msgspec.json.encode([asdict(each) for each in found]).decode(), markup=False)
        return len(found)
    old, new = Reader(before, DEFAULT), Reader(after, DEFAULT)
    for each in found:
        was, now = escape(_read(each.before, old)), escape(_read(each.after, new))
        told = {"added": now, "removed": was}.get(each.kind, f"{was} → {now}")
        console.print(f"{_SIGN[each.kind]} {escape(each.path)}: {told}")
    if not found:
        console.print("Both decide and say the same.")
    return len(found)


def _read(value: Any, reader: Reader) -> str:
    """Return a comparison in words, anything else as it is."""
    try:
        leaf = msgspec.convert(value, Leaf)
    except msgspec.ValidationError:
        return _short(value)
    return f"{reader.leaf(leaf)}{', verified' * leaf.verified} ({leaf.reason})"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def try_out(console: Console, document: Document, cases: list[Case]) -> int:
    """Run cases, print what came out otherwise, and return how many failed."""
    failed = [(name, list(each)) for name, each in groupby(check(document, cases), key=lambda one: one.case)]
    for name, mismatches in failed:
        console.print(f"[red]✗[/] {escape(name)}")
        for each in mismatches:
            expected, found = escape(_short(each.expected)), escape(_short(each.found))
            console.print(f"    {each.what}: [green]expected {expected}[/], [red]found {found}[/]")
    good = len(cases) - len(failed)
    console.print(f"{good} of {len(cases)} cases came out as expected")
    return len(failed)
