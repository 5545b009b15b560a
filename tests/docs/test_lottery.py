"""What `docs/lottery.md` publishes, so that anyone can draw again, is what is drawn."""

import hmac
import re
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from edge.line.lottery import Draw, commitment
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "lottery.md").read_text()
SEED = bytes(range(32))
VECTORS = [
    (room, int(epoch), lane, int(entries), int(entry), int(place))
    for room, epoch, lane, entries, entry, place in re.findall(
        r"^\| `([a-z0-9-]+)` \| (\d+) \| `([a-z0-9-]+)` \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE
    )
]
STEPS = re.findall(r"^\| (\d) \| `(\w{10})` \| `(\w{8})` \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)


def the_pages_own_program() -> Callable[..., int]:
    [source] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)  # our own page, as a reader would run it
    program: Callable[..., int] = names["place_of"]
    return program


def test_the_published_commitment_is_that_of_the_published_seed() -> None:
    assert SEED.hex() in PAGE
    assert commitment(SEED) in PAGE


def test_there_are_vectors_for_draws_of_every_kind() -> None:
    assert len(VECTORS) >= 20
    assert {entries for *_, entries, _, _ in VECTORS} >= {1, 5, 1000, 1001, 1_000_000, 2**32 - 1}


@pytest.mark.parametrize(("room", "epoch", "lane", "entries", "entry", "place"), VECTORS)
def test_the_vectors_are_what_is_drawn(room: str, epoch: int, lane: str, entries: int, entry: int, place: int) -> None:
    draw = Draw(SEED, room=room, epoch=epoch, lane=lane, entries=entries)
    assert (draw.place(entry), draw.entry(place)) == (place, entry)


@pytest.mark.parametrize(("room", "epoch", "lane", "entries", "entry", "place"), VECTORS)
def test_the_pages_own_program_finds_them_too(
    room: str, epoch: int, lane: str, entries: int, entry: int, place: int
) -> None:
    assert the_pages_own_program()(entry, SEED, room, epoch, lane, entries) == place


def test_the_steps_that_the_page_shows_lead_from_one_to_the_next() -> None:
    [key] = re.findall(r"the key is `(\w{64})`", PAGE)
    assert key == hmac.digest(SEED, b'["vestibule:lottery:1","demo",1,"general",1000000]', "sha256").hex()
    left, right = 0, 16
    for number, (step, message, first, answer, then_left, then_right) in enumerate(STEPS):
        assert (int(step), message) == (number, f"{number:02x}{right:08x}")
        assert first == hmac.digest(bytes.fromhex(key), bytes.fromhex(message), "sha256").hex()[:8]
        assert int(answer) == int(first, 16) % 1024
        left, right = right, left ^ int(answer)
        assert (left, right) == (int(then_left), int(then_right))
    assert len(STEPS) == 4
    assert Draw(SEED, room="demo", epoch=1, lane="general", entries=1_000_000).place(17) == left * 1024 + right + 1


def test_the_command_that_the_page_shows_says_what_the_page_says() -> None:
    [shown] = re.findall(r"^    vestibule (lottery verify --room demo --epoch .*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    result = CliRunner().invoke(app, shown.replace("\\", " ").split())
    assert result.exit_code == 0, result.output
    assert "Entry 17 has place 980826." in result.output
