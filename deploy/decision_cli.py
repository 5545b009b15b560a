"""``vestibule decision`` and ``vestibule override``: why somebody was denied, and exceptions that take two people."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from deploy.errors import StackError
from deploy.explained import explained
from deploy.official_cli import As, At, Programme, Why, address, find_origin
from deploy.tables import console

app = typer.Typer()  # nameless: two groups of commands
decision = typer.Typer(name="decision", help="Why somebody was decided about so.", no_args_is_help=True)
override = typer.Typer(name="override", help="Exceptions from the rules, which take two people.", no_args_is_help=True)
app.add_typer(decision)
app.add_typer(override)

Ref = Annotated[UUID, typer.Argument(help="The reference of the decision.")]
Id = Annotated[UUID, typer.Argument(help="The override's id.")]


@decision.command("show")
def show_decision(ref: Ref, origin: At = None, who: As = None) -> None:
    """Show outcome, branches, rules and proof. Status 1: what is stored is not what was recorded."""
    with explained():
        from deploy import answer_tables
        from origin.admin.answer_models import Answer

        told = find_origin(origin, who).call("GET", f"/v1/admin/decisions/{ref}", Answer)
        answer_tables.show_answer(console(), told)
        if answer_tables.is_faulty(told):
            raise typer.Exit(1)


@decision.command()
def find(person: Annotated[str, typer.Argument(help="A pseudonym.")], origin: At = None, who: As = None) -> None:
    """List the decisions about a person."""
    with explained():
        from deploy import answer_tables
        from origin.admin.answer_models import FindForm, Found

        told = find_origin(origin, who).call("POST", "/v1/admin/decisions:find", Found, FindForm(person))
        answer_tables.show_found(console(), told)


@override.command("list")
def list_overrides(programme: Programme, origin: At = None, who: As = None) -> None:
    """List the newest overrides of a programme."""
    with explained():
        from deploy import answer_tables
        from origin.admin.override_models import Overrides

        told = find_origin(origin, who).call("GET", f"{address(programme)}/overrides", Overrides)
        answer_tables.show_overrides(console(), told.overrides)


@override.command()
def ask(
    ref: Ref,
    product: Annotated[str, typer.Option(help="What the person may get: a CVX code that the rules give.")],
    dose: Annotated[int, typer.Option(help="Which dose of the programme.", min=1)],
    until: Annotated[str, typer.Option(help="Until when, as 2027-03-01T00:00:00+01:00; within 31 days.")],
    reason: Why,
    origin: At = None,
    who: As = None,
) -> None:
    """Ask for an exception from a decision. Somebody else has to confirm it."""
    with explained():
        from origin.admin.override_models import OverrideForm

        _post(origin, who, f"/v1/admin/decisions/{ref}:override", OverrideForm(product, dose, _moment(until), reason))


@override.command()
def confirm(override_id: Id, reason: Why, origin: At = None, who: As = None) -> None:
    """Confirm somebody else's: from now on it can be booked with."""
    with explained():
        from origin.admin.override_models import OverrideReason

        _post(origin, who, f"/v1/admin/overrides/{override_id}:confirm", OverrideReason(reason))


@override.command()
def revoke(override_id: Id, reason: Why, origin: At = None, who: As = None) -> None:
    """End one: nothing is booked with it once this returns. What was booked stays booked."""
    with explained():
        from origin.admin.override_models import OverrideReason

        _post(origin, who, f"/v1/admin/overrides/{override_id}:revoke", OverrideReason(reason))


def _post(origin: str | None, who: str | None, path: str, form: object) -> None:
    import msgspec

    from deploy import answer_tables
    from origin.admin.override_models import Override

    assert isinstance(form, msgspec.Struct)
    answer_tables.show_overrides(console(), [find_origin(origin, who).call("POST", path, Override, form)])


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise StackError(f"{text} is no moment with its offset, as 2027-03-01T00:00:00+01:00")
    return moment
