"""A draw checked from outside: with what an edge publishes of a room, or with what somebody wrote down of it."""

from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec
from rich.console import Console
from rich.progress import track

from deploy.errors import LotteryMismatch, StackError
from edge.line.lottery import Draw, commitment

_TIMEOUT_S = 10
_LINES_AT_ONCE = 10_000


class Published(msgspec.Struct, frozen=True):
    """All that a draw follows from; ``seed`` and ``commitment`` in hexadecimal."""

    room: str
    epoch: int
    lane: str
    entries: int
    seed: str
    commitment: str


class _Lottery(msgspec.Struct):
    commitment: str
    seed: str | None
    entries: dict[str, int] | None


class _Status(msgspec.Struct):
    epoch: int
    lottery: _Lottery | None
    opens_at: str | None = None


def fetch(edge: str, room: str, lane: str, noted: str | None) -> Published:
    """Read a room's public status. ``noted`` is the commitment that somebody wrote down before the opening.

    Raises:
        LotteryMismatch: another commitment is published now than was noted.
        StackError: the edge does not answer, the seed is not published yet, or nothing is drawn in this room or lane.
    """
    status = _status(f"{edge.rstrip('/')}/v1/rooms/{quote(room, safe='')}")
    if status.lottery is None:
        raise StackError(f"nothing is drawn in room {room}: whoever comes first is first")
    told = status.lottery
    if noted is not None and not _same(noted, told.commitment):
        raise LotteryMismatch(f"the commitment has been changed: noted was {noted}, published is {told.commitment}")
    if told.seed is None or told.entries is None:
        when = f"the room opens at {status.opens_at}" if status.opens_at else "the time is not set"
        raise StackError(
            f"the seed is not published yet; {when}. Note the commitment, to compare it then: {told.commitment}"
        )
    if not told.entries.get(lane):
        drawn = ", ".join(sorted(name for name, entries in told.entries.items() if entries))
        raise StackError(f"nobody entered in lane {lane}; lanes with entries: {drawn or 'none'}")
    return Published(room, status.epoch, lane, told.entries[lane], told.seed, told.commitment)


def check(published: Published) -> Draw:
    """Return the draw of a seed that keeps its commitment.

    Raises:
        LotteryMismatch: it does not keep it.
        StackError: it is no seed, or the draw cannot be made.
    """
    try:
        seed = bytes.fromhex(published.seed)
        found = commitment(seed)
        draw = Draw(seed, room=published.room, epoch=published.epoch, lane=published.lane, entries=published.entries)
    except ValueError as error:
        raise StackError(f"this cannot be drawn: {error}") from None
    if not _same(found, published.commitment):
        raise LotteryMismatch(
            f"the seed is not the one that was promised: its SHA-256 is {found}, the commitment {published.commitment}"
        )
    return draw


def place_of(draw: Draw, entry: int) -> int:
    """Return the place of an entry.

    Raises:
        StackError: there is no such entry.
    """
    try:
        return draw.place(entry)
    except ValueError as error:
        raise StackError(str(error)) from None


def write_places(draw: Draw, path: Path, console: Console) -> None:
    """Write ``entry,place`` of all entries as CSV; the progress is shown on ``console``.

    Raises:
        StackError: the file cannot be written.
    """
    starts = range(1, draw.entries + 1, _LINES_AT_ONCE)
    try:
        with path.open("w", encoding="ascii", newline="") as file:
            file.write("entry,place\n")
            for start in track(starts, "Drawing", console=console):
                some = range(start, min(start + _LINES_AT_ONCE, draw.entries + 1))
                file.write("".join(f"{entry},{draw.place(entry)}\n" for entry in some))
    except OSError as error:
        raise StackError(f"cannot write {path}: {error.strerror}") from None


def _status(url: str) -> _Status:
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_S, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StackError(f"cannot read {url}: {error}") from None
    if answer.status_code != httpx.codes.OK:
        raise StackError(f"{url} answers {answer.status_code} {answer.reason_phrase}")
    try:
        return msgspec.json.decode(answer.content, type=_Status)
    except msgspec.DecodeError as error:
        raise StackError(f"{url} is not the status of a room as this version knows it: {error}") from None


def _same(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower()
