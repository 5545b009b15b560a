"""The commands of ``vestibule lottery``, for whoever wants to see that a draw was what was promised.

Exit status: 0 it was; 1 it was not; 2 it cannot be said (not opened yet, no answer, something left out).
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.explained import explained

app = typer.Typer(name="lottery", help="Check the draw of a waiting room, from outside.", no_args_is_help=True)

_errors = Console(stderr=True)


@app.callback()
def lottery() -> None:
    """Check the draw of a waiting room, from outside."""


@app.command()
def verify(
    room: Annotated[str, typer.Option(help="The room's name, as in its address.")],
    lane: Annotated[str, typer.Option(help="The lane that was entered.")] = "general",
    entry: Annotated[int | None, typer.Option(help="The number of an entry: what place did it get?")] = None,
    all_: Annotated[
        Path | None, typer.Option("--all", help="Write every entry and its place to this CSV file.")
    ] = None,
    edge: Annotated[str | None, typer.Option(help="The waiting room's address; read the rest there.")] = None,
    commitment: Annotated[str | None, typer.Option(help="The commitment, as noted before the opening.")] = None,
    seed: Annotated[str | None, typer.Option(help="Without --edge: the seed, in hexadecimal.")] = None,
    entries: Annotated[int | None, typer.Option(help="Without --edge: how many entered this lane.")] = None,
    epoch: Annotated[int | None, typer.Option(help="Without --edge: the epoch of the room's line.")] = None,
) -> None:
    """Check that the seed keeps its commitment, and draw again."""
    if entry is None and all_ is None:
        raise typer.BadParameter("say which --entry, or --all FILE")
    from deploy.lottery import Published, check, fetch, place_of, write_places

    with explained():
        if edge is not None:
            if (seed, entries, epoch) != (None, None, None):
                raise typer.BadParameter("--seed, --entries and --epoch are read from --edge; give one or the other")
            published = fetch(edge, room, lane, commitment)
        elif seed is None or commitment is None or entries is None or epoch is None:
            raise typer.BadParameter("say --edge, or all of --seed, --commitment, --entries and --epoch")
        else:
            published = Published(room, epoch, lane, entries, seed, commitment)
        draw = check(published)
        sys.stdout.write(
            f"Room {room}, epoch {published.epoch}, lane {lane}: {published.entries} entries.\n"
            f"The seed {published.seed} keeps its commitment {published.commitment}.\n"
        )
        if commitment is None:
            sys.stdout.write("Compare that commitment with the one you noted before the opening.\n")
        if entry is not None:
            sys.stdout.write(f"Entry {entry} has place {place_of(draw, entry)}.\n")
        if all_ is not None:
            write_places(draw, all_, _errors)
            sys.stdout.write(f"The places of all {draw.entries} entries are in {all_}.\n")
