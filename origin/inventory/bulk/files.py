"""Files of supply: CSV as spreadsheets write it, or NDJSON. Read once, line by line, in bounded memory."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from origin.inventory.bulk.fault_kinds import FaultKind, Given
from origin.inventory.bulk.faults import Fault, FileRefused
from origin.inventory.bulk.rows import KINDS, Kind, kind_of, nearest_kind

_LONGEST_LINE = 1 << 16
_DELIMITERS = ",;\t"
_NOT_TEXT = {
    b"PK\x03\x04": FaultKind.ENCODING_ARCHIVE,
    b"\xd0\xcf\x11\xe0": FaultKind.ENCODING_SPREADSHEET,
    b"\xff\xfe": FaultKind.ENCODING_UTF16,
    b"\xfe\xff": FaultKind.ENCODING_UTF16,
    b"\x1f\x8b": FaultKind.ENCODING_COMPRESSED,
}
_COLUMNS = {
    (False, "missing"): FaultKind.COLUMNS_NEAREST_MISSING,
    (False, "unknown"): FaultKind.COLUMNS_NEAREST_UNKNOWN,
    (False, "missing", "unknown"): FaultKind.COLUMNS_NEAREST_BOTH,
    (True, "missing"): FaultKind.COLUMNS_READ_MISSING,
    (True, "unknown"): FaultKind.COLUMNS_READ_UNKNOWN,
    (True, "missing", "unknown"): FaultKind.COLUMNS_READ_BOTH,
}
_JSON_ROW = msgspec.json.Decoder(dict[str, str | int | float | bool | list[str | int] | None])

Row = tuple[int, Mapping[str, str] | Fault]
"""A line number, and its cells or what is wrong with it as a whole."""


class SupplyFile:
    """A file whose kind is told by its columns; it is one of ``kinds``.

    A byte order mark, semicolons or tabs between cells, a first line ``sep=;`` and empty lines are all right.

    Raises:
        FileRefused: when opened, or on the way: no UTF-8, no table, columns of no kind.
    """

    kinds: Sequence[Kind] = KINDS

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.size = 0
        self.rows = 0
        self.seen = 0  # bytes
        self._digest = sha256()
        try:
            self._file = path.open("rb")
            self.size = path.stat().st_size
        except OSError as error:
            raise FileRefused(self._fault(0, FaultKind.UNREADABLE, error=error.strerror or "?")) from None
        try:
            self._lines = self._decoded()
            number, first = self._first()
            self._rows = self._parsed(number, first)
            self._begun = next(self._rows, None)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    kind: Kind  # known once opened

    @property
    def sha256(self) -> str:
        """The digest of what has been read: of the file, once all rows were."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Row]:
        for row in chain([] if self._begun is None else [self._begun], self._rows):
            self.rows += 1
            yield row

    def _fault(self, line: int, kind: FaultKind, /, **given: Given) -> Fault:
        return Fault.of(kind, self.name, line, **given)

    def _decoded(self) -> Iterator[str]:
        for number in count(1):
            raw = self._file.readline(_LONGEST_LINE + 1)
            if not raw:
                return
            if len(raw) > _LONGEST_LINE:
                raise FileRefused(self._fault(number, FaultKind.LINE_TOO_LONG))
            self._digest.update(raw)
            self.seen += len(raw)
            if number == 1:
                self._expect_text(raw)
            try:
                yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise FileRefused(self._fault(number, FaultKind.ENCODING)) from None

    def _expect_text(self, raw: bytes) -> None:
        for mark, kind in _NOT_TEXT.items():
            if raw.startswith(mark):
                raise FileRefused(self._fault(0, kind))

    def _first(self) -> tuple[int, str]:
        for number, line in enumerate(self._lines, 1):
            if line.strip() and not line.lower().startswith("sep="):
                return number, line
        raise FileRefused(self._fault(0, FaultKind.NO_ROWS))

    def _parsed(self, number: int, first: str) -> Iterator[Row]:
        """Return the rows, by what the first line that is not empty looks like."""
        is_json = first.lstrip().startswith(("{", "["))
        return self._objects(number, first) if is_json else self._cells(number, first)

    def _settle(self, columns: list[str], line: int) -> None:
        twice = sorted({each for each in columns if columns.count(each) > 1})
        if twice:
            raise FileRefused(self._fault(line, FaultKind.COLUMNS_TWICE, columns=", ".join(twice)))
        known = kind_of(frozenset(columns), self.kinds)
        if known is None:
            raise FileRefused(self._columns(line, frozenset(columns)))
        self.kind = known

    def _cells(self, number: int, header: str) -> Iterator[Row]:
        delimiter = max(_DELIMITERS, key=header.count)
        table = csv.reader(chain([header], self._lines), delimiter=delimiter, strict=True)
        try:
            columns = [cell.strip().lower() for cell in next(table)]
        except csv.Error as error:
            raise FileRefused(self._fault(number, FaultKind.MALFORMED_ROW, error=str(error))) from None
        while columns and not columns[-1]:
            columns.pop()  # spreadsheets leave empty cells behind the last column
        self._settle(columns, number)
        while True:
            line = number + table.line_num
            try:
                row = next(table)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, self._fault(line, FaultKind.MALFORMED_ROW, error=str(error))
                continue
            if any(cell.strip() for cell in row):
                yield line, self._named(columns, row, line)

    def _named(self, columns: list[str], row: list[str], line: int) -> Mapping[str, str] | Fault:
        if len(row) < len(columns) or any(row[len(columns) :]):
            return self._fault(line, FaultKind.CELLS, cells=len(row), columns=len(columns))
        return {column: cell.strip() for column, cell in zip(columns, row, strict=False)}

    def _objects(self, number: int, first: str) -> Iterator[Row]:
        settled = False
        for line, text in enumerate(chain([first], self._lines), number):
            if not text.strip():
                continue
            row = self._object(text, line)
            if not settled:
                if isinstance(row, Fault):
                    raise FileRefused(row)
                self._settle([*row], line)
                settled = True
            yield line, row if isinstance(row, Fault) else self._whole(row, line)

    def _whole(self, row: Mapping[str, str], line: int) -> Mapping[str, str] | Fault:
        """Return an object if it has the fields that its kind needs, and no others."""
        if set(self.kind.required) <= row.keys() <= self.kind.columns:
            return row
        return self._columns(line, frozenset(row), self.kind)

    def _columns(self, line: int, columns: frozenset[str], kind: Kind | None = None) -> Fault:
        """Return what is wrong with columns, as those of a kind of file, or of the one that was probably meant."""
        meant = kind or nearest_kind(columns, self.kinds)
        found = {"missing": set(meant.required) - columns, "unknown": columns - meant.columns}
        given = {name: ", ".join(sorted(each)) for name, each in found.items() if each}
        return self._fault(line, _COLUMNS[kind is not None, *given], table=meant.name, **given)

    def _object(self, text: str, line: int) -> Mapping[str, str] | Fault:
        try:
            given = _JSON_ROW.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return self._fault(line, FaultKind.MALFORMED_JSON)
        return {name.lower(): _as_cell(value) for name, value in given.items() if value is not None}


def _as_cell(value: str | float | bool | list[str | int]) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(str(each) for each in value)
        case _:
            return str(value).strip()
