"""`vestibule passes`: a private table of passes that the edges take, and never one written over another."""

import csv
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.errors import StackError
from deploy.passes import issue
from edge.guard.passes import MAX_NUMBER, Passes
from shared.ids import SystemIds
from shared.keys import KeyRing, encode_key_file
from shared.token import token_id

KEY = b"k" * 32
PASSES = Passes(KeyRing("first", {"first": KEY}))


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tickets.json"
    path.write_bytes(encode_key_file("first", {"first": KEY}))
    monkeypatch.setenv("VESTIBULE_TICKET_KEYS_FILE", str(path))


def vestibule(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["passes", *arguments])


def issued(out: Path, count: int | str = 3, room: str = "demo", cohort: str = "health-care") -> Result:
    return vestibule("issue", "--room", room, "--cohort", cohort, "--count", str(count), "--out", str(out))


def test_a_batch_is_written_that_the_edges_take(tmp_path: Path) -> None:
    out = tmp_path / "letters.csv"
    told = issued(out, 1_100)
    assert told.exit_code == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["cohort", "batch", "number", "pass"]
    assert [int(row["number"]) for row in rows] == list(range(1, 1_101))
    assert {(row["cohort"], row["batch"]) for row in rows} == {("health-care", told.stdout.strip())}
    for row in rows:
        found = PASSES.open(row["pass"], "demo", ["health-care"])
        assert (found.batch, str(found.n)) == (row["batch"], row["number"])
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_every_batch_is_another(tmp_path: Path) -> None:
    assert len({issued(tmp_path / f"{n}.csv").stdout for n in range(5)}) == 5


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "letters.csv"
    issued(out)
    before = out.read_text()
    told = issued(out)
    assert (told.exit_code, "never written over" in told.stderr, told.stdout) == (2, True, "")
    assert out.read_text() == before


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    told = issued(tmp_path / "nowhere" / "letters.csv")
    assert (told.exit_code, "No such file" in told.stderr) == (2, True)


def test_a_table_that_could_not_be_finished_is_gone(tmp_path: Path) -> None:
    def full_up(_made: int) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "letters.csv"
    with pytest.raises(StackError, match="No space left"):
        issue(PASSES, SystemIds(), room="demo", lane="health", count=5_000, out=out, made=full_up)
    assert not out.exists()


@pytest.mark.parametrize(
    ("count", "room", "cohort"),
    [(0, "demo", "health"), (MAX_NUMBER + 1, "demo", "health"), (1, "Demo", "health"), (1, "demo", "health,care")],
)
def test_what_no_room_could_take_is_not_printed(tmp_path: Path, count: int, room: str, cohort: str) -> None:
    out = tmp_path / "letters.csv"
    assert issued(out, count, room, cohort).exit_code == 2
    assert not out.exists()


def test_a_pass_is_told_to_be_what_it_is() -> None:
    text = PASSES.issue("demo", "health", "K7Q2M9XD", 17)
    told = vestibule("check", text.lower().replace("-", ""), "--room", "demo", "--cohort", "health")
    admission = token_id(PASSES.open(text, "demo", ["health"]).ticket_id)
    assert told.stdout.split() == ["batch", "K7Q2M9XD", "number", "17", "admission", admission]
    other = vestibule("check", text, "--room", "demo", "--cohort", "chronic")
    assert (other.exit_code, "no pass of this room and cohort" in other.stderr) == (2, True)
    none = vestibule("check", "K7Q2", "--room", "demo", "--cohort", "chronic")
    assert (none.exit_code, "28 letters and digits" in none.stderr) == (2, True)


def test_without_a_key_ring_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VESTIBULE_TICKET_KEYS_FILE", str(tmp_path / "none.json"))
    told = issued(tmp_path / "letters.csv")
    assert (told.exit_code, "cannot read key file" in told.stderr) == (2, True)
    assert not (tmp_path / "letters.csv").exists()
