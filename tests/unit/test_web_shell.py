"""A page's fixed parts and what comes between them, plain and compressed."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.shell import Shell, Slots

SLOT = Slots()
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Co"]), max_size=80)


@given(st.lists(TEXTS, min_size=3, max_size=3), TEXTS, st.integers())
def test_a_compressed_page_is_the_plain_one(parts: list[str], text: str, number: int) -> None:
    shell = Shell(f"{parts[0]}{SLOT.text}{parts[1]}{SLOT.number}{parts[2]}{SLOT.text}")
    values = {"text": text, "number": number}
    assert gzip.decompress(shell.fill(values, "gzip")) == shell.fill(values)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 200_000])
def test_a_text_of_any_length_fits_between(size: int) -> None:
    shell = Shell(f"<p>{SLOT.text}</p>")
    packed = zlib.decompressobj(31)
    assert packed.decompress(shell.fill({"text": "x" * size}, "gzip")) == b"<p>" + b"x" * size + b"</p>"
    assert packed.eof
    assert not packed.unused_data


def test_the_length_of_a_compressed_page_says_nothing_of_what_it_holds() -> None:
    shell = Shell(f"<p>secret=abcdef</p><p>{SLOT.text}</p>")
    alike, other = shell.fill({"text": "secret=abcdef"}, "gzip"), shell.fill({"text": "zq82jx0wmvtur"}, "gzip")
    assert len(alike) == len(other)


def test_every_text_is_escaped_and_a_missing_value_is_an_error() -> None:
    shell = Shell(f"<p title='{SLOT.a}'>{SLOT.b}%s</p>")
    assert shell.fill({"a": "'&", "b": "<b>"}) == b"<p title='&#39;&amp;'>&lt;b&gt;%s</p>"
    with pytest.raises(KeyError):
        shell.fill({"a": 1})
