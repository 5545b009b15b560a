"""What visitors lived through, one line of JSON per answer: the evidence that a drill is judged by."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Literal

import msgspec

What = Literal[
    "arrive",  # before the first request
    "join",
    "standing",
    "claim",
    "exchange",
    "evaluate",
    "search",
    "book",
    "leave",  # says so
    "vanish",  # goes in silence
    "end",  # the visitor's last event; `code` says how it went
    "crash",  # a fault of the drill itself
]


class Event(msgspec.Struct, omit_defaults=True, frozen=True):
    """One request and its answer, or a decision of the visitor.

    ``sent`` and ``received`` are seconds on the machine's monotonic clock, one clock for all visitors: what was
    received before something else was sent did happen before it. ``status`` 0 means that no answer came. Times that a
    server gave (``as_of``, ``issued_at``) are Unix seconds.
    """

    visitor: int
    what: What
    sent: float
    received: float
    status: int = 0
    code: str = ""
    place: int | None = None
    ahead: int | None = None
    state: str = ""
    as_of: float | None = None
    wait_p50_s: float | None = None
    wait_p90_s: float | None = None
    wait_reason: str = ""
    token_id: str = ""
    issued_at: float | None = None
    decision: str = ""
    slot: str = ""
    appointment: str = ""
    key: str = ""

    retry_after_s: float | None = None

    @property
    def took_s(self) -> float:
        """How long the answer took."""
        return self.received - self.sent


class Writer:
    """Appends events to a file. One writer per file; not for several threads."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab")
        self._encode = msgspec.json.Encoder().encode

    def write(self, event: Event) -> None:
        self._file.write(self._encode(event) + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class Reader:
    """Reads a file of events while it grows."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("rb")
        self._rest = b""
        self._decode = msgspec.json.Decoder(Event).decode

    def read(self) -> Iterator[Event]:
        """Yield the events that have come since the last call; an unfinished line waits for the next."""
        lines = (self._rest + self._file.read()).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            yield self._decode(line)

    def close(self) -> None:
        self._file.close()


def by_visitor(events: Iterable[Event]) -> dict[int, list[Event]]:
    """Return each visitor's events in the order they were received."""
    found: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        found[event.visitor].append(event)
    for trail in found.values():
        trail.sort(key=lambda event: event.received)
    return dict(found)


def answered(events: Sequence[Event], what: What, status: int) -> list[Event]:
    """Return the events of that kind that got that answer."""
    return [event for event in events if event.what == what and event.status == status]
