"""A page rendered once and filled often: what differs from visitor to visitor is cut out beforehand."""

import re
from collections.abc import Mapping

from markupsafe import escape

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: no text has them, no escaping touches them
_MARK = re.compile(f"{_OPEN}([a-z_]+){_CLOSE}")
_SPECIAL = re.compile("[&<>'\"]")


class Slots:
    """Stands for the values while the shell is rendered: ``{{ slot.place }}`` leaves a mark called ``place``."""

    def __getattr__(self, name: str) -> str:
        return f"{_OPEN}{name}{_CLOSE}"


class Shell:
    """The fixed parts of a rendered page, encoded, and the names of what comes between them."""

    def __init__(self, html: str) -> None:
        parts = _MARK.split(html)
        self._pieces = [part.encode() for part in parts]
        self._names = parts[1::2]

    def fill(self, values: Mapping[str, object]) -> bytes:
        """Return the page; every text is escaped. KeyError where a value is missing."""
        filling = [str(values[name]) for name in self._names]
        if _SPECIAL.search("".join(filling)):  # seldom: they are numbers and times
            filling = [str(escape(each)) for each in filling]
        pieces = self._pieces.copy()
        pieces[1::2] = [each.encode() for each in filling]
        return b"".join(pieces)
