"""The commands of ``vestibule room``: what operators do, from a terminal. Every change says why."""

from pathlib import Path
from typing import Annotated

import typer

from deploy import room_acts_cli
from deploy.explained import explained
from deploy.operator_cli import AsJson, Edge, Room, Why, contact, do
from deploy.tables import console

app = typer.Typer(name="room", help="See, create and change rooms while people wait.", no_args_is_help=True)
app.add_typer(room_acts_cli.app)


@app.command("list")
def list_rooms(edge: Edge = None, as_json: AsJson = False) -> None:
    """Show all rooms, a line each."""
    with explained():
        from deploy import rooms

        found = contact(edge).ask(lambda client: client.list_rooms())
        if as_json:
            rooms.show_json(found)
        else:
            rooms.show_list(console(), found)


@app.command()
def show(room: Room, edge: Edge = None, as_json: AsJson = False) -> None:
    """Show a room: settings, line, meters, who created it."""
    do(edge, lambda client: client.read_room(room), as_json=as_json)


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
    check_url: Annotated[str | None, typer.Option(help="Where people may ask whether they could book.")] = None,
    state: Annotated[str | None, typer.Option(help="How it begins: open, paused, draining or closed.")] = None,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Create a room; within a second it is open on every edge."""
    with explained():
        from deploy import rooms

        given = {"id": room, "reason": reason, "name": name, "rate_per_s": rate, "burst": burst, "state": state}
        plan = rooms.planned(
            file, {**given, "enter_url": enter_url, "capacity_url": capacity_url, "check_url": check_url}
        )
    do(edge, lambda client: client.create_room(plan), as_json=as_json)


@app.command()
def rate(
    room: Room,
    per_s: Annotated[float, typer.Argument(help="Tokens per second.")],
    reason: Why,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Set how many people a second are let through."""
    from edge.ops.models import RoomChange

    do(edge, lambda client: client.change_room(room, RoomChange(rate_per_s=per_s, reason=reason)), as_json=as_json)


@app.command()
def burst(
    room: Room,
    tokens: Annotated[int, typer.Argument(help="Tokens at once.")],
    reason: Why,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Set how many people are let through at once after a quiet moment."""
    from edge.ops.models import RoomChange

    do(edge, lambda client: client.change_room(room, RoomChange(burst=tokens, reason=reason)), as_json=as_json)


@app.command()
def pause(room: Room, reason: Why, edge: Edge = None, as_json: AsJson = False) -> None:
    """Stop calling people; everybody keeps their place."""
    do(edge, lambda client: client.pause_room(room, reason), as_json=as_json)


@app.command()
def resume(room: Room, reason: Why, edge: Edge = None, as_json: AsJson = False) -> None:
    """Go on where the pause began."""
    do(edge, lambda client: client.resume_room(room, reason), as_json=as_json)
