"""What an edge keeps of a room on disk."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge.line.kept import Keeper
from edge.line.room import Known


def known(version: int, joined: int = 0, *, epoch: int = 1) -> Known:
    settings: dict[str, str | int | float] = {"rate": 5.0, "burst": 3, "state": "paused", "reason": "snow"}
    return Known(epoch=epoch, version=version, joined=[joined], called=[0], settings=settings)


async def test_what_was_kept_is_read_back_by_the_next_process(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "when needed"
    await Keeper(folder, "demo").keep(known(7, joined=40))
    assert Keeper(folder, "demo").read() == known(7, joined=40)
    assert Keeper(folder, "other").read() is None
    assert [path.name for path in folder.iterdir()] == ["demo.json"]


async def test_settings_are_written_at_once_and_the_line_when_it_is_time(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, "demo")
    await keeper.keep(known(1, joined=1))
    await keeper.keep(known(1, joined=2))
    assert Keeper(tmp_path, "demo").read() == known(1, joined=1), "the line is written once a second"
    await keeper.keep(known(2, joined=3))
    assert Keeper(tmp_path, "demo").read() == known(2, joined=3)
    await keeper.keep(known(2, joined=4), at_once=True)
    assert Keeper(tmp_path, "demo").read() == known(2, joined=4)


async def test_older_settings_never_replace_newer_ones(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, "demo")
    await keeper.keep(known(5, epoch=2))
    await keeper.keep(known(9, joined=99), at_once=True)
    assert Keeper(tmp_path, "demo").read() == known(5, epoch=2)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"v": 1, "room": "demo"}'])
def test_a_file_that_cannot_be_read_counts_as_none_and_is_logged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "demo.json").write_bytes(content)
    with capture_logs() as logs:
        assert Keeper(tmp_path, "demo").read() is None
    assert [entry["event"] for entry in logs] == ["kept_room_unreadable"]


async def test_a_folder_that_cannot_be_written_to_is_logged_and_stops_nobody(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    keeper = Keeper(in_the_way, "demo")
    with capture_logs() as logs:
        await keeper.keep(known(1))
    assert [entry["event"] for entry in logs] == ["room_not_kept"]


async def test_without_a_folder_nothing_is_kept() -> None:
    keeper = Keeper(None, "demo")
    await keeper.keep(known(1))
    assert keeper.read() is None
