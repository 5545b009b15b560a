"""What the ``vestibule rules`` and ``freeze`` commands show."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from origin.admin.freeze import Freezes
from origin.eligibility.replay import Affected, Progress
from origin.eligibility.version_models import History, ShadowReport, Version, Versions

_WHOLE = "(programme)"


def show_versions(console: Console, told: Versions) -> None:
    """Print a line for each version, newest first."""
    _print(
        console,
        ("Version", "Region", "State", "Since", "Author", "Reviewer", "Why"),
        (
            (
                each.version,
                each.region or _WHOLE,
                each.state,
                _moment(each.since.isoformat()),
                each.author,
                each.review.reviewer if each.review else "",
                each.reason,
            )
            for each in told.versions
        ),
    )


def show_version(console: Console, told: Version) -> None:
    """Print one version."""
    show_versions(console, Versions(told.programme, [], [told]))


def show_history(console: Console, told: History) -> None:
    """Print every move, as they were made."""
    _print(
        console,
        ("Since", "Region", "What", "Version", "Who", "Why"),
        (
            (
                _moment(each.since.isoformat()),
                each.region or _WHOLE,
                each.act,
                "" if each.version is None else each.version,
                each.actor,
                each.reason,
            )
            for each in told.moves
        ),
    )


def show_shadow(console: Console, told: ShadowReport) -> None:
    """Print what a candidate would have decided."""
    console.print(f"{told.compared} decisions compared, {told.different} differ, {told.waiting} wait", highlight=False)
    _print(
        console,
        ("Region", "In force", "Candidate", "Reason", "Decisions"),
        (
            (each.region or "", each.live, each.candidate, each.reason or "", each.decisions)
            for each in told.differences
        ),
    )


def show_freezes(console: Console, told: Freezes) -> None:
    """Print what is frozen."""
    if not told.frozen:
        console.print(f"Nothing is frozen in {told.programme}.", highlight=False)
        return
    rows = ((each.region or _WHOLE, _moment(each.since.isoformat()), each.reason) for each in told.frozen)
    _print(console, ("Frozen", "Since", "Why"), rows)


def show_replay(console: Console, ended: Progress, affected: Sequence[Affected]) -> None:
    """Print whom a replay found."""
    console.print(
        f"{ended.seen} decisions seen, {ended.changed} come out differently, "
        f"{ended.erased} cannot be made again: their facts are erased",
        highlight=False,
    )
    _print(
        console,
        ("Region", "Was", "Is", "Reason", "Decisions", "People", "Appointments"),
        (
            (
                each.region or "",
                each.before,
                each.after or "(facts erased)",
                each.reason or "",
                each.decisions,
                each.people,
                each.appointments,
            )
            for each in affected
        ),
    )


def _print(console: Console, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row))
    console.print(table)


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")
