"""The frame of the benchmarks: pairs in turn, goals, prepared requests, answers that are not what was meant."""

import io
import re
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from loadtest.bench.config import BenchConfig, Service
from loadtest.bench.machine import BenchError, Cores
from loadtest.bench.measure import Paired, Rate, paired
from loadtest.bench.rows import Figure, Row, Table, ratio
from loadtest.bench.run import EDGE, ORIGIN, SEARCH, Results, draw, run, write
from loadtest.bench.wrk import Load, read_answers, request

NOTHING = Service((), {})


def config(tmp_path: Path, only: str | None = None) -> BenchConfig:
    out = tmp_path / "build" / "bench.json"
    return BenchConfig(NOTHING, NOTHING, "r", "d", str, str, "t", tmp_path, {}, out_file=out, only=only, commit="abc")


def test_both_sides_are_measured_in_turn_with_the_machine_probed_around_each_pair() -> None:
    order: list[str] = []

    def measure(name: str) -> Rate:
        order.append(name)
        return Rate(1, 1)

    def probe() -> float:
        order.append("probe")
        return 1.0

    found = paired(lambda: measure("ours"), lambda: measure("base"), 2, probe=probe)
    assert order == ["probe", "ours", "base", "probe", "ours", "base", "probe"]
    assert len(found.probes) == 3


def test_the_ratio_is_the_median_of_the_pairs_so_that_one_bad_second_does_not_count() -> None:
    ours = [Rate(rate, rate) for rate in (80.0, 8.0, 160.0)]
    base = [Rate(rate, 2 * rate) for rate in (100.0, 100.0, 200.0)]
    found = Paired(ours, base, (1.0,))
    assert found.ratio == 0.8
    assert found.cpu_ratio == 0.4
    assert "0.08 to 0.80" in ratio(found).note


def test_time_in_the_store_is_compared_pair_by_pair() -> None:
    ours = [Rate(1, 1, rate) for rate in (30.0, 3.0, 90.0)]
    assert Paired(ours, [Rate(1, 1, 30.0)] * 3, (1.0,)).store_ratio == 1.0


def test_answers_of_another_status_are_no_measurement() -> None:
    good = Load(100, 2.0, 1, 1, 0, {"201": 100})
    assert good.rate(201) == 50
    with pytest.raises(BenchError, match="expected 201"):
        Load(100, 2.0, 1, 1, 0, {"201": 90, "503": 10}).rate(201)
    with pytest.raises(BenchError, match="no answer"):
        Load(0, 0.0, 0, 0, 0, {}).rate(200)


def test_a_prepared_request_is_complete() -> None:
    made = request("POST", "http://127.0.0.1:81/v1/x?y=1", {"A": "b"}, {"c": 1})
    head, _, body = made.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /v1/x?y=1 HTTP/1.1",
        b"Host: 127.0.0.1:81",
        b"A: b",
        b"Content-Type: application/json",
        b"Content-Length: 7",
    ]
    assert body == b'{"c":1}'
    assert request("GET", "http://h/x").endswith(b"Host: h\r\n\r\n")
    assert b"Content-Length: 0" in request("POST", "http://h/x")


def test_answers_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    path.write_bytes(b'201 {"a": 1}\x1e429 \x1e201 {"unfin')
    assert read_answers(path) == [(201, b'{"a": 1}'), (429, b"")]


def test_goals_are_at_least_or_at_most() -> None:
    faster: Row[None] = Row("a", 0.7, ">=", lambda _: None)
    smaller: Row[None] = Row("b", 1.0, "<=", lambda _: None)
    assert [faster.meets(0.7), faster.meets(0.69)] == [True, False]
    assert [smaller.meets(1.0), smaller.meets(1.01)] == [True, False]
    assert Row[None]("c", None, ">=", lambda _: None).meets(1.0) is None


def test_a_row_is_one_function() -> None:
    table: Table[int] = Table()

    @table.row("x.y", ">=", 2)
    def double(side: int) -> Figure:
        return Figure(2 * side)

    assert table.rows == [Row("x.y", 2, ">=", double)]


def test_the_promised_rows_are_there() -> None:
    names = {row.name for table in (EDGE, ORIGIN, SEARCH) for row in table.rows}
    assert names >= {
        *("edge.join_ratio", "edge.standing_ratio", "edge.status_ratio", "edge.claim_ratio", "edge.page_ratio"),
        *("edge.bytes_per_waiting", "edge.join_growth", "edge.claim_growth", "edge.rate_error", "edge.overshoot"),
        *("origin.book_ratio", "origin.book_pg_ratio", "origin.hot_ratio", "origin.refuse_ratio"),
        *("origin.search_p99_ms", "origin.search_growth"),
    }


def test_the_json_is_flat_with_machine_and_commit(tmp_path: Path) -> None:
    row: Row[None] = Row("x.y", 2, ">=", lambda _: None)
    write(config(tmp_path), Results([(row, Figure(1.23456, "n", (1.0, 2.0, 4.0)))]))
    written = msgspec.json.decode((tmp_path / "build" / "bench.json").read_bytes())
    assert written["x.y"] == 1.2346
    assert written["machine.drift"] == 1.5
    assert written["commit"] == "abc"
    assert isinstance(written["machine"], str)
    assert not [value for value in written.values() if isinstance(value, dict | list)]


def test_the_table_shows_the_goal_beside_each_figure() -> None:
    row: Row[None] = Row("x.y", 2, ">=", lambda _: None)
    console = Console(width=120, record=True, file=io.StringIO())
    without: Row[None] = Row("x.w", None, ">=", lambda _: None)
    console.print(draw(Results([(row, Figure(1.5, "of a thing")), (without, Figure(1.25))], ["x.z"])))
    text = console.export_text()
    assert ">= 2" in text
    assert text.count("missed") == 1
    assert re.search(r"x\.w +│ +1\.250 │ +│ +│", text)
    assert "nothing to measure yet" in text


def test_an_unknown_part_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config(tmp_path, only="edgy")) == 2
    assert "edge, origin, search" in capsys.readouterr().out


def test_cores_pin_only_where_there_are_two() -> None:
    assert Cores(None, None).on_server(["x"]) == ["x"]
    assert Cores(0, 1).on_load(["x"]) == ["taskset", "-c", "1", "x"]
