"""Rings follow their files; a broken file changes nothing."""

from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from shared.keys import KeyRing, encode_key_file
from shared.keywatch import KeyWatch
from shared.signing import Sealer, SignatureRefused

OLD, NEW = b"o" * 32, b"n" * 32


class Note(msgspec.Struct):
    kid: str
    text: str = "hello"


def write(path: Path, current: str, keys: dict[str, bytes]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(encode_key_file(current, keys))
    fresh.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    write(path, "a", {"a": OLD})
    return path


def test_a_ring_follows_its_file_and_so_do_those_who_sign_with_it(path: Path) -> None:
    ring = KeyRing.load(path)
    watch, sealer = KeyWatch([ring]), Sealer(Note, ring, "note")
    old = sealer.seal(Note(sealer.kid))
    assert watch.check() == 0
    write(path, "a", {"a": OLD, "b": NEW})
    assert watch.check() == 1
    assert (ring.current, ring.kids) == ("a", ["a", "b"])
    write(path, "b", {"a": OLD, "b": NEW})
    assert watch.check() == 1
    new = sealer.seal(Note(sealer.kid))
    assert [sealer.open(text).kid for text in (old, new)] == ["a", "b"]
    write(path, "b", {"b": NEW})
    assert watch.check() == 1
    with pytest.raises(SignatureRefused, match="unknown_key"):
        sealer.open(old)
    assert sealer.open(new).kid == "b"


@pytest.mark.parametrize("content", [b"not json", b"", encode_key_file("z", {"a": OLD}), None])
def test_a_broken_file_is_logged_once_and_the_old_keys_stay(path: Path, content: bytes | None) -> None:
    ring = KeyRing.load(path)
    watch = KeyWatch([ring])
    watch.check()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with capture_logs() as logs:
        assert [watch.check(), watch.check()] == [0, 0]
    assert [entry["event"] for entry in logs] == ["keys_not_reloaded"]
    assert "oooo" not in str(logs)
    assert ring.get("a") == OLD
    write(path, "b", {"b": NEW})
    assert watch.check() == 1
    assert ring.current == "b"


def test_a_ring_that_was_not_loaded_from_a_file_is_not_watched() -> None:
    assert KeyWatch([KeyRing("a", {"a": OLD})]).check() == 0
