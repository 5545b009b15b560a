"""The commands of ``vestibule passes``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy import passes
from deploy.bars import bar
from deploy.errors import StackError
from deploy.explained import explained
from deploy.keys import KeyFile, KeySettings, Ring
from deploy.operator_cli import AsJson, Edge, Why, do
from edge.guard.passes import MAX_NUMBER, Passes, PassRefused
from shared.clock import SystemClock
from shared.ids import SystemIds
from shared.settings import load
from shared.token import token_id

app = typer.Typer(name="passes", help="Passes for letters: each is worth one place in its lane.", no_args_is_help=True)

_MANY = 50_000
_WHY = {
    "malformed": "this is not the text of a pass: 28 letters and digits in groups of four",
    "bad_signature": "no pass of this room and cohort: mistyped, of another one, or of a key that was dropped",
}


def _name(text: str) -> str:
    if not (text.isascii() and text.replace("-", "a").isalnum() and text.islower() and len(text) <= 32):
        raise typer.BadParameter("small letters, digits and dashes, at most 32")
    return text


RoomOption = Annotated[str, typer.Option(help="The room, as the rooms file calls it.", callback=_name)]
CohortOption = Annotated[str, typer.Option(help="The lane of the room that the passes open.", callback=_name)]


@app.command()
def issue(
    room: RoomOption,
    cohort: CohortOption,
    count: Annotated[int, typer.Option(help="How many; more than this need more batches.", min=1, max=MAX_NUMBER)],
    out: Annotated[Path, typer.Option(help="The CSV file to write; it must not exist.")],
) -> None:
    """Write a new batch of passes, and print its name. The file is as good as so many places: keep it like money."""
    with explained(), bar(counted=True, shown=count >= _MANY) as progress:
        task = progress.add_task("passes", total=count)
        batch = passes.issue(
            _passes(),
            SystemIds(),
            room=room,
            lane=cohort,
            count=count,
            out=out,
            made=lambda made: progress.update(task, completed=made),
        )
    sys.stdout.write(batch + "\n")


@app.command()
def check(
    text: Annotated[str, typer.Argument(metavar="PASS", help="As it stands in the letter.")],
    room: RoomOption,
    cohort: CohortOption,
) -> None:
    """Say what a pass is. Whether it was used or revoked only the edge knows."""
    with explained():
        try:
            found = _passes().open(text, room, [cohort])
        except PassRefused as refused:
            raise StackError(_WHY[refused.reason]) from None
    sys.stdout.write(f"batch      {found.batch}\nnumber     {found.n}\nadmission  {token_id(found.ticket_id)}\n")


@app.command()
def revoke(
    room: RoomOption,
    batch: Annotated[str, typer.Option(help="The first two groups of a pass.")],
    reason: Why,
    number: Annotated[
        list[int] | None, typer.Option(help="Of the printer's table; may be repeated. Without it: the whole batch.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Make all of the batch good again.")] = False,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Take passes back that nobody has used yet; in force on every edge within a second."""
    from edge.ops.models import Revocation

    revocation = Revocation(batch=batch, numbers=number or None, undo=undo, reason=reason)
    do(edge, lambda client: client.revoke_passes(room, revocation), as_json=as_json)


def _passes() -> Passes:
    file = load(KeySettings).file(Ring.TICKETS)
    return Passes(KeyFile(file, SystemClock(), SystemIds()).load())
