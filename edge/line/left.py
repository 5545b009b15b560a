"""Which tickets were given back, kept in memory so that asking where one stands needs no store. Pure."""

_READ_EVERY_S = 1.0


class LeftTickets:
    """A lane's numbers that were given back, as of a second ago over all edges, and as of now over this one."""

    def __init__(self) -> None:
        self._bits = b""
        self._counted = (0, 0)  # epoch, tickets given back
        self._read_at = float("-inf")
        self._lately: set[int] = set()

    def has(self, number: int) -> bool:
        """Whether the number was given back, as far as this process knows."""
        return number in self._lately or self._has_bit(number)

    def add(self, number: int) -> None:
        """Note a number that is given back here and now."""
        self._lately.add(number)

    def behind(self, epoch: int, left: int, now: float) -> bool:
        """Whether to read the bits again: others were given back, and the last reading is a second old."""
        return (epoch, left) != self._counted and now - self._read_at > _READ_EVERY_S

    def read(self, epoch: int, left: int, bits: bytes, now: float) -> None:
        """Take over the bits, read after so many were given back."""
        if self._counted[0] not in {0, epoch}:
            self._lately.clear()
        self._bits, self._counted, self._read_at = bits, (epoch, left), now
        self._lately = {number for number in self._lately if not self._has_bit(number)}

    def _has_bit(self, number: int) -> bool:
        byte = number >> 3
        return byte < len(self._bits) and bool(self._bits[byte] & (0x80 >> (number & 7)))
