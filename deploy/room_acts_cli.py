"""The commands of ``vestibule room`` for opening day: schedule, states, lanes, bypass, a new line, the log."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from deploy.errors import StackError
from deploy.explained import explained
from deploy.operator_cli import AsJson, Edge, Room, Why, contact, do
from deploy.tables import console

if TYPE_CHECKING:
    from edge.line.room import Discipline
    from edge.ops.models import RoomChange

app = typer.Typer()

T = TypeVar("T")

_NO_TIME = _NO_CAP = "none"
_MOMENT = "a time with its zone (2027-03-01T09:00+01:00), or none"


@app.command()
def schedule(
    room: Room,
    reason: Why,
    prequeue_at: Annotated[str | None, typer.Option(help=f"From when people may join: {_MOMENT}.")] = None,
    opens_at: Annotated[str | None, typer.Option(help=f"From when they are called: {_MOMENT}.")] = None,
    closes_at: Annotated[str | None, typer.Option(help=f"When that ends: {_MOMENT}.")] = None,
    discipline: Annotated[
        str | None, typer.Option(help="How those line up who come before the opening: fifo or lottery.")
    ] = None,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Set from when people may join and are called, until when, and how they line up; what is not given stays."""
    with explained():
        from edge.ops.models import RoomChange, Schedule

        _expect_any(
            prequeue_at, opens_at, closes_at, discipline, options="--prequeue-at, --opens-at, --closes-at, --discipline"
        )
        times = Schedule(_moment(prequeue_at), _moment(opens_at), _moment(closes_at))
        change = RoomChange(schedule=times, discipline=_discipline(discipline), reason=reason)
    do(edge, lambda client: client.change_room(room, change), as_json=as_json)


@app.command("open")
def open_room(room: Room, reason: Why, edge: Edge = None, as_json: AsJson = False) -> None:
    """Open a room that is closed, draining or paused, as far as its schedule goes."""
    do(edge, lambda client: client.open_room(room, reason), as_json=as_json)


@app.command()
def drain(room: Room, reason: Why, edge: Edge = None, as_json: AsJson = False) -> None:
    """Take nobody new in, and serve the line to its end."""
    do(edge, lambda client: client.drain_room(room, reason), as_json=as_json)


@app.command()
def close(room: Room, reason: Why, edge: Edge = None, as_json: AsJson = False) -> None:
    """Take nobody in and call nobody; tickets stay good, should the room open again."""
    do(edge, lambda client: client.close_room(room, reason), as_json=as_json)


@app.command()
def reset(
    room: Room,
    reason: Why,
    confirm: Annotated[str | None, typer.Option(help="The room's id once more; else it is asked for.")] = None,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Begin a new line: EVERYBODY in the old one loses the place. Settings stay."""
    with explained():
        if confirm is None and not _is_terminal():
            raise StackError(f"everybody in line loses the place: give --confirm {room}")
        again = confirm or typer.prompt(f"Everybody in line loses the place. To go on, type {room}", err=True)
    do(edge, lambda client: client.reset_room(room, again, reason), as_json=as_json)


@app.command()
def bypass(
    room: Room,
    reason: Why,
    rate: Annotated[float | None, typer.Option(help="Holders of passes let by per second.")] = None,
    burst: Annotated[int | None, typer.Option(help="Holders of passes let by at once.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Let nobody by any longer.")] = False,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Let holders of passes pass by the line, out of a bucket of their own, or no longer."""
    from edge.ops.models import BypassChange

    change = BypassChange(reason=reason, rate_per_s=_given(rate), burst=_given(burst), off=off)
    do(edge, lambda client: client.set_bypass(room, change), as_json=as_json)


@app.command()
def lanes(
    room: Room,
    lane: Annotated[str | None, typer.Argument(help="The lane to change; without it all are shown.")] = None,
    weight: Annotated[float | None, typer.Option(help="Its part of the rate, against the other lanes'.")] = None,
    floor: Annotated[float | None, typer.Option(help="Tokens per second that it always gets.")] = None,
    opens_at: Annotated[
        str | None, typer.Option(help=f"From when it is called, if later than the room: {_MOMENT}.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; needed for a change.")] = None,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Show a room's lanes, or change one."""
    with explained():
        from deploy import rooms
        from edge.ops.models import LaneChange, RoomChange

        if lane is None:
            report = contact(edge).ask(lambda client: client.read_room(room))
        elif not reason:
            raise StackError("say why: give --reason")
        else:
            _expect_any(weight, floor, opens_at, options="--weight, --floor, --opens-at")
            wished = LaneChange(_given(weight), _given(floor), _moment(opens_at))
            change = RoomChange(lanes={lane: wished}, reason=reason)
            report = contact(edge).ask(lambda client: client.change_room(room, change))
        if as_json:
            rooms.show_json(report.lanes)
        else:
            rooms.show_lanes(console(), report.lanes)


@app.command()
def governor(
    room: Room,
    reason: Why,
    mode: Annotated[
        str | None, typer.Option(help="automatic: the rate follows the booking system; manual: it is yours; off.")
    ] = None,
    min_rate: Annotated[float | None, typer.Option(help="Tokens per second that it never goes below.")] = None,
    max_rate: Annotated[float | None, typer.Option(help="Tokens per second that it never goes above.")] = None,
    max_inside: Annotated[
        str | None, typer.Option(help="People inside the booking system at a time, or none: no cap.")
    ] = None,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Let the rate follow the booking system within bounds, or no longer; what is not given stays."""
    with explained():
        _expect_any(mode, min_rate, max_rate, max_inside, options="--mode, --min-rate, --max-rate, --max-inside")
        wished = {"mode": mode, "min_rate_per_s": min_rate, "max_rate_per_s": max_rate, "max_inside": max_inside}
        given = {name: value if value != _NO_CAP else None for name, value in wished.items() if value is not None}
        change = _change({"governor": given, "reason": reason})
    do(edge, lambda client: client.change_room(room, change), as_json=as_json)


@app.command()
def challenge(
    room: Room,
    kind: Annotated[str, typer.Argument(help="altcha: every newcomer's browser does some work; or off.")],
    reason: Why,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Ask newcomers for a proof of work, or no longer; those in line are not asked."""
    with explained():
        change = _change({"challenge": kind, "reason": reason})
    do(edge, lambda client: client.change_room(room, change), as_json=as_json)


@app.command()
def log(
    room: Room,
    limit: Annotated[int, typer.Option(help="How many rows, the newest first.", min=1, max=500)] = 50,
    before: Annotated[int | None, typer.Option(help="Only what is older than this version.")] = None,
    edge: Edge = None,
    as_json: AsJson = False,
) -> None:
    """Show what was changed, by whom, when and why."""
    with explained():
        from deploy import rooms

        page = contact(edge).ask(lambda client: client.read_log(room, limit=limit, before=before))
        if as_json:
            rooms.show_json(page)
        else:
            rooms.show_log(console(), page)


def _change(given: dict[str, object]) -> "RoomChange":
    """Return the change that is given by its fields; raises StackError."""
    from edge.ops.models import RoomChange

    try:
        return msgspec.convert(given, RoomChange, strict=False)
    except msgspec.ValidationError as error:
        raise StackError(f"not a change: {error}") from None


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _given(value: T | None) -> T | msgspec.UnsetType:
    return msgspec.UNSET if value is None else value


def _expect_any(*given: object, options: str) -> None:
    if all(value is None for value in given):
        raise StackError(f"nothing to change: give one of {options}")


def _discipline(text: str | None) -> "Discipline | msgspec.UnsetType":
    match text:
        case None:
            return msgspec.UNSET
        case "fifo" | "lottery":
            return text
    raise StackError(f"{text!r} is no discipline: fifo or lottery")


def _moment(text: str | None) -> datetime | msgspec.UnsetType | None:
    """Return the time that is meant; raises StackError."""
    if text is None or text == _NO_TIME:
        return msgspec.UNSET if text is None else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise StackError(f"{text!r} is no time with its zone, such as 2027-03-01T09:00+01:00, nor {_NO_TIME!r}")
    return moment
