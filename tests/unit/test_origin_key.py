"""The Idempotency-Key header."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from origin import errors
from origin.booking.key import fingerprint, read_key
from shared.problem import Problem


def headers(*values: str) -> Headers:
    return Headers(raw=[(b"idempotency-key", value.encode("latin-1")) for value in values])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('  "with space"  ', "with space"),
        (r'"a \"quoted\" \\ one"', r'a "quoted" \ one'),
        ("k" * 255, "k" * 255),
        ('"' + "k" * 255 + '"', "k" * 255),
    ],
)
def test_a_key_is_read_quoted_or_bare(text: str, key: str) -> None:
    assert read_key(headers(text)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        '""',
        '"open',
        'open"',
        'a"b',
        "two words",
        "a,b",
        "a;b=1",
        '"a";b',
        r'"\n"',
        "k" * 256,
        "clé",
        '"clé"',
        "a\tb",
    ],
)
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        read_key(headers(text))
    assert refused.value.kind == errors.IDEMPOTENCY_KEY_MALFORMED


def test_two_keys_are_none_and_none_is_missing() -> None:
    with pytest.raises(Problem) as refused:
        read_key(headers("a", "a"))
    assert refused.value.kind == errors.IDEMPOTENCY_KEY_MALFORMED
    with pytest.raises(Problem) as refused:
        read_key(headers())
    assert refused.value.kind == errors.IDEMPOTENCY_KEY_MISSING


@given(st.text(st.characters(codec="latin-1", exclude_characters="\n\r"), max_size=700))
def test_any_header_is_read_or_refused(text: str) -> None:
    with suppress(Problem):
        key = read_key(headers(text))
        assert 1 <= len(key) <= 255
        assert key.isascii()
        assert key.isprintable()


def test_the_fingerprint_tells_method_path_and_body_apart() -> None:
    seen = {
        fingerprint(*each)
        for each in [("POST", "/a", b"b"), ("PUT", "/a", b"b"), ("POST", "/b", b"b"), ("POST", "/a", b"c")]
    }
    assert len(seen) == 4
