"""The commands of ``vestibule rules`` that work on files: check, explain, compare and try out rule documents."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.errors import StackError
from deploy.explained import explained
from deploy.official_cli import As, At, address, find_origin
from shared.clock import SystemClock

if TYPE_CHECKING:
    from origin.eligibility.document import Document

app = typer.Typer(name="rules", help="Write, check, publish and explain eligibility rules.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The rule document.", exists=True, dir_okay=False)]
CASES_SUFFIX = ".cases.json"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Language = Annotated[str, typer.Option(help="The language of the texts.")]


@app.command()
def lint(
    file: File,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong with a document, and what may not be meant; 1 when something is wrong."""
    from deploy import rules
    from origin.eligibility.document import InvalidDocument, parse

    try:
        document = parse(file.read_bytes())
    except InvalidDocument as invalid:
        rules.show_faults(_out(), file, list(invalid.faults), [], as_json=as_json)
        raise typer.Exit(1) from None
    warnings = rules.warnings_of(document)
    rules.show_faults(_out(), file, [], warnings, as_json=as_json, document=document)
    if strict and warnings:
        raise typer.Exit(1)


@app.command()
def explain(
    file: File,
    facts: Annotated[Path, typer.Option(help="The person's facts, as JSON.", exists=True, dir_okay=False)],
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; else today.")] = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Show a decision with every branch, what is missing, what would change it and when it changes by itself."""
    from deploy import rules

    day = (on or SystemClock().now()).date()
    with _explained():
        explained = rules.explained(_document(file), rules.facts_in(facts), day)
    if as_json:
        sys.stdout.write(rules.as_json(explained, language) + "\n")
    else:
        rules.show(_out(), explained, language)


@app.command()
def diff(before: File, after: File, as_json: AsJson = False) -> None:
    """Say what changed from one document to another, cohorts, clauses, grants and texts by path; 1 if anything."""
    from deploy import rules

    with _explained():
        documents = _document(before), _document(after)
    if rules.show_differences(_out(), *documents, as_json=as_json):
        raise typer.Exit(1)


@app.command("test")
def try_out(
    rules: Annotated[str, typer.Argument(help="A file, or a programme whose version is tried.")],
    version: Annotated[int | None, typer.Argument(help="The programme's version.", min=1)] = None,
    cases: Annotated[Path | None, typer.Option(help="Other cases than its own.")] = None,
    origin: At = None,
    who: As = None,
) -> None:
    """Try rules out on their example cases; 1 and what came out otherwise when one fails.

    The cases of a file lie beside it, as NAME.cases.json; a version carries those that it was drafted with.
    """
    from deploy.rules import try_out
    from origin.eligibility.cases import parse_cases

    with explained(), _explained():
        document, own = _of_file(Path(rules)) if version is None else _of_version(rules, version, origin, who)
        raw = own if cases is None else cases.read_bytes()
        if raw is None:
            lacking = f"{rules} {version} carries none" if version else f"no {Path(rules).with_suffix(CASES_SUFFIX)}"
            raise StackError(f"no cases ({lacking}): give --cases")
        failed = try_out(_out(), document, parse_cases(raw))
    if failed:
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of rule documents."""
    from origin.eligibility.formats.schema import encoded

    sys.stdout.write(encoded().decode())


def _of_file(file: Path) -> "tuple[Document, bytes | None]":
    """Return a document and the cases beside it."""
    beside = file.with_suffix(CASES_SUFFIX)
    return _document(file), beside.read_bytes() if beside.exists() else None


def _of_version(programme: str, version: int, origin: str | None, who: str | None) -> "tuple[Document, bytes | None]":
    """Return a stored version's document and cases."""
    from origin.eligibility.cases import NO_CASES
    from origin.eligibility.document import parse
    from origin.eligibility.version_models import VersionWithDocument

    told = find_origin(origin, who).call("GET", f"{address(programme)}/rules/{version}", VersionWithDocument)
    cases = bytes(told.cases)
    return parse(bytes(told.document)), None if cases == NO_CASES else cases


def _document(file: Path) -> "Document":
    from origin.eligibility.document import parse

    return parse(file.read_bytes())


def _out() -> Console:
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the reader can set right into lines on standard error, and end with 2."""
    from origin.eligibility.cases import InvalidCases
    from origin.eligibility.document import InvalidDocument

    try:
        yield
    except (InvalidDocument, InvalidCases) as invalid:
        for fault in invalid.faults:
            sys.stderr.write(f"vestibule: {fault}\n")
        raise typer.Exit(2) from None
    except (OSError, ValueError) as error:
        sys.stderr.write(f"vestibule: {error}\n")
        raise typer.Exit(2) from None
