"""What ``vestibule room`` does: find the edge, speak to it in an operator's name, show what it says."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from pydantic import HttpUrl
from rich.console import Console
from rich.text import Text

from deploy.contact import ContactSettings, contact
from deploy.errors import StackError
from deploy.tables import facts, plain, table
from edge.client import ApiError, ApiUnreachable, OperatorClient
from edge.line.logrow import LogPage, LogRow, Told
from edge.ops.answers import LaneReport, RoomReport
from edge.ops.models import NewRoom
from shared.clock import Clock

T = TypeVar("T")


class OperatorSettings(ContactSettings):
    """Which edge, and in whose name."""

    edge_public_url: HttpUrl | None = None


@dataclass(frozen=True)
class Contact:
    """An edge that answers at ``url``, and a bearer token that it takes."""

    url: str
    token: str

    @classmethod
    def find(cls, settings: OperatorSettings, edge: str | None, clock: Clock) -> "Contact":
        """Return the edge that is named, else the one of the stack that runs here.

        Raises:
            StackError: there is no such edge, or no token for it.
        """
        return cls(*contact(settings, "edge", edge or settings.edge_public_url, clock, roles=["operator"]))

    def ask(self, call: Callable[[OperatorClient], Awaitable[T]]) -> T:
        """Return what the edge answers.

        Raises:
            StackError: it refuses, with its stable code, or it does not answer.
        """

        async def run() -> T:
            async with OperatorClient(self.url, self.token) as client:
                return await call(client)

        try:
            return asyncio.run(run())
        except ApiError as refused:
            later = f" (again in {refused.retry_after_s} s)" if refused.retry_after_s else ""
            raise StackError(f"{refused}{later}") from None
        except ApiUnreachable as error:
            raise StackError(str(error)) from None


def planned(file: Path | None, given: dict[str, object]) -> NewRoom:
    """Return the room that a file describes, a room of a rooms file, with what is ``given`` on top; None is not given.

    Raises:
        StackError: it is none.
    """
    try:
        room: object = json.loads(file.read_bytes()) if file else {}
        if not isinstance(room, dict):
            raise StackError(f"{file}: not a room, which is a JSON object")
        return msgspec.convert(room | {name: value for name, value in given.items() if value is not None}, NewRoom)
    except OSError as error:
        raise StackError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:  # ValidationError of msgspec is one
        raise StackError(f"not a room: {error}") from None


def show_json(told: object) -> None:
    """Print it as JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")


def show_list(console: Console, rooms: list[RoomReport]) -> None:
    """Print a line for each room."""
    titles = ("Room", "State", "Rate/s", "Burst", "Waiting", "Called", "Admitted", "Why")
    rows = (
        (
            room.room,
            _state(room),
            f"{room.rate_per_s:g}",
            room.burst,
            room.waiting,
            room.called,
            room.admitted,
            room.reason,
        )
        for room in rooms
    )
    console.print(table(titles, rows, numbers=titles[2:-1]))


def show_room(console: Console, room: RoomReport) -> None:
    """Print all of a room."""
    rows = (
        ("Room", f"{room.room}  {room.name}"),
        ("State", _state(room)),
        ("Schedule", _schedule(room)),
        ("Why", room.reason),
        ("Rate", f"{room.rate_per_s:g} tokens/s, burst {room.burst}, {room.tokens:g} there now"),
        ("Line", _line(room)),
        ("Now", f"{room.waiting} wait, {room.backlog} called and not yet through"),
        ("Meter", f"{room.calls_per_s:g} calls/s, {room.show:.0%} of those called show up"),
        ("Lanes", ", ".join(lane.lane for lane in room.lanes)),
        ("Passing by", f"{room.bypass.rate_per_s:g} tokens/s" if room.bypass.rate_per_s else "off"),
        ("Revoked", f"{room.revoked_passes} batches or single passes" if room.revoked_passes else "none"),
        ("Order", _order(room)),
        ("Challenge", room.challenge),
        ("Governor", _governor(room)),
        ("Leads to", room.enter_url),
        ("Created", _created(room)),
        ("As of", room.as_of),
    )
    console.print(facts(rows))


def show_lanes(console: Console, lanes: list[LaneReport]) -> None:
    """Print a line for each lane."""
    numbers = ("Weight", "Floor/s", "Now/s", "Waiting", "Called", "Admitted")
    rows = (
        (
            lane.lane,
            lane.access,
            lane.phase,
            *(f"{rate:g}" for rate in (lane.weight, lane.floor_per_s, lane.rate_per_s)),
            *(lane.waiting, lane.called, lane.admitted),
            lane.opens_at or "with the room",
        )
        for lane in lanes
    )
    console.print(table(("Lane", "Access", "Phase", *numbers, "Opens"), rows, numbers=numbers))


def show_log(console: Console, page: LogPage) -> None:
    """Print each row with a line for each setting, and how to see more."""
    for row in page.rows:
        console.print(Text(plain(f"{row.at}  {row.actor}  {row.what}  {row.why}")), soft_wrap=True)
        for name in row.before | row.after:
            console.print(Text(plain(f"    {name}: {_change(name, row)}")), soft_wrap=True)
    if page.next_before is not None:
        console.print(f"older rows: --before {page.next_before}")


def _change(name: str, row: LogRow) -> str:
    told = [_value(side[name]) for side in (row.before, row.after) if name in side]
    return " → ".join(told)


def _value(told: Told) -> str:
    match told:
        case None:
            return "none"
        case float():
            return f"{told:.10g}"
        case list():
            return ", ".join(map(str, told))
    return str(told) or "none"


def _line(room: RoomReport) -> str:
    people = f"{room.joined} joined, {room.called} called, {room.admitted} admitted, {room.left} left"
    return people if room.epoch == 1 else f"{people}; it is line number {room.epoch}"


def _state(room: RoomReport) -> str:
    why = room.governor.why if room.governor else None
    told = room.state if room.phase == room.state else f"{room.phase}, {room.state} as far as operators say"
    return f"{told} ({why})" if why else told


def _schedule(room: RoomReport) -> str:
    times = (("joining from", room.prequeue_at), ("opens", room.opens_at), ("closes", room.closes_at))
    return ", ".join(f"{what} {time}" for what, time in times if time) or "none"


def _order(room: RoomReport) -> str:
    if room.lottery_commitment is None:
        return "first come, first served"
    return f"by lot, committed to {room.lottery_commitment}"


def _governor(room: RoomReport) -> str:
    if (governor := room.governor) is None:
        return "none: no capacity feed"
    cap = "" if governor.max_inside is None else f", {governor.max_inside} people inside at most"
    return f"{governor.mode}, {governor.min_rate_per_s:g} to {governor.max_rate_per_s:g} tokens/s{cap}"


def _created(room: RoomReport) -> str:
    created = room.created
    return f"{created.at} by {created.actor}: {created.why}" if created else "by the rooms file"
