"""What the ``vestibule rules`` and ``freeze`` commands show."""

from collections.abc import Sequence

from rich.console import Console

from deploy.tables import moment, table
from origin.admin.freeze import Freezes
from origin.eligibility.replay import Affected, Progress
from origin.eligibility.version_models import History, ShadowReport, Version, Versions

_WHOLE = "(programme)"


def show_versions(console: Console, told: Versions) -> None:
    """Print a line for each version, newest first."""
    console.print(
        table(
            ("Version", "Region", "State", "Since", "Author", "Reviewer", "Why"),
            (
                (
                    each.version,
                    each.region or _WHOLE,
                    each.state,
                    moment(each.since),
                    each.author,
                    each.review.reviewer if each.review else "",
                    each.reason,
                )
                for each in told.versions
            ),
        )
    )


def show_version(console: Console, told: Version) -> None:
    """Print one version."""
    show_versions(console, Versions(told.programme, [], [told]))


def show_history(console: Console, told: History) -> None:
    """Print every move, as they were made."""
    console.print(
        table(
            ("Since", "Region", "What", "Version", "Who", "Why"),
            (
                (
                    moment(each.since),
                    each.region or _WHOLE,
                    each.act,
                    "" if each.version is None else each.version,
                    each.actor,
                    each.reason,
                )
                for each in told.moves
            ),
        )
    )


def show_shadow(console: Console, told: ShadowReport) -> None:
    """Print what a candidate would have decided."""
    console.print(f"{told.compared} decisions compared, {told.different} differ, {told.waiting} wait", highlight=False)
    console.print(
        table(
            ("Region", "In force", "Candidate", "Reason", "Decisions"),
            (
                (each.region or "", each.live, each.candidate, each.reason or "", each.decisions)
                for each in told.differences
            ),
        )
    )


def show_freezes(console: Console, told: Freezes) -> None:
    """Print what is frozen."""
    if not told.frozen:
        console.print(f"Nothing is frozen in {told.programme}.", highlight=False)
        return
    rows = ((each.region or _WHOLE, moment(each.since), each.reason) for each in told.frozen)
    console.print(table(("Frozen", "Since", "Why"), rows))


def show_replay(console: Console, ended: Progress, affected: Sequence[Affected]) -> None:
    """Print whom a replay found."""
    console.print(
        f"{ended.seen} decisions seen, {ended.changed} come out differently, "
        f"{ended.erased} cannot be made again: their facts are erased",
        highlight=False,
    )
    console.print(
        table(
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
    )
