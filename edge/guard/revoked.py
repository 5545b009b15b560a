"""Passes that were taken back: whole batches, or single numbers of one. Pure.

A small JSON document among the room's settings, for every edge carries those: ``{"K7Q2M9XD":null,"M3WZ80RT":[4,17]}``,
where null is the whole batch. The same revocations always have the same text.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated

import msgspec

from edge.guard.passes import BATCH_PATTERN, MAX_NUMBER

MAX_REVOKED = 4_000

_Batch = Annotated[str, msgspec.Meta(pattern=BATCH_PATTERN)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]
_Batches = dict[_Batch, Annotated[frozenset[_Number], msgspec.Meta(min_length=1)] | None]


class RevocationsError(Exception):
    """Revocations that cannot be; the message says why."""


class Revoked:
    """What has been taken back of one room; immutable.

    Raises:
        RevocationsError: a batch or a number that no pass has, or more than ``MAX_REVOKED`` of them.
    """

    def __init__(self, batches: Mapping[str, frozenset[int] | None] | None = None) -> None:
        try:
            self._batches = msgspec.convert(dict(batches or {}), _Batches)
        except msgspec.ValidationError as error:
            raise RevocationsError(f"no such pass: {error}") from None
        if len(self) > MAX_REVOKED:
            raise RevocationsError(
                f"{len(self)} batches and single passes would be revoked, at most {MAX_REVOKED} can be; "
                "revoke whole batches"
            )

    @classmethod
    def parse(cls, text: str) -> "Revoked":
        """Read the document; an empty text is none revoked.

        Raises:
            RevocationsError: it has another form, or is beyond the bound.
        """
        try:
            return cls(msgspec.json.decode(text or "{}", type=_Batches))
        except msgspec.DecodeError as error:
            raise RevocationsError(f"the revocations cannot be read: {error}") from None

    def encode(self) -> str:
        """Return the document that ``parse`` reads; empty where nothing is revoked."""
        return msgspec.json.encode(self._batches, order="sorted").decode() if self._batches else ""

    def has(self, batch: str, n: int) -> bool:
        """Whether this pass was taken back."""
        numbers = self._batches.get(batch, frozenset())
        return numbers is None or n in numbers

    def with_(self, batch: str, numbers: Iterable[int] | None) -> "Revoked":
        """Return these, and more: ``numbers`` of ``batch``, or with None all of it.

        Raises:
            RevocationsError: a batch or a number that no pass has, or more than ``MAX_REVOKED`` of them.
        """
        before = self._batches.get(batch, frozenset())
        after = None if numbers is None or before is None else before | frozenset(numbers)
        return Revoked(self._batches | {batch: after})

    def without(self, batch: str) -> "Revoked":
        """Return these, but for whatever was revoked of ``batch``: its passes are good again."""
        return Revoked({other: numbers for other, numbers in self._batches.items() if other != batch})

    def __len__(self) -> int:
        """How many are listed; a whole batch counts as one."""
        return sum(1 if numbers is None else len(numbers) for numbers in self._batches.values())


@lru_cache(maxsize=64)
def revoked(text: str) -> Revoked:
    """Return what ``Revoked.parse`` makes of a room's setting, which rarely changes and is asked for at every join."""
    return Revoked.parse(text)
