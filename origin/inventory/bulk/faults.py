"""What is wrong with supply files: where, with which stable code, in plain words."""

from collections import Counter
from typing import Self

import msgspec

from origin.inventory.bulk.fault_kinds import FaultKind, Given


class Fault(msgspec.Struct, frozen=True):
    """One thing to mend. ``line`` counts from 1, 0 is the whole file; ``field`` is empty where none is meant.

    ``kind`` is as fine as the sentence, of which ``code`` may have several; ``given``: what the sentence is about.
    """

    file: str
    line: int
    field: str
    code: str
    what: str
    kind: str = ""  # reports that were kept before there were kinds have none
    given: dict[str, Given] = {}

    @classmethod
    def of(cls, kind: FaultKind, file: str, line: int = 0, field: str = "", /, **given: Given) -> Self:
        """Return a fault of a kind, with what its sentence is about."""
        return cls(file, line, field, kind.code, kind.said(given), kind.id, given)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where} {self.field or '-'} {self.code}: {self.what}"


class FileRefused(Exception):
    """A file that cannot be read to its end."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Faults:
    """All faults are counted, the first of them kept: a file of a million bad rows is told in bounded memory."""

    def __init__(self, keep: int) -> None:
        self.kept: list[Fault] = []
        self.counts: Counter[str] = Counter()
        self._keep = keep

    def add(self, fault: Fault) -> None:
        """Count a fault."""
        self.counts[fault.code] += 1
        if len(self.kept) < self._keep:
            self.kept.append(fault)

    def __len__(self) -> int:
        return self.counts.total()
