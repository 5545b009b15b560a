"""Small signed notes that a browser brings back: that it has been here before, and that it was asked to wait. Pure."""

from typing import Annotated, Literal

import msgspec

from edge.guard.once import Mark
from shared.clock import Clock
from shared.keys import KeyRing
from shared.signing import Sealer, SignatureRefused

NoteReason = Literal["malformed", "unknown_key", "bad_signature", "wrong_room", "expired", "too_early"]


class NoteRefused(Exception):
    """A note that says nothing here; ``wait_s`` is how long one that is too early still has to wait."""

    def __init__(self, reason: NoteReason, wait_s: int = 0) -> None:
        super().__init__(reason)
        self.reason: NoteReason = reason
        self.wait_s = wait_s


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: Literal[1]
    kid: str
    room: Annotated[str, msgspec.Meta(max_length=32)]
    batch: str
    n: int
    good_from: int
    good_until: int


class Notes:
    """Notes for one purpose, signed with the ring that signs tickets. Each is worth a place only once: see ``Mark``."""

    def __init__(self, purpose: str, ring: KeyRing, *, clock: Clock, lives_s: int) -> None:
        self._sealer = Sealer(_Note, ring, purpose)
        self._clock = clock
        self.lives_s = lives_s

    def write(self, *, room: str, mark: Mark, wait_s: int = 0) -> str:
        """Return the text of a note that is good from ``wait_s`` seconds on, for as long as notes live."""
        good_from = int(self._clock.unix()) + wait_s
        return self._sealer.seal(
            _Note(1, self._sealer.kid, room, mark.batch, mark.n, good_from, good_from + self.lives_s)
        )

    def read(self, text: str, *, room: str) -> Mark:
        """Return the mark of a note, which is still to be spent.

        Raises:
            NoteRefused: it is forged, of another room, too old, or too early.
        """
        try:
            note = self._sealer.open(text)
        except SignatureRefused as refused:
            raise NoteRefused(refused.reason) from None
        now = self._clock.unix()
        if note.room != room:
            raise NoteRefused("wrong_room")
        if now >= note.good_until:
            raise NoteRefused("expired")
        if now < note.good_from:
            raise NoteRefused("too_early", int(note.good_from - now) + 1)
        return Mark(note.batch, note.n)
