"""The operator's side of a drill: set the room's meter for the day, put it back afterwards."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import msgspec


class RoomError(Exception):
    """The room cannot be used for a drill; the message says why."""


class Room(msgspec.Struct, frozen=True):
    """What the edge tells the public, as far as a drill needs it."""

    state: str
    joined: int
    called: int
    admitted: int
    rate_per_s: float
    burst: int
    call_window_s: float = 30


class Operator:
    """Speaks the ops API of one room."""

    def __init__(self, edge_url: str, room: str, token: str) -> None:
        self._client = httpx.Client(base_url=edge_url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        self._room = room

    def read(self) -> Room:
        """Return the room.

        Raises:
            RoomError: the edge does not answer, or knows no such room.
        """
        return self._ask("GET", f"/v1/ops/rooms/{self._room}")

    def change(self, rate_per_s: float, burst: int, reason: str) -> None:
        """Set the meter.

        Raises:
            RoomError: the edge refuses.
        """
        self._ask("PATCH", f"/v1/ops/rooms/{self._room}", {"rate_per_s": rate_per_s, "burst": burst, "reason": reason})

    @contextmanager
    def drill(self, rate_per_s: float, burst: int) -> Iterator[Room]:
        """Set the meter for the time of the block; yields the room as it was. What was set before is put back.

        Raises:
            RoomError: the room is not open, or the edge refuses.
        """
        before = self.read()
        if before.state != "open":
            raise RoomError(f"room {self._room} is {before.state}; open it first")
        self.change(rate_per_s, burst, "drill")
        try:
            yield before
        finally:
            self.change(before.rate_per_s, before.burst, "after the drill")

    def close(self) -> None:
        """Give back the connection."""
        self._client.close()

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Room:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise RoomError(f"the edge does not answer: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise RoomError(f"the edge answers {method} {path} with {answer.status_code}: {answer.text[:200]}")
        try:
            return msgspec.json.decode(answer.content, type=Room)
        except msgspec.ValidationError as error:
            raise RoomError(f"the edge describes the room in another way: {error}") from None
