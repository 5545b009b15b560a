"""What all commands of operators share: their options, and how they speak to an edge."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.explained import explained
from deploy.tables import console
from shared.clock import SystemClock
from shared.settings import load

if TYPE_CHECKING:
    from deploy.rooms import Contact
    from edge.client import OperatorClient
    from edge.ops.answers import RoomReport

Edge = Annotated[str | None, typer.Option(help="Where the edge answers; else VESTIBULE_EDGE_PUBLIC_URL, else here.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the edge answers, as JSON.")]
Room = Annotated[str, typer.Argument(help="The room's id.")]
Why = Annotated[str, typer.Option("--reason", help="Why: it is kept, and shown to other operators.")]


def do(edge: str | None, call: "Callable[[OperatorClient], Awaitable[RoomReport]]", *, as_json: bool) -> None:
    """Make the call and show the room that it answers with."""
    with explained():
        from deploy import rooms

        room = contact(edge).ask(call)
        if as_json:
            rooms.show_json(room)
        else:
            rooms.show_room(console(), room)


def contact(edge: str | None) -> "Contact":
    """Return the edge that is meant; raises StackError."""
    from deploy.rooms import Contact, OperatorSettings

    return Contact.find(load(OperatorSettings), edge, SystemClock())
