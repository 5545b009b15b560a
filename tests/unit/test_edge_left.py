"""The places that were given back, as one process remembers them."""

from hypothesis import given
from hypothesis import strategies as st

from edge.line.left import LeftTickets


@given(st.sets(st.integers(1, 500)), st.sets(st.integers(1, 500)))
def test_a_place_is_known_from_the_bits_or_from_here(elsewhere: set[int], here: set[int]) -> None:
    left = LeftTickets()
    for place in here:
        left.add(place)
    bits = bytearray(63)
    for place in elsewhere:  # as SETBIT does
        bits[place // 8] |= 0x80 >> place % 8
    left.read(1, 0, bytes(bits), now=0)
    assert {place for place in range(1, 2000) if left.has(place)} == elsewhere | here


def test_the_bits_are_read_again_when_others_left_and_at_most_once_a_second() -> None:
    left = LeftTickets()
    assert left.behind(1, 0, now=0)
    left.read(1, 0, b"", now=0)
    assert not left.behind(1, 0, now=100)
    assert not left.behind(1, 1, now=0.5)
    assert left.behind(1, 1, now=1.5)
    assert left.behind(2, 0, now=1.5)


def test_what_was_given_back_in_an_old_line_says_nothing_of_a_new_one() -> None:
    left = LeftTickets()
    left.read(1, 0, b"", now=0)
    left.add(7)
    left.read(1, 0, b"", now=0)
    assert left.has(7), "the bits may be a moment older than what was given back here"
    left.read(2, 0, b"", now=0)
    assert not left.has(7)
