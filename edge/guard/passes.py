"""Cohort passes: what a letter carries so that one person may stand in one lane, once. Pure.

28 symbols of Crockford's base 32, in groups of four: ``BBBB-BBBB-NNNN-MMMM-MMMM-MMMM-MMMM``. B is the batch, N the
number within it, in base 32 as well, and M the first 80 bits of
``HMAC-SHA-256(key, json([room, lane, batch, n]))``, where the key is derived from the ring that signs tickets.

Neither room, lane nor key is in the text, for people type it, and there are so few of each that opening tries them all,
at a few µs each. A pass of another room or lane can therefore not be told from a mistyped one; it opens nothing here.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Literal

import msgspec

from edge import base32
from shared.keys import KeyRing

PassReason = Literal["malformed", "bad_signature"]
PASS_REASONS: tuple[PassReason, ...] = ("malformed", "bad_signature")

MAX_NUMBER = 2**20 - 1  # four symbols

_SYMBOLS = base32.SYMBOLS
_LETTERS = _SYMBOLS[10:]
BATCH_PATTERN = f"^[{_LETTERS}][{_SYMBOLS}]{{7}}$"
_VALUES = {symbol: value for value, symbol in enumerate(_SYMBOLS)}
_BATCH_LENGTH, _MAC_LENGTH, _LENGTH = 8, 16, 28
_GROUP = 4
_MAC_BYTES = _MAC_LENGTH * 5 // 8
_PASS = re.compile(f"[{_SYMBOLS}]{{{_LENGTH}}}")
_BATCH = re.compile(BATCH_PATTERN)


class PassRefused(Exception):
    """A text that opens no lane.

    ``reason`` is one of ``PASS_REASONS``: ``malformed`` has another form than a pass; ``bad_signature`` was mistyped or
    made up, is of another room or lane, or was signed with a key that has been dropped.
    """

    def __init__(self, reason: PassReason) -> None:
        super().__init__(reason)
        self.reason: PassReason = reason


class Pass(msgspec.Struct, frozen=True):
    """The ``n``-th pass of a batch.

    ``ticket_id`` is the id of every ticket that this pass is ever worth: unguessable, and the same on every edge, in
    every line, under every key that signs later. Its admission token therefore has one id, which the origin takes once.
    """

    lane: str
    batch: str
    n: int
    ticket_id: str


class Passes:
    """Issues and opens the passes of all rooms.

    A pass lives as long as its key is in the ring, whichever key signs now.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._edition = ring.edition
        self._keys = _derived(ring)

    def issue(self, room: str, lane: str, batch: str, n: int) -> str:
        """Return the text of a pass, as it is printed; some 5 µs.

        Raises:
            ValueError: ``batch`` is none, or ``n`` not between 1 and ``MAX_NUMBER``.
        """
        if not _BATCH.fullmatch(batch):
            raise ValueError(f"{batch!r} is no batch")
        if not 1 <= n <= MAX_NUMBER:
            raise ValueError(f"{n} is not a number between 1 and {MAX_NUMBER}")
        key, _ = self._known()[0]
        symbols = batch + _number(n) + _mac(key, _signed(room, lane, batch, n))
        return base32.grouped(symbols, _GROUP)

    def open(self, text: str, room: str, lanes: Sequence[str]) -> Pass:
        """Return the pass that ``text`` is for one of the ``lanes`` of ``room``.

        Typing is forgiven: case, O for 0, I and L for 1, digits of other scripts, and dashes and spaces anywhere.

        Raises:
            PassRefused: with the first reason that applies, in the order of ``PASS_REASONS``.
        """
        symbols = base32.meant(text)
        if not _PASS.fullmatch(symbols):
            raise PassRefused("malformed")
        batch, n = symbols[:_BATCH_LENGTH], _value(symbols[_BATCH_LENGTH:-_MAC_LENGTH])
        mac = symbols[-_MAC_LENGTH:]
        for lane in lanes:
            signed = _signed(room, lane, batch, n)
            for key, ticket_key in self._known():
                if hmac.compare_digest(_mac(key, signed), mac):
                    return Pass(lane, batch, n, _ticket_id(ticket_key, signed))
        raise PassRefused("bad_signature")

    def _known(self) -> list[tuple[bytes, bytes]]:
        if self._edition != self._ring.edition:  # a key may be gone
            self._edition = self._ring.edition
            self._keys = _derived(self._ring)
        return self._keys


def batch_of(seed: str) -> str:
    """Return a new batch made of 16 or more random bytes, as ``shared.ids`` draws them; 39 bits of them are left.

    It begins with a letter, so that no spreadsheet takes it for a number.
    """
    digest = hashlib.sha256(b"vestibule batch\x00" + seed.encode()).digest()
    return _LETTERS[int.from_bytes(digest[5:9], "big") % len(_LETTERS)] + base32.encode(digest[:5])[1:]


def read_batch(text: str) -> str:
    """Return the batch that a person has typed, as forgiving as ``Passes.open``.

    Raises:
        ValueError: it is none.
    """
    symbols = base32.meant(text)
    if not _BATCH.fullmatch(symbols):
        raise ValueError(f"{text!r} is no batch: it is the first two groups of a pass")
    return symbols


def _derived(ring: KeyRing) -> list[tuple[bytes, bytes]]:
    """For each key of the ring, the one that signs first: what signs passes, and what makes ticket ids of them."""
    kids = [ring.current, *(kid for kid in ring.kids if kid != ring.current)]
    keys = [key for kid in kids if (key := ring.get(kid)) is not None]
    return [(_derive(key, b"pass"), _derive(key, b"pass ticket")) for key in keys]


def _derive(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, b"vestibule:" + purpose, "sha256")


def _signed(room: str, lane: str, batch: str, n: int) -> bytes:
    return msgspec.json.encode((room, lane, batch, n))  # no two different passes have the same bytes


def _mac(key: bytes, signed: bytes) -> str:
    return base32.encode(hmac.digest(key, signed, "sha256")[:_MAC_BYTES])


def _ticket_id(key: bytes, signed: bytes) -> str:
    return urlsafe_b64encode(hmac.digest(key, signed, "sha256")[:18]).decode()


def _number(n: int) -> str:
    return _SYMBOLS[n >> 15] + _SYMBOLS[n >> 10 & 31] + _SYMBOLS[n >> 5 & 31] + _SYMBOLS[n & 31]


def _value(symbols: str) -> int:
    value = 0
    for symbol in symbols:
        value = value * 32 + _VALUES[symbol]
    return value
