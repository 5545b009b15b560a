"""The commands of ``vestibule rules`` that publish and go back."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.errors import StackError
from deploy.explained import explained
from deploy.official_cli import As, At, Programme, Region, Why, address, find_origin
from deploy.rules_cli import CASES_SUFFIX
from deploy.tables import console

if TYPE_CHECKING:
    import msgspec

app = typer.Typer()  # nameless: its commands stand beside those that work on files

Number = Annotated[int, typer.Argument(help="The version.", min=1)]


@app.command("list")
def list_versions(programme: Programme, origin: At = None, who: As = None) -> None:
    """Show all versions with their states."""
    with explained():
        from deploy import rule_tables
        from origin.eligibility.version_models import Versions

        rule_tables.show_versions(console(), find_origin(origin, who).call("GET", _rules(programme), Versions))


@app.command()
def draft(
    programme: Programme,
    file: Annotated[Path, typer.Argument(help="The rule document, JSON.", exists=True)],
    reason: Why,
    region: Region = None,
    cases: Annotated[Path | None, typer.Option(help="Its cases; else NAME.cases.json beside it, if there.")] = None,
    origin: At = None,
    who: As = None,
) -> None:
    """Draft rules with their example cases, for somebody else to review."""
    with explained():
        from origin.eligibility.version_models import DraftForm

        beside = file.with_suffix(CASES_SUFFIX)
        form = DraftForm(_json(file), reason, region)
        if cases is not None or beside.exists():
            form = DraftForm(form.document, reason, region, _json(cases or beside))
        _post(origin, who, _rules(programme), form)


@app.command()
def review(
    programme: Programme,
    version: Number,
    approve: Annotated[bool, typer.Option("--approve/--reject", help="What you found.")],
    reason: Why,
    origin: At = None,
    who: As = None,
) -> None:
    """Approve or reject somebody else's rules, for good."""
    with explained():
        from origin.eligibility.version_models import ReviewForm

        form = ReviewForm("approved" if approve else "rejected", reason)
        _post(origin, who, f"{_rules(programme)}/{version}:review", form)


@app.command()
def shadow(
    programme: Programme,
    version: Number,
    reason: Why,
    end: Annotated[bool, typer.Option("--end", help="Ask it no more.")] = False,
    origin: At = None,
    who: As = None,
) -> None:
    """Ask a candidate about every decision, beside the rules in force."""
    with explained():
        from origin.eligibility.version_models import ReasonForm

        act = "unshadow" if end else "shadow"
        _post(origin, who, f"{_rules(programme)}/{version}:{act}", ReasonForm(reason))


@app.command("shadow-report")
def shadow_report(programme: Programme, version: Number, origin: At = None, who: As = None) -> None:
    """Show what a candidate would have decided otherwise, by reason code and region."""
    with explained():
        from deploy import rule_tables
        from origin.eligibility.version_models import ShadowReport

        told = find_origin(origin, who).call("GET", f"{_rules(programme)}/{version}/shadow", ShadowReport)
        rule_tables.show_shadow(console(), told)


@app.command()
def activate(
    programme: Programme,
    version: Number,
    reason: Why,
    at: Annotated[str | None, typer.Option(help="From when on, as 2027-03-01T00:00:00+01:00; else at once.")] = None,
    origin: At = None,
    who: As = None,
) -> None:
    """Put rules in force, everywhere at once."""
    with explained():
        from origin.eligibility.version_models import ActivateForm

        form = ActivateForm(reason, None if at is None else _moment(at))
        _post(origin, who, f"{_rules(programme)}/{version}:activate", form)


@app.command()
def retire(programme: Programme, version: Number, reason: Why, origin: At = None, who: As = None) -> None:
    """Take a region's rules out of force: the programme's hold there again."""
    with explained():
        from origin.eligibility.version_models import ReasonForm

        _post(origin, who, f"{_rules(programme)}/{version}:retire", ReasonForm(reason))


@app.command()
def rollback(
    programme: Programme,
    reason: Why,
    region: Region = None,
    to: Annotated[int | None, typer.Option(help="Back to this version, not to the one before.")] = None,
    origin: At = None,
    who: As = None,
) -> None:
    """Go back to the rules before, everywhere at once."""
    with explained():
        from deploy import rule_tables
        from origin.eligibility.version_models import RollbackForm, Versions

        contact = find_origin(origin, who)
        told = contact.call("GET", _rules(programme), Versions)
        version = next((each.version for each in told.in_force if each.region == region), None)
        if version is None:
            raise StackError(f"{region or programme} has no rules of its own in force")
        form = RollbackForm(version, reason, region, to)
        rule_tables.show_versions(console(), contact.call("POST", f"{_rules(programme)}:rollback", Versions, form))


@app.command()
def history(programme: Programme, origin: At = None, who: As = None) -> None:
    """Show what was in force when, and who did it."""
    with explained():
        from deploy import rule_tables
        from origin.eligibility.version_models import History

        told = find_origin(origin, who).call("GET", f"{address(programme)}/rules-history", History)
        rule_tables.show_history(console(), told)


def _post(origin: str | None, who: str | None, path: str, form: Any) -> None:
    from deploy import rule_tables
    from origin.eligibility.version_models import Version

    rule_tables.show_version(console(), find_origin(origin, who).call("POST", path, Version, form))


def _json(file: Path) -> "msgspec.Raw":
    import msgspec

    try:
        return msgspec.Raw(msgspec.json.format(file.read_bytes(), indent=-1))
    except (OSError, msgspec.MsgspecError) as error:
        raise StackError(f"{file} is not JSON: {error}") from None


def _rules(programme: str) -> str:
    return f"{address(programme)}/rules"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StackError(f"not a moment: {text}") from None
    if moment.tzinfo is None:
        raise StackError(f"{text}: say the offset too, as in {text}+01:00")
    return moment
