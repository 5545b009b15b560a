"""Who joined before the opening is lined up by lot, and anyone can draw again. Pure: seed and entries in, places out.

A seed of 32 random bytes is drawn when the room is made, and its SHA-256, the commitment, is published at once; the
seed follows at the opening, with the number of entries of each lane. Each lane is a draw of its own: a permutation of
1 … entries, under a key made of the seed and of everything that names the draw, the number of entries included: one
entry more is another draw altogether.

Exactly, so that it can be written again in any language (``docs/lottery.md`` tells the same, with test vectors).
Numbers are unsigned, most significant byte first; ``HMAC`` is HMAC-SHA-256 (RFC 2104, FIPS 180-4):

- ``key = HMAC(seed, description)``; the description is the canonical JSON (RFC 8785, UTF-8, no spaces) of the array
  ``["vestibule:lottery:1", room, epoch, lane, entries]``: three texts, two numbers, in this order.
- ``half`` is the smallest number of bits, 5 or more, with ``entries ≤ 2^(2·half)``.
- ``f(round, value) = first 4 bytes of HMAC(key, byte round ‖ 4 bytes value) mod 2^half``.
- To place an entry: ``x = entry - 1``. Four rounds of a balanced Feistel network (Luby and Rackoff 1988): with
  ``left, right`` the upper and lower ``half`` bits of ``x``, for ``round`` = 0, 1, 2, 3:
  ``left, right = right, left XOR f(round, right)``. Then ``x = left·2^half + right``. While ``x ≥ entries``, the four
  rounds again (cycle walking: Black and Rogaway 2002). ``place = x + 1``.

Four rounds over fewer than ten bits would be a permutation still, but no fair one: among five entries, one would get
some place a third more often than a fifth of the time. With ten, a million draws show no difference.
"""

import hashlib
import hmac

import rfc8785

SEED_BYTES = 32
MAX_ENTRIES = 2**32 - 1  # as many as a line has places
_PURPOSE = "vestibule:lottery:1"
_ROUNDS = 4
_MIN_HALF_BITS = 5


def commitment(seed: bytes) -> str:
    """Return what is published before the first entry: the seed's SHA-256, in lower-case hexadecimal.

    Raises:
        ValueError: the seed is not 32 bytes long.
    """
    return hashlib.sha256(_checked(seed)).hexdigest()


def place(seed: bytes, *, room: str, epoch: int, lane: str, entries: int, entry: int) -> int:
    """Return the place of one entry; for more than one, keep the ``Draw``."""
    return Draw(seed, room=room, epoch=epoch, lane=lane, entries=entries).place(entry)


def entry(seed: bytes, *, room: str, epoch: int, lane: str, entries: int, place: int) -> int:
    """Return the entry that got one place: the inverse of ``place``."""
    return Draw(seed, room=room, epoch=epoch, lane=lane, entries=entries).entry(place)


class Draw:
    """The draw of one lane: every entry has exactly one place of 1 … entries, and every place one entry.

    Remembers what its rounds have answered, at most 4·2^half numbers: 4,096 for a million entries, a quarter of a
    million for the largest draw there is. From then on a place costs about a microsecond.

    Raises:
        ValueError: the seed is not 32 bytes long, or there are no entries, or more than ``MAX_ENTRIES``.
    """

    def __init__(self, seed: bytes, *, room: str, epoch: int, lane: str, entries: int) -> None:
        if not 1 <= entries <= MAX_ENTRIES:
            raise ValueError(f"a draw has 1 to {MAX_ENTRIES} entries, not {entries}")
        self.entries = entries
        description = rfc8785.dumps([_PURPOSE, room, epoch, lane, entries])
        self._key = hmac.digest(_checked(seed), description, "sha256")
        self._half = max(_MIN_HALF_BITS, ((entries - 1).bit_length() + 1) // 2)
        self._low = (1 << self._half) - 1
        self._answers: tuple[dict[int, int], ...] = tuple({} for _ in range(_ROUNDS))

    def place(self, entry: int) -> int:
        """Return the place, 1 … entries, of an entry.

        Raises:
            ValueError: there is no such entry.
        """
        number = self._known("entry", entry)
        while (number := self._forth(number)) >= self.entries:
            pass
        return number + 1

    def entry(self, place: int) -> int:
        """Return the entry, 1 … entries, that got a place.

        Raises:
            ValueError: there is no such place.
        """
        number = self._known("place", place)
        while (number := self._back(number)) >= self.entries:
            pass
        return number + 1

    def _known(self, what: str, number: int) -> int:
        if not 1 <= number <= self.entries:
            raise ValueError(f"there is no {what} {number} in a draw of {self.entries}")
        return number - 1

    def _forth(self, number: int) -> int:
        left, right = number >> self._half, number & self._low
        for step, answers in enumerate(self._answers):
            answer = answers.get(right)
            left, right = right, left ^ (self._ask(step, right) if answer is None else answer)
        return left << self._half | right

    def _back(self, number: int) -> int:
        left, right = number >> self._half, number & self._low
        for step in reversed(range(_ROUNDS)):
            answer = self._answers[step].get(left)
            left, right = right ^ (self._ask(step, left) if answer is None else answer), left
        return left << self._half | right

    def _ask(self, step: int, value: int) -> int:
        mac = hmac.digest(self._key, step.to_bytes(1, "big") + value.to_bytes(4, "big"), "sha256")
        answer = self._answers[step][value] = int.from_bytes(mac[:4], "big") & self._low
        return answer


def _checked(seed: bytes) -> bytes:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed is {SEED_BYTES} bytes long, not {len(seed)}")
    return seed
