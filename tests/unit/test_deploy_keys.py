"""`vestibule keys`: each step is safe by itself, the file stays private, no key is ever printed."""

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.errors import StackError
from deploy.keys import SAFE_AGE_S, KeyFile
from shared.clock import SystemClock
from shared.ids import SystemIds
from shared.keys import KeyRing, encode_key_file

FIRST = b"f" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "tickets.json"
    path.parent.mkdir()
    path.write_bytes(encode_key_file("first", {"first": FIRST}))
    path.chmod(0o600)
    return path


@pytest.fixture
def keys(path: Path) -> KeyFile:
    return KeyFile(path, SystemClock(), SystemIds())


def age(path: Path) -> None:
    """Let the file be as old as it must be."""
    now = SystemClock().unix()
    os.utime(path, (now, now - SAFE_AGE_S))


def test_the_steps_of_a_rotation_one_by_one(path: Path, keys: KeyFile) -> None:
    kid = keys.add()
    assert KeyRing.load(path).current == "first", "known, and not used yet"
    with pytest.raises(StackError, match="every service knows it after"):
        keys.use(kid)
    age(path)
    assert keys.use(kid) == "first"
    ring = KeyRing.load(path)
    assert (ring.current, ring.get("first")) == (kid, FIRST)
    keys.retire("first")
    assert KeyRing.load(path).kids == [kid]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["tickets.json"]


def test_a_rotation_waits_until_everybody_knows_the_new_key(path: Path, keys: KeyFile) -> None:
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert KeyRing.load(path).current == "first"
        age(path)

    kid, before = keys.rotate(0.1, None, sleep)
    assert (waited, before) == ([SAFE_AGE_S], "first")
    second, _ = keys.rotate(0, "first", lambda _: age(path))
    ring = keys.load()
    assert (ring.current, ring.kids) == (second, sorted([kid, second])), "an earlier key may go along"


@pytest.mark.parametrize("act", ["use", "retire"])
def test_a_key_that_is_not_there_is_named(keys: KeyFile, act: str) -> None:
    with pytest.raises(StackError, match="there is no key other; there are first"):
        getattr(keys, act)("other")


def test_the_key_that_signs_cannot_be_dropped(path: Path, keys: KeyFile) -> None:
    with pytest.raises(StackError, match="the key that signs"):
        keys.retire("first")
    with pytest.raises(StackError, match="still in use"):
        keys.rotate(0, "first")
    assert KeyRing.load(path).kids == ["first"], "nothing was changed"


def test_the_command_prints_identifiers_and_never_keys(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VESTIBULE_TICKET_KEYS_FILE", str(path))
    runner = CliRunner()
    added = runner.invoke(app, ["keys", "add", "--ring", "tickets"])
    assert added.exit_code == 0
    kid = added.stdout.strip()
    early = runner.invoke(app, ["keys", "use", "--ring", "tickets", kid])
    assert (early.exit_code, "s ago" in early.stderr) == (2, True)
    listed = runner.invoke(app, ["keys", "list", "--ring", "tickets"])
    assert listed.stdout.splitlines() == ["first  signs", kid]
    assert runner.invoke(app, ["keys", "add", "--ring", "person"]).exit_code == 2
    text = path.read_text()
    secrets = [part for part in text.split('"') if len(part) > 40]
    assert len(secrets) == 2
    printed = added.output + early.output + listed.output
    assert not any(secret in printed for secret in secrets)
