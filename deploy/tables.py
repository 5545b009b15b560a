"""How commands print tables: as wide as the terminal is, what is too long folded, and nothing that moves a cursor."""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text


def console() -> Console:
    """Return where tables are shown: standard output, in no colours that nobody asked for."""
    return Console(highlight=False)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Collection[str] = ()) -> Table:
    """Return rows under their titles; the columns of ``numbers`` stand on the right."""
    drawn = Table(box=None, pad_edge=False)
    for title in titles:
        drawn.add_column(title, justify="right" if title in numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(plain(str(value))) for value in row))
    return drawn


def facts(told: Iterable[tuple[str, object]]) -> Table:
    """Return what is told of one thing: a line each, with its label."""
    drawn = Table.grid(padding=(0, 2))
    for label, value in told:
        drawn.add_row(Text(label, style="bold"), Text(plain(str(value)), overflow="fold"))
    return drawn


def moment(at: datetime) -> str:
    """Return a moment to the second, on its own clock."""
    return at.replace(tzinfo=None).isoformat(" ", "seconds")


def plain(text: str) -> str:
    """Return text that moves no cursor and changes no colours, whoever has written it."""
    return "".join(ascii(letter)[1:-1] if unicodedata.category(letter) == "Cc" else letter for letter in text)
