"""When wrong rules were published: ``vestibule freeze``, ``unfreeze``, ``rules replay`` and ``verify-decisions``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.bars import bar
from deploy.errors import StackError
from deploy.explained import explained
from deploy.official_cli import As, At, Programme, Region, Why, address, find_origin
from deploy.tables import console
from shared.clock import SystemClock
from shared.settings import load

if TYPE_CHECKING:
    from deploy.rule_batches import Tell


def replay(
    programme: Programme,
    from_version: Annotated[int, typer.Option("--from", help="Decisions made under this version …", min=1)],
    to_version: Annotated[int, typer.Option("--to", help="… are made again under this one.", min=1)],
    report: Annotated[Path | None, typer.Option(help="Write every decision to look at to this CSV file.")] = None,
) -> None:
    """Find whom wrong rules have touched. Broken off, the same command goes on."""
    with explained():
        from deploy import rule_batches, rule_tables

        if report is not None and report.exists():
            raise StackError(f"{report} exists")
        with _bar() as tell:
            settings = load(rule_batches.BatchSettings)
            ended, affected, findings = rule_batches.replay(
                settings, programme, from_version, to_version, SystemClock(), tell
            )
        rule_tables.show_replay(console(), ended, affected)
        if report is not None:
            rule_batches.write_report(report, findings)


def verify_decisions(
    programme: Programme,
    version: Annotated[int | None, typer.Option(help="Only decisions under this version.", min=1)] = None,
) -> None:
    """Make past decisions again as on their day, and compare byte for byte. Status 1: some come out differently."""
    with explained():
        from deploy import rule_batches

        with _bar() as tell:
            verified = rule_batches.verify(load(rule_batches.BatchSettings), programme, version, tell)
        if not verified.counts:
            sys.stdout.write("There are no decisions to verify.\n")
        for result, number in sorted(verified.counts.items()):
            sys.stdout.write(f"{result}: {number}\n")
        for ref, result in verified.wrong:
            sys.stdout.write(f"{ref} {result}\n")
        if verified.wrong:
            raise typer.Exit(1)


def freeze(programme: Programme, reason: Why, region: Region = None, origin: At = None, who: As = None) -> None:
    """Stop booking in a programme or a region: nothing is booked once this returns."""
    _freeze("freeze", programme, reason, region, origin, who)


def unfreeze(programme: Programme, reason: Why, region: Region = None, origin: At = None, who: As = None) -> None:
    """Let booking go on."""
    _freeze("unfreeze", programme, reason, region, origin, who)


def fallback(
    programme: Programme,
    last_known: Annotated[
        bool, typer.Option("--last-known/--refuse", help="Let the rules before them decide, or decide about nobody.")
    ],
    reason: Why,
    origin: At = None,
    who: As = None,
) -> None:
    """Choose what decides where the rules in force cannot be read."""
    with explained():
        from origin.admin.fallback import Fallback, FallbackForm

        form = FallbackForm("last_known" if last_known else "refuse", reason)
        told = find_origin(origin, who).call("POST", f"{address(programme)}:fallback", Fallback, form)
        console().print(f"{told.programme}: {told.fallback}")


def _freeze(act: str, programme: str, reason: str, region: str | None, origin: str | None, who: str | None) -> None:
    with explained():
        from deploy import rule_tables
        from origin.admin.freeze import FreezeForm, Freezes

        path = f"{address(programme)}:{act}"
        told = find_origin(origin, who).call("POST", path, Freezes, FreezeForm(reason, region))
        rule_tables.show_freezes(console(), told)


@contextmanager
def _bar() -> Iterator["Tell"]:
    with bar(counted=True) as progress:
        task = progress.add_task("decisions", total=None)
        yield lambda seen, total: progress.update(task, completed=seen, total=total)
