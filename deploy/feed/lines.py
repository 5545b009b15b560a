"""Lines out of chunks, without keeping more than one of them."""

from collections.abc import Iterable, Iterator

LONGEST = 1024 * 1024


class TooLarge(Exception):
    """There is more of it than was allowed."""


def limited(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield chunks up to ``most`` bytes; TooLarge behind that."""
    taken = 0
    for chunk in chunks:
        taken += len(chunk)
        if taken > most:
            raise TooLarge
        yield chunk


def lines(chunks: Iterable[bytes], longest: int = LONGEST) -> Iterator[tuple[int, bytes | None]]:
    """Yield number (from 1) and line, without its end; None for one that is longer than ``longest`` bytes."""
    number, kept, skipping = 1, b"", False
    for chunk in chunks:
        *whole, kept = (kept + chunk).split(b"\n")
        for line in whole:
            yield number, None if skipping or len(line) > longest else line
            number, skipping = number + 1, False
        if len(kept) > longest:
            kept, skipping = b"", True
    if kept or skipping:
        yield number, None if skipping else kept
