"""A room's log on disk: what is written stays, whatever a crash has left behind."""

from pathlib import Path

from structlog.testing import capture_logs

from edge.line.logfile import LogFile

ROW = '{"actor":"olga","why":"größer"}'


async def test_rows_are_appended_and_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    await LogFile(folder, "demo").append({2: ROW, 1: "{}"})
    again = LogFile(folder, "demo")
    assert again.read() == {1: "{}", 2: ROW}
    written = (folder / "demo.log.jsonl").read_bytes()
    await again.append({3: ROW})
    assert (folder / "demo.log.jsonl").read_bytes().startswith(written)
    assert LogFile(folder, "demo").read() == {1: "{}", 2: ROW, 3: ROW}
    assert LogFile(folder, "other").read() == {}


async def test_a_torn_last_line_counts_as_none_and_spoils_nothing_after_it(tmp_path: Path) -> None:
    path = tmp_path / "demo.log.jsonl"
    await LogFile(tmp_path, "demo").append({1: ROW, 2: ROW})
    whole = path.read_bytes()
    for length in range(len(whole) // 2 + 1, len(whole)):
        path.write_bytes(whole[:length])
        file = LogFile(tmp_path, "demo")
        assert file.read().keys() <= {1, 2}
        await file.append({3: ROW})
        assert path.read_bytes().startswith(whole[:length]), "never rewritten"
        assert {1, 3} <= LogFile(tmp_path, "demo").read().keys()


async def test_of_two_rows_under_one_version_the_first_counts(tmp_path: Path) -> None:
    await LogFile(tmp_path, "demo").append({1: ROW})
    await LogFile(tmp_path, "demo").append({1: "{}"})
    assert LogFile(tmp_path, "demo").read() == {1: ROW}


async def test_what_could_not_be_written_is_written_with_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("in the way")
    file = LogFile(folder, "demo")
    with capture_logs() as logs:
        await file.append({1: ROW})
    assert [entry["event"] for entry in logs] == ["log_not_kept"]
    folder.unlink()
    file.owe({2: ROW})
    await file.append({})
    assert LogFile(folder, "demo").read() == {1: ROW, 2: ROW}


async def test_without_a_folder_nothing_is_kept() -> None:
    file = LogFile(None, "demo")
    await file.append({1: ROW})
    assert file.read() == {}
