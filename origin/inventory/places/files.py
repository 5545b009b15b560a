"""Files of places: a table of our columns, as supply is read, or GeoNames' postal codes as they are published."""

import re
from collections.abc import Iterator
from itertools import chain

from origin.inventory.bulk.fault_kinds import FaultKind
from origin.inventory.bulk.files import Row, SupplyFile
from origin.inventory.places.rows import PLACES, POSTAL

_POSTAL_ROW = re.compile(r"[A-Z]{2}(\t[^\t]*){11}")


class PlaceFile(SupplyFile):
    """A file of places; ``is_postal``: of GeoNames' postal codes, which have no line of column names."""

    kinds = (PLACES,)
    is_postal = False

    def _parsed(self, number: int, first: str) -> Iterator[Row]:
        if not _POSTAL_ROW.fullmatch(first.rstrip("\r\n")):
            return super()._parsed(number, first)
        self.kind, self.is_postal = POSTAL, True
        return self._postal(number, first)

    def _postal(self, number: int, first: str) -> Iterator[Row]:
        """Cells stand between tabs, and a quote is a letter like any other."""
        columns = POSTAL.required
        for line, text in enumerate(chain([first], self._lines), number):
            if not text.strip():
                continue
            row = text.rstrip("\r\n").split("\t")
            if len(row) == len(columns):
                yield line, {column: cell.strip() for column, cell in zip(columns, row, strict=True)}
            else:
                yield line, self._fault(line, FaultKind.CELLS, cells=len(row), columns=len(columns))
