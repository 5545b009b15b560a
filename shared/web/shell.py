"""A page rendered once and filled often: what differs from visitor to visitor is cut out beforehand."""

import re
import zlib
from collections.abc import Mapping
from struct import Struct
from typing import Literal

from markupsafe import escape
from starlette.responses import Response

from shared.web.languages import LANGUAGES, headers

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: no text has them, no escaping touches them
_MARK = re.compile(f"{_OPEN}([a-z_]+){_CLOSE}")
_SPECIAL = re.compile("[&<>'\"]")
_GZIP_BEGIN = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # RFC 1952: deflate, no name, no time
_DEFLATE_END = b"\x01\x00\x00\xff\xff"  # RFC 1951: the last block, stored and empty
_STORED_MOST = 0xFFFF
_STORED = Struct("<BHH")  # not the last block, its size, and the same with all bits turned

Encoding = Literal["", "gzip"]


class Slots:
    """Stands for the values while the shell is rendered: ``{{ slot.place }}`` leaves a mark called ``place``."""

    def __getattr__(self, name: str) -> str:
        return f"{_OPEN}{name}{_CLOSE}"


class Shell:
    """The fixed parts of a rendered page, encoded and compressed, and the names of what comes between them.

    A part is compressed once, by itself; what comes between is stored between the parts as it is. So a compressed page
    costs hardly more than a plain one, and its length says nothing of what it holds for one visitor.
    """

    def __init__(self, html: str) -> None:
        parts = _MARK.split(html)
        self._names = parts[1::2]
        self._pieces = [part.encode() for part in parts]
        self._packed = [_deflated(piece) for piece in self._pieces]
        self._packed[0] = _GZIP_BEGIN + self._packed[0]

    def fill(self, values: Mapping[str, object], encoding: Encoding = "") -> bytes:
        """Return the page; every text is escaped. KeyError where a value is missing."""
        filling = list(map(str, map(values.__getitem__, self._names)))
        if _SPECIAL.search("".join(filling)):  # seldom: they are numbers and times
            filling = [str(escape(each)) for each in filling]
        encoded = list(map(str.encode, filling))
        pieces = self._pieces.copy()
        pieces[1::2] = encoded
        plain = b"".join(pieces)
        if not encoding:
            return plain
        packed = self._packed.copy()
        packed[1::2] = [_stored(each) for each in encoded]
        check = zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
        return b"".join((*packed, _DEFLATE_END, check))


class Page(Response):
    """A page of a language that is encoded already; never cached."""

    def __init__(self, language: str, html: bytes, status: int = 200, encoding: Encoding = "") -> None:
        self.status_code = status
        self.background = None
        self.body = html
        self.raw_headers = [(b"content-length", b"%d" % len(html)), *_HEADERS[language, encoding]]


def _headers(language: str, encoding: Encoding) -> list[tuple[bytes, bytes]]:
    told = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"} | headers(language)
    told["Vary"] += ", Accept-Encoding"
    if encoding:
        told["Content-Encoding"] = encoding
    return [(name.lower().encode(), value.encode()) for name, value in told.items()]


_ENCODINGS: tuple[Encoding, ...] = ("", "gzip")
_HEADERS = {(code, encoding): _headers(code, encoding) for code in LANGUAGES for encoding in _ENCODINGS}


def _deflated(piece: bytes) -> bytes:
    """Return whole blocks, ending on a byte, which are not the last."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)


def _stored(text: bytes) -> bytes:
    """Return blocks that hold a text as it is (RFC 1951, 3.2.4)."""
    size = len(text)
    if size <= _STORED_MOST:
        return _STORED.pack(0, size, size ^ _STORED_MOST) + text
    return _stored(text[:_STORED_MOST]) + _stored(text[_STORED_MOST:])
