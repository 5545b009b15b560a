"""A file of a feed on its way out: packed, on disk, without a name, gone with its last reader."""

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Iterable
from hashlib import blake2b
from tempfile import TemporaryFile

import msgspec

_CHUNK = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_encode_lines = msgspec.json.Encoder().encode_lines


class Spool:
    """Takes lines, then gives them out any number of times. Memory does not grow with it.

    ``tag`` is an entity tag of the lines, weak: packed or not, it is the same.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="vestibule-feed-")  # noqa: SIM115  # it outlives any block
        self._packer = zlib.compressobj(level=1, wbits=_GZIP)
        self._hash = blake2b(digest_size=12)
        self.length = 0
        self.tag = ""

    async def add(self, resources: Iterable[object]) -> None:
        """Write resources, one a line. They are made, encoded and packed off the event loop."""
        await asyncio.to_thread(self._add, resources)

    async def seal(self) -> None:
        """End it; now it can be read."""
        await asyncio.to_thread(self._seal)

    def _add(self, resources: Iterable[object]) -> None:
        lines = _encode_lines(list(resources))
        self._hash.update(lines)
        self._file.write(self._packer.compress(lines))

    def _seal(self) -> None:
        self._file.write(self._packer.flush())
        self._file.flush()
        self.length = self._file.tell()
        self.tag = f'W/"{self._hash.hexdigest()}"'

    def close(self) -> None:
        """Give it up; who reads now reads on to the end."""
        self._file.close()

    def reader(self) -> "Reader":
        """Return one reading of it, to be closed."""
        return Reader(os.dup(self._file.fileno()), self.length)


class Reader:
    """One reading, to be closed. It holds the file open, whatever becomes of the spool."""

    def __init__(self, descriptor: int, length: int) -> None:
        self._descriptor = descriptor
        self._length = length

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    async def packed(self) -> AsyncIterator[bytes]:
        """Yield it in gzip's format."""
        for offset in range(0, self._length, _CHUNK):
            yield await asyncio.to_thread(os.pread, self._descriptor, _CHUNK, offset)

    async def plain(self) -> AsyncIterator[bytes]:
        """Yield the lines, some 256 kB at a time however well they were packed."""
        unpacker = zlib.decompressobj(_GZIP)
        async for chunk in self.packed():
            waiting = chunk
            while waiting:
                yield await asyncio.to_thread(unpacker.decompress, waiting, _CHUNK)
                waiting = unpacker.unconsumed_tail
