"""Key files are read strictly, and a fault is told without telling a key."""

from pathlib import Path

import pytest

from shared.keys import KeyRing, KeyRingError, encode_key_file


def test_a_written_key_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(encode_key_file("b", {"a": b"a" * 32, "b": b"b" * 48}))
    ring = KeyRing.load(path)
    assert (ring.current, ring.signing_key, ring.get("a"), ring.get("c")) == ("b", b"b" * 48, b"a" * 32, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "malformed"),
        (b'{"current": "a"}', "malformed"),
        (b'{"current": "a", "keys": {"a": "!!!"}}', "malformed"),
        (encode_key_file("a", {"a": b"secret"}), "shorter than 32 bytes: a"),
        (encode_key_file("z", {"a": b"s" * 32}), "'z' is not among"),
    ],
)
def test_a_bad_key_file_is_a_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    with pytest.raises(KeyRingError, match=said):
        KeyRing.load(path)


def test_a_missing_key_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match="cannot read key file"):
        KeyRing.load(tmp_path / "none.json")


def test_keys_never_show_in_a_repr() -> None:
    assert "sssss" not in repr(KeyRing("a", {"a": b"s" * 32}))
