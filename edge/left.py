"""Which places were given back, kept in memory so that asking where one stands needs no store. Pure."""

from edge.room import Picture

_READ_EVERY_S = 1.0


class LeftPlaces:
    """Which places were given back, as of a second ago over all edges, and as of now over this one."""

    def __init__(self) -> None:
        self._bits = b""
        self._counted = (0, 0)  # epoch, places given back
        self._read_at = float("-inf")
        self._lately: set[int] = set()

    def has(self, place: int) -> bool:
        """Whether the place was given back, as far as this process knows."""
        return place in self._lately or self._has_bit(place)

    def add(self, place: int) -> None:
        """Note a place that is given back here and now."""
        self._lately.add(place)

    def behind(self, picture: Picture, now: float) -> bool:
        """Whether to read the bits again: others were given back, and the last reading is a second old."""
        return (picture.epoch, picture.left) != self._counted and now - self._read_at > _READ_EVERY_S

    def read(self, picture: Picture, bits: bytes, now: float) -> None:
        """Take over the bits, read after ``picture``."""
        self._bits, self._counted, self._read_at = bits, (picture.epoch, picture.left), now
        self._lately = {place for place in self._lately if not self._has_bit(place)}

    def _has_bit(self, place: int) -> bool:
        byte = place >> 3
        return byte < len(self._bits) and bool(self._bits[byte] & (0x80 >> (place & 7)))
