"""Passes: typed from a letter by anybody, made by nobody else, and always worth the same ticket."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.guard.passes import MAX_NUMBER, Pass, Passes, PassRefused, batch_of, read_batch
from shared.ids import SystemIds
from shared.keys import KeyRing, encode_key_file
from shared.token import token_id
from tests.edge_world import TICKET_KEYS

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BATCH = "K7Q2M9XD"
LANES = ("general", "health", "chronic")


@pytest.fixture
def passes() -> Passes:
    return Passes(TICKET_KEYS)


def refusal(passes: Passes, text: str, room: str = "demo", lanes: tuple[str, ...] = LANES) -> str:
    with pytest.raises(PassRefused) as refused:
        passes.open(text, room, lanes)
    return refused.value.reason


@pytest.mark.parametrize("n", [1, 31, 32, 1_000_000, MAX_NUMBER])
def test_a_pass_says_its_lane_batch_and_number(passes: Passes, n: int) -> None:
    text = passes.issue("demo", "health", BATCH, n)
    found = passes.open(text, "demo", LANES)
    assert (found.lane, found.batch, found.n) == ("health", BATCH, n)


def test_a_pass_can_be_typed_from_a_letter(passes: Passes) -> None:
    text = passes.issue("demo", "health", BATCH, 17)
    assert re.fullmatch(f"([{SYMBOLS}]{{4}}-){{6}}[{SYMBOLS}]{{4}}", text)
    assert len(text.replace("-", "")) == 28
    assert text.startswith("K7Q2-M9XD-000H-")


@given(n=st.integers(1, MAX_NUMBER), data=st.data())
def test_whatever_can_be_mistaken_for_another_sign_is_forgiven(n: int, data: st.DataObject) -> None:
    passes = Passes(TICKET_KEYS)
    text = passes.issue("demo", "health", BATCH, n)
    same = {"0": "0Oo٠０", "1": "1IiLl١", "-": ["", "-", " ", "–", "\u00a0", " - ", "\u200f-", "\t"]}
    typed = "".join(data.draw(st.sampled_from(same.get(sign, [sign, sign.lower()]))) for sign in text)
    assert passes.open(f" {typed}\r\n", "demo", LANES).n == n


def test_no_single_changed_symbol_is_accepted(passes: Passes) -> None:
    text = passes.issue("demo", "health", BATCH, 17)
    for at, sign in enumerate(text):
        if sign == "-":
            continue
        others = [text[:at] + other + text[at + 1 :] for other in SYMBOLS if other != sign]
        assert {refusal(passes, other) for other in others} == {"bad_signature"}


def test_two_neighbours_that_were_swapped_are_not_accepted(passes: Passes) -> None:
    text = passes.issue("demo", "health", BATCH, 17).replace("-", "")
    swapped = {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(27)} - {text}
    assert len(swapped) > 15
    assert {refusal(passes, each) for each in swapped} == {"bad_signature"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "K7Q2",
        "K" * 27,
        "K" * 29,
        "U" * 28,
        "é" * 28,
        "K" * 27 + "!",
        "K" * 27 + "\x00",
        " " * 10_000,
        "½" * 28,
    ],
)
def test_what_has_another_form_is_malformed(passes: Passes, text: str) -> None:
    assert refusal(passes, text) == "malformed"


@given(text=st.text(max_size=300))
def test_no_text_does_anything_but_being_refused(text: str) -> None:
    assert refusal(Passes(TICKET_KEYS), text) in {"malformed", "bad_signature"}


def test_a_pass_opens_its_own_room_and_lane_only(passes: Passes) -> None:
    text = passes.issue("demo", "health", BATCH, 17)
    assert refusal(passes, text, room="other") == "bad_signature"
    assert refusal(passes, text, lanes=("general", "chronic")) == "bad_signature"
    assert refusal(passes, text, lanes=()) == "bad_signature"


def test_fields_cannot_be_shifted_into_each_other(passes: Passes) -> None:
    text = passes.issue("demo", "health", BATCH, 17)
    for room, lane in [("dem", "ohealth"), ("demohealth", ""), ('demo","health', "")]:
        assert refusal(passes, text, room=room, lanes=(lane,)) == "bad_signature"


@pytest.mark.parametrize("n", [-1, 0, MAX_NUMBER + 1])
def test_there_are_no_passes_beyond_the_numbers(passes: Passes, n: int) -> None:
    with pytest.raises(ValueError, match="not a number"):
        passes.issue("demo", "health", BATCH, n)


@pytest.mark.parametrize("batch", ["", "K7Q2-M9XD", "k7q2m9xd", "07Q2M9XD", "K7Q2M9X", "K7Q2M9XU", "K7Q2M9XD\n"])
def test_a_batch_has_one_spelling(passes: Passes, batch: str) -> None:
    with pytest.raises(ValueError, match="no batch"):
        passes.issue("demo", "health", batch, 1)


def test_a_batch_is_read_as_a_person_types_it() -> None:
    assert read_batch(" k7q2–m9xd ") == BATCH
    with pytest.raises(ValueError, match="first two groups"):
        read_batch("K7Q2")


def test_batches_are_unlike_each_other_and_unlike_numbers() -> None:
    batches = {batch_of(SystemIds().secret(16)) for _ in range(1_000)}
    assert len(batches) == 1_000
    assert all(read_batch(batch) == batch and batch[0].isalpha() for batch in batches)
    assert min(len({batch[at] for batch in batches}) for at in range(8)) >= 22


def test_a_pass_lives_as_long_as_its_key_is_in_the_ring(tmp_path: Path) -> None:
    path = tmp_path / "tickets.json"
    path.write_bytes(encode_key_file("a", {"a": b"a" * 32}))
    ring = KeyRing.load(path)
    passes = Passes(ring)
    text = passes.issue("demo", "health", BATCH, 17)
    before = passes.open(text, "demo", LANES)
    path.write_bytes(encode_key_file("b", {"a": b"a" * 32, "b": b"b" * 32}))
    ring.reload()
    assert passes.open(text, "demo", LANES) == before, "its ticket stays the same, whichever key signs now"
    assert passes.issue("demo", "health", BATCH, 17) != text
    path.write_bytes(encode_key_file("b", {"b": b"b" * 32}))
    ring.reload()
    assert refusal(passes, text) == "bad_signature"


def test_a_pass_is_worth_one_ticket_and_one_admission(passes: Passes) -> None:
    text = passes.issue("demo", "health", BATCH, 17)
    one, two = (each.open(text.lower(), "demo", LANES) for each in (passes, Passes(TICKET_KEYS)))
    assert one == two
    assert 16 <= len(one.ticket_id) <= 64
    others = [
        passes.open(passes.issue(room, lane, batch, n), room, LANES)
        for room, lane, batch, n in [
            ("demo", "health", BATCH, 18),
            ("demo", "health", "M3WZ80RT", 17),
            ("demo", "chronic", BATCH, 17),
            ("other", "health", BATCH, 17),
        ]
    ]
    assert len({token_id(each.ticket_id) for each in (one, *others)}) == 5


def test_nobody_can_compute_the_ticket_from_the_text(passes: Passes) -> None:
    """The id comes out of a key of its own: no part of it is printed."""
    text = passes.issue("demo", "health", BATCH, 17)
    found: Pass = passes.open(text, "demo", LANES)
    stranger = Passes(KeyRing("x", {"x": b"x" * 32}))
    assert stranger.open(stranger.issue("demo", "health", BATCH, 17), "demo", LANES).ticket_id != found.ticket_id
    assert text.replace("-", "")[12:] not in found.ticket_id
