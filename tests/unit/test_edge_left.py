"""The places that were given back, as one process remembers them."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge.left import LeftPlaces
from edge.room import Picture

ROOM = msgspec.json.decode(
    b'{"state":"open","reason":"","epoch":1,"version":1,"rate":50,"burst":10,"window":30,"joined":9,"called":0,"answered":0,'
    b'"admitted":0,"left":0,"tokens":0,"show":1,"calls_per_s":50,"backlog":0,"healing":false,"at_us":1}',
    type=Picture,
)


@given(st.sets(st.integers(1, 500)), st.sets(st.integers(1, 500)))
def test_a_place_is_known_from_the_bits_or_from_here(elsewhere: set[int], here: set[int]) -> None:
    left = LeftPlaces()
    for place in here:
        left.add(place)
    bits = bytearray(63)
    for place in elsewhere:  # as SETBIT does
        bits[place // 8] |= 0x80 >> place % 8
    left.read(ROOM, bytes(bits), now=0)
    assert {place for place in range(1, 2000) if left.has(place)} == elsewhere | here


def test_the_bits_are_read_again_when_others_left_and_at_most_once_a_second() -> None:
    left = LeftPlaces()
    more = msgspec.structs.replace(ROOM, left=1)
    assert left.behind(ROOM, now=0)
    left.read(ROOM, b"", now=0)
    assert not left.behind(ROOM, now=100)
    assert not left.behind(more, now=0.5)
    assert left.behind(more, now=1.5)
    assert left.behind(msgspec.structs.replace(ROOM, epoch=2), now=1.5)
