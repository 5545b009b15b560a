"""What the edge is told, and what it refuses."""

from pathlib import Path

import pytest

from edge.config import ConfigError, EdgeSettings, load_rooms
from shared.settings import load

ROOM = '{"id": "demo", "name": "Demo", "rate_per_s": 50, "burst": 10, "enter_url": "http://127.0.0.1:8081/enter"}'


def test_the_rooms_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rooms.json"
    path.write_text(f'{{"rooms": [{ROOM}]}}')
    [room] = load_rooms(path)
    assert (room.id, room.rate_per_s, room.call_window_s, room.token_ttl_s, room.state) == ("demo", 50, 30, 900, "open")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "JSON"),
        ('{"rooms": []}', "rooms"),
        (f'{{"rooms": [{ROOM}, {ROOM}]}}', "twice"),
        (f'{{"rooms": [{ROOM.replace("50", "0")}]}}', "rate_per_s"),
        (f'{{"rooms": [{ROOM.replace("demo", "De mo")}]}}', "id"),
        (f'{{"rooms": [{ROOM.replace("burst", "brust")}]}}', "brust"),
    ],
)
def test_a_rooms_file_that_cannot_be_used_says_what_is_wrong(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "rooms.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=named):
        load_rooms(path)


def test_a_missing_rooms_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.json"):
        load_rooms(tmp_path / "nothing.json")


def test_all_missing_settings_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VESTIBULE_EDGE_PORT", "99999")
    for name in ("REDIS_URL", "ROOMS_FILE", "TICKET_KEYS_FILE"):
        monkeypatch.delenv(f"VESTIBULE_{name}", raising=False)
    with pytest.raises(SystemExit) as ended:
        load(EdgeSettings)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    for name in ("REDIS_URL", "ROOMS_FILE", "TICKET_KEYS_FILE", "EDGE_PORT"):
        assert f"VESTIBULE_{name}:" in told
