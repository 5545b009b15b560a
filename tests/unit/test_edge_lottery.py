"""The draw: each entry one place, the same for whoever draws again, and no entry better off than another."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from typing import TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.line import lottery
from edge.line.lottery import MAX_ENTRIES, Draw, commitment
from edge.line.room import MAX_PLACE

SEED = bytes(range(32))


class Named(TypedDict):
    room: str
    epoch: int
    lane: str


DEMO = Named(room="demo", epoch=1, lane="general")
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
seeds = st.binary(min_size=32, max_size=32)


def seed_of(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(4, "big")).digest()


def naive_place(seed: bytes, room: str, epoch: int, lane: str, entries: int, entry: int) -> int:
    """The documented layout once more, on texts of bits, sharing nothing with the code."""
    key = hmac.new(seed, f'["vestibule:lottery:1","{room}",{epoch},"{lane}",{entries}]'.encode(), "sha256").digest()
    width = next(bits for bits in range(10, 34, 2) if 2**bits >= entries)
    text = f"{entry - 1:0{width}b}"
    while True:
        for step in range(4):
            left, right = text[: width // 2], text[width // 2 :]
            asked = hmac.new(key, bytes([step]) + int(right, 2).to_bytes(4, "big"), "sha256").hexdigest()
            answer = f"{int(asked[:8], 16):032b}"[-(width // 2) :]
            text = right + "".join("01"[a != b] for a, b in zip(left, answer, strict=True))
        if int(text, 2) < entries:
            return int(text, 2) + 1


@pytest.mark.parametrize("entries", range(1, 301))
def test_each_entry_has_one_place_and_each_place_one_entry(entries: int) -> None:
    draw = Draw(SEED, **DEMO, entries=entries)
    everybody = range(1, entries + 1)
    places = [draw.place(entry) for entry in everybody]
    assert sorted(places) == list(everybody)
    assert [draw.entry(place) for place in places] == list(everybody)


@pytest.mark.parametrize("entries", [1023, 1024, 1025, 4096, 4097, 16_385])
def test_so_it_is_on_both_sides_of_each_width(entries: int) -> None:
    draw = Draw(SEED, **DEMO, entries=entries)
    assert len({draw.place(entry) for entry in range(1, entries + 1)}) == entries


@settings(derandomize=True)
@given(st.data(), seeds, names, st.integers(1, 2**31), names, st.integers(1, MAX_ENTRIES))
def test_whatever_is_drawn_can_be_turned_back(
    data: st.DataObject, seed: bytes, room: str, epoch: int, lane: str, entries: int
) -> None:
    draw = Draw(seed, room=room, epoch=epoch, lane=lane, entries=entries)
    entry = data.draw(st.integers(1, entries))
    place = draw.place(entry)
    assert 1 <= place <= entries
    assert draw.entry(place) == entry
    assert draw.place(draw.entry(entry)) == entry


@settings(derandomize=True)
@given(st.data(), seeds, names, st.integers(1, 2**31), names, st.integers(20, MAX_ENTRIES))
def test_anyone_draws_the_same_from_what_is_documented(
    data: st.DataObject, seed: bytes, room: str, epoch: int, lane: str, entries: int
) -> None:
    entry = data.draw(st.integers(1, entries))
    draw = Named(room=room, epoch=epoch, lane=lane)
    place = naive_place(seed, room, epoch, lane, entries, entry)
    assert lottery.place(seed, **draw, entries=entries, entry=entry) == place
    assert lottery.entry(seed, **draw, entries=entries, place=place) == entry


@pytest.mark.parametrize("entries", [1, 2, 3, 16, 17, 257])
def test_anyone_draws_the_same_in_small_rooms(entries: int) -> None:
    draw = Draw(SEED, **DEMO, entries=entries)
    assert draw.place(1) == naive_place(SEED, "demo", 1, "general", entries, 1)


def unevenness(entries: int, place: Callable[[int, int], int], draws: int) -> float:
    """The largest chi-square per degree of freedom over some entries: how often each place came, against evenly."""
    fair = draws / entries
    worst = 0.0
    for entry in range(1, min(entries, 5) + 1):
        came = Counter(place(number, entry) for number in range(draws))
        square = sum((came[each] - fair) ** 2 / fair for each in range(1, entries + 1))
        worst = max(worst, square / (entries - 1))
    return worst


def drawn(entries: int, draws: int) -> Callable[[int, int], int]:
    made = [Draw(seed_of(number), **DEMO, entries=entries) for number in range(draws)]
    return lambda number, entry: made[number].place(entry)


# The bounds are those that an even draw passes with a chance of 0.9999 (chi-square); the seeds are fixed.
@pytest.mark.parametrize(
    ("entries", "draws", "bound"), [(2, 500, 15.1), (3, 1000, 9.2), (5, 3000, 5.9), (17, 1000, 2.9), (40, 1000, 2.1)]
)
def test_over_many_seeds_an_entry_lands_everywhere_equally_often(entries: int, draws: int, bound: float) -> None:
    assert unevenness(entries, drawn(entries, draws), draws) < bound


def test_over_many_seeds_the_first_entry_of_many_lands_everywhere_equally_often() -> None:
    draws, parts, entries = 4000, 20, 1_000_000
    came = Counter(
        (Draw(seed_of(number), **DEMO, entries=entries).place(1) - 1) * parts // entries for number in range(draws)
    )
    assert sum((came[part] - draws / parts) ** 2 / (draws / parts) for part in range(parts)) / (parts - 1) < 2.7


def test_the_measure_finds_what_four_rounds_over_too_few_bits_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lottery, "_MIN_HALF_BITS", 1)
    assert unevenness(5, drawn(5, 3000), 3000) > 5.9


def test_over_many_seeds_nobody_is_before_another_more_often_than_behind() -> None:
    draws = 1000
    made = [Draw(seed_of(number), **DEMO, entries=6) for number in range(draws)]
    places = [[draw.place(entry) for entry in range(1, 7)] for draw in made]
    for one, other in combinations(range(6), 2):
        before = sum(line[one] < line[other] for line in places)
        assert abs(before - draws / 2) < 3.9 * (draws / 4) ** 0.5


def places(seed: bytes, named: Named, entries: int) -> list[int]:
    draw = Draw(seed, **named, entries=entries)
    return [draw.place(entry) for entry in range(1, 41)]


@pytest.mark.parametrize("at", range(32))
def test_another_byte_of_the_seed_is_another_draw(at: int) -> None:
    other = bytearray(SEED)
    other[at] ^= 1
    assert places(bytes(other), DEMO, 1000) != places(SEED, DEMO, 1000)
    assert commitment(bytes(other)) != commitment(SEED)


@pytest.mark.parametrize(
    ("named", "entries"),
    [
        (Named(room="demp", epoch=1, lane="general"), 1000),
        (Named(room="demo", epoch=2, lane="general"), 1000),
        (Named(room="demo", epoch=1, lane="generak"), 1000),
        (Named(room="demo", epoch=1, lane="general"), 1001),
        (Named(room="demo", epoch=1, lane="general"), 999),
    ],
    ids=["room", "epoch", "lane", "one more entry", "one fewer"],
)
def test_whatever_names_the_draw_belongs_to_the_key(named: Named, entries: int) -> None:
    before, after = places(SEED, DEMO, 1000), places(SEED, named, entries)
    assert sum(one == other for one, other in zip(before, after, strict=True)) <= 2, "all places are other ones"


def test_no_room_and_lane_are_mistaken_for_others_by_where_one_ends() -> None:
    one = Named(room="a", epoch=1, lane="b-c")
    other = Named(room="a-b", epoch=1, lane="c")
    assert places(SEED, one, 1000) != places(SEED, other, 1000)


def test_the_commitment_is_the_hash_that_everybody_knows() -> None:
    assert commitment(SEED) == hashlib.sha256(SEED).hexdigest()


@pytest.mark.parametrize("entries", [0, -1, MAX_ENTRIES + 1])
def test_a_draw_has_entries(entries: int) -> None:
    with pytest.raises(ValueError, match=f"a draw has 1 to 4294967295 entries, not {entries}"):
        Draw(SEED, **DEMO, entries=entries)


@pytest.mark.parametrize("number", [0, -1, 6])
def test_what_is_not_in_the_draw_has_no_place(number: int) -> None:
    draw = Draw(SEED, **DEMO, entries=5)
    with pytest.raises(ValueError, match=f"there is no entry {number} in a draw of 5"):
        draw.place(number)
    with pytest.raises(ValueError, match=f"there is no place {number} in a draw of 5"):
        draw.entry(number)


@pytest.mark.parametrize("seed", [b"", SEED[:31], SEED + b"\0"])
def test_a_seed_that_could_be_guessed_or_was_cut_off_is_refused(seed: bytes) -> None:
    with pytest.raises(ValueError, match=f"a seed is 32 bytes long, not {len(seed)}"):
        commitment(seed)
    with pytest.raises(ValueError, match="a seed is 32 bytes long"):
        Draw(seed, **DEMO, entries=5)


def test_a_draw_can_be_as_large_as_a_line() -> None:
    assert MAX_ENTRIES == MAX_PLACE
