"""What has happened in a room between two looks at it, for those who are told rather than ask. Pure.

A look sees the state of a moment: what came and went between two looks has not happened. What is told is each change of
the state that visitors see, supply running out and coming back, and a line that stands still though it should move.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from edge.line.room import Picture

Kind = Literal["opened", "paused", "resumed", "draining", "closed", "sold_out", "supply_back", "stuck", "unstuck"]
KINDS: tuple[Kind, ...] = (
    "opened",
    "paused",
    "resumed",
    "draining",
    "closed",
    "sold_out",
    "supply_back",
    "stuck",
    "unstuck",
)

_SOLD_OUT = "sold_out"
_ENTERED: dict[str, Kind] = {
    "open": "opened",
    "paused": "paused",
    "draining": "draining",
    "closed": "closed",
    _SOLD_OUT: "sold_out",
}
_SUPPLY_UNKNOWN = ("origin_down", "origin_unhealthy")
_PATIENCE_S = 60.0
_PATIENCE_WINDOWS = 2
_PATIENCE_CALLS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Happening(msgspec.Struct, frozen=True):
    """Something that has happened, as receivers are told it. Nothing in it is about one person.

    ``at`` is when it was seen, on the store's clock; ``state`` what visitors see since; ``reason`` why nobody is
    called, or an operator's words; ``remaining`` the doses left, None: not known.
    """

    id: str
    type: str
    at: datetime
    room: str
    state: str
    joined: int
    called: int
    admitted: int
    remaining: int | None
    reason: str


class Seen(msgspec.Struct, frozen=True):
    """What has to be remembered of the last look, so that the next one tells each change once.

    ``quiet_since_us``: since when people wait in an open room without anybody being called; ``stuck_at``: how far the
    line was called when it was told to be stuck; ``told``: under which name each kind was told last, and how often.
    """

    epoch: int
    version: int
    at_us: int
    called: int
    phase: str
    sold_out: bool = False
    quiet_since_us: int | None = None
    stuck_at: int | None = None
    told: dict[str, tuple[str, int]] = {}

    @property
    def mark(self) -> tuple[int, int, int]:
        """Orders looks: a higher line is later, of one line later settings are, and then the store's clock decides."""
        return self.epoch, self.version, self.at_us


def observe(room: str, before: Seen | None, now: Picture) -> tuple[Seen | None, list[Happening]]:
    """Return what to remember, and what has happened since ``before``, in its order.

    Guarantee: from the same ``before`` every process finds the same happenings under the same ids, and no id is used
    twice along one memory. A first look tells nothing, for nothing has changed yet; a look that is no later than
    the memory, or at a room whose store has just lost it, teaches nothing.
    """
    if now.healing or (before is not None and (now.epoch, now.version, now.at_us) <= before.mark):
        return before, []
    phase = _phase(now)
    if before is None:
        first = Seen(now.epoch, now.version, now.at_us, now.called, phase, sold_out=phase == _SOLD_OUT)
        return msgspec.structs.replace(first, quiet_since_us=_quiet_since(first, now, phase)), []
    told = dict(before.told)
    kinds: list[Kind] = []
    happened = []
    for kind, name in _changes(before, now, phase):
        kinds.append(kind)
        happened.append(_happening(room, now, kind, _unique(told, kind, name)))
    seen = Seen(
        now.epoch,
        now.version,
        now.at_us,
        now.called,
        phase,
        sold_out=phase == _SOLD_OUT or (before.sold_out and "supply_back" not in kinds),
        quiet_since_us=_quiet_since(before, now, phase),
        stuck_at=now.called if "stuck" in kinds else None if "unstuck" in kinds else before.stuck_at,
        told=told,
    )
    return seen, happened


def _phase(now: Picture) -> str:
    """The state that visitors see, but for one: what was closed by supply alone is sold out."""
    return _SOLD_OUT if now.held == _SOLD_OUT and now.phase != "closed" else now.shown


def _changes(before: Seen, now: Picture, phase: str) -> Iterator[tuple[Kind, str]]:
    """What changed, each with a name that every process gives it: settings' version, or how far the line had come."""
    if before.stuck_at is not None and (now.epoch, now.called) > (before.epoch, before.stuck_at):
        yield "unstuck", f"{before.epoch}_unstuck_{before.stuck_at}"
    is_back = before.sold_out and now.held not in {_SOLD_OUT, *_SUPPLY_UNKNOWN}
    if is_back:
        yield "supply_back", f"{now.epoch}_supply_back_{now.version}"
    last = before.phase if before.epoch == now.epoch else ""  # a new line begins in no phase
    kind = _entered(last, phase, is_back=is_back)
    if kind is not None:
        yield kind, f"{now.epoch}_{kind}_{now.version}"
    since = _quiet_since(before, now, phase)
    if before.stuck_at is None and since is not None and now.at_us - since >= _patience_us(now):
        yield "stuck", f"{now.epoch}_stuck_{now.called}"


def _entered(last: str, phase: str, *, is_back: bool) -> Kind | None:
    """The kind that tells of a new phase; None where there is none, or supply that is back has said it."""
    if phase == last or (is_back and last == _SOLD_OUT and phase == "open"):
        return None
    return "resumed" if (last, phase) == ("paused", "open") else _ENTERED.get(phase)


def _quiet_since(before: Seen, now: Picture, phase: str) -> int | None:
    if phase != "open" or now.waiting == 0:
        return None
    if before.quiet_since_us is None or (now.epoch, now.called) != (before.epoch, before.called):
        return now.at_us
    return before.quiet_since_us


def _patience_us(now: Picture) -> float:
    """How long a line may stand still: two call windows, a minute, or, where calls are that rare, three of them."""
    return max(_PATIENCE_S, _PATIENCE_WINDOWS * now.window, _PATIENCE_CALLS / now.rate) * 1_000_000


def _unique(told: dict[str, tuple[str, int]], kind: Kind, name: str) -> str:
    """Make names differ where time alone brings a state back under the same settings."""
    last, times = told.get(kind, ("", 0))
    times = times + 1 if last == name else 1
    told[kind] = name, times
    return name if times == 1 else f"{name}_{times}"


def _happening(room: str, now: Picture, kind: Kind, name: str) -> Happening:
    return Happening(
        id=f"evt_{room}_{name}",
        type=f"room.{kind}",
        at=_EPOCH + timedelta(microseconds=now.at_us),
        room=room,
        state=now.shown,
        joined=now.joined,
        called=now.called,
        admitted=now.admitted,
        remaining=now.remaining,
        reason=now.held or now.reason,
    )
