"""The commands of ``vestibule room``: what operators do, from a terminal. Every change says why."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deploy.errors import StackError
from shared.clock import SystemClock
from shared.settings import load

if TYPE_CHECKING:
    from deploy.rooms import Contact
    from edge.client import OperatorClient
    from edge.ops_models import RoomReport

app = typer.Typer(name="room", help="See, create and change rooms while people wait.", no_args_is_help=True)

Edge = Annotated[str | None, typer.Option(help="Where the edge answers; else VESTIBULE_EDGE_PUBLIC_URL, else here.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the edge answers, as JSON.")]
Room = Annotated[str, typer.Argument(help="The room's id.")]
Why = Annotated[str, typer.Option("--reason", help="Why: it is kept, and shown to other operators.")]


@app.command("list")
def list_rooms(edge: Edge = None, as_json: AsJson = False) -> None:
    """Show all rooms, a line each."""
    with _explained():
        from deploy import rooms

        found = _contact(edge).ask(lambda client: client.list_rooms())
        if as_json:
            rooms.show_json(found)
        else:
            rooms.show_list(Console(highlight=False), found)


@app.command()
def show(room: Room, edge: Edge = None, as_json: AsJson = False) -> None:
    """Show a room: settings, line, meters, who created it."""
    _do(edge, lambda client: client.read_room(room), as_json=as_json)


@app.command()
def create(
    room: Room,
    reason: Why,
    file: Annotated[
        Path | None, typer.Option(help="A room as in the rooms file, as JSON; options win over it.", exists=True)
    ] = None,
    name: Annotated[str | None, typer.Option(help="What people are shown.")] = None,
    rate: Annotated[float | None, typer.Option(help="Tokens per second.")] = None,
    burst: Annotated[int | None, typer.Option(help="Tokens at once.")] = None,
    enter_url: Annotated[str | None, typer.Option(help="Where people go with their token.")] = None,
    capacity_url: Annotated[str | None, typer.Option(help="Capacity feed of what lies behind.")] = None,
    state: Annotated[str | None, typer.Option(help="How it begins: open, paused, draining or closed.")] = None,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Create a room; within a second it is open on every edge."""
    with _explained():
        from deploy import rooms

        given = {"id": room, "reason": reason, "name": name, "rate_per_s": rate, "burst": burst, "state": state}
        plan = rooms.planned(file, {**given, "enter_url": enter_url, "capacity_url": capacity_url})
    _do(edge, lambda client: client.create_room(plan), as_json=as_json)


@app.command()
def rate(
    room: Room,
    per_s: Annotated[float, typer.Argument(help="Tokens per second.")],
    reason: Why,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Set how many people a second are let through."""
    from edge.ops_models import RoomChange

    _do(edge, lambda client: client.change_room(room, RoomChange(rate_per_s=per_s, reason=reason)), as_json=as_json)


@app.command()
def burst(
    room: Room,
    tokens: Annotated[int, typer.Argument(help="Tokens at once.")],
    reason: Why,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Set how many people are let through at once after a quiet moment."""
    from edge.ops_models import RoomChange

    _do(edge, lambda client: client.change_room(room, RoomChange(burst=tokens, reason=reason)), as_json=as_json)


@app.command()
def pause(room: Room, reason: Why, edge: Edge = None, as_json: AsJson = False) -> None:
    """Stop calling people; everybody keeps their place."""
    _do(edge, lambda client: client.pause_room(room, reason), as_json=as_json)


@app.command()
def resume(room: Room, reason: Why, edge: Edge = None, as_json: AsJson = False) -> None:
    """Go on where the pause began."""
    _do(edge, lambda client: client.resume_room(room, reason), as_json=as_json)


def _do(edge: str | None, call: "Callable[[OperatorClient], Awaitable[RoomReport]]", *, as_json: bool) -> None:
    with _explained():
        from deploy import rooms

        room = _contact(edge).ask(call)
        if as_json:
            rooms.show_json(room)
        else:
            rooms.show_room(Console(highlight=False), room)


def _contact(edge: str | None) -> "Contact":
    from deploy.rooms import Contact, OperatorSettings

    return Contact.find(load(OperatorSettings), edge, SystemClock())


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StackError as error:
        sys.stderr.write(f"vestibule: {error}\n")
        raise typer.Exit(2) from None
