"""The log of what operators changed outlives its store, and a restart of everything at once; it loses no row."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from edge.line import oplog
from edge.line.line import StoreUnavailable
from edge.line.logfile import LogFile
from edge.line.oplog import Entry, LogStore, OpLog, written
from edge.line.store import connect
from edge.metrics import EdgeMetrics
from tests.edge_processes import until
from tests.edge_world import Failures, plan
from tests.machines import Machines, powered


class Logging(Machines):
    """Machines whose logs are looked at."""

    def file(self, edge: int) -> Path:
        return self.folder / f"edge{edge}" / "demo.log.jsonl"

    async def in_store(self) -> dict[int, str]:
        async with aclosing(connect(self.store.url)) as store:
            log = LogStore(store, plan(), Failures())
            return await log.rows(sorted(await log.versions()))


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Logging]:
    async with powered(Logging(tmp_path)) as machines:
        yield machines


async def test_a_killed_store_gets_every_row_back(machines: Logging) -> None:
    one, two = await machines.start(keep=False)
    await pause(one, "snow")
    await pause(two, "storm")
    before = await machines.in_store()
    assert len(before) == 2
    await machines.lose_the_store()
    await until_in_store(machines, before)
    for edge in (one, two):
        assert await whys(edge) == ["storm", "snow"]


async def test_a_row_is_back_though_the_edge_that_wrote_it_is_gone(machines: Logging) -> None:
    one, two = await machines.start(keep=False)
    await pause(one, "snow")
    assert await whys(two) == ["snow"]
    before = await machines.in_store()
    await machines.stop_edges()
    await machines.lose_the_store()
    assert await machines.in_store() == {}
    await machines.start(keep=False)
    assert await machines.in_store() == {}, "nobody carries it, and it is not made up"
    await machines.stop_edges()

    kept = await machines.start()
    await pause(kept[0], "sleet")
    assert await whys(kept[1]) == ["sleet"]
    after = await machines.in_store()
    assert before.keys().isdisjoint(after)
    await machines.stop_edges()
    machines.file(0).unlink()  # its disk is lost as well
    await machines.lose_the_store()
    await machines.start()
    await until_in_store(machines, after)


async def test_rows_are_back_when_every_edge_and_the_store_restart_together(machines: Logging) -> None:
    one, two = await machines.start()
    room = {"id": "spring", "name": "Spring", "rate_per_s": 4, "enter_url": "https://a.example", "reason": "it opens"}

    async def created() -> bool:
        return (await one.post("/v1/ops/rooms", json=room)).status_code != 503  # the register may still heal

    await until(created)
    await pause(one, "snow")
    reset = await two.post("/v1/ops/rooms/demo:reset", json={"confirm": "demo", "reason": "the wrong room"})
    assert reset.status_code == 200
    before = await machines.in_store()
    machines.store.kill()
    await machines.stop_edges()
    await asyncio.to_thread(machines.store.start)
    one, two = await machines.start()
    await until_in_store(machines, before)
    for edge in (one, two):
        assert await whys(edge) == ["the wrong room", "snow"]
        assert await whys(edge, "spring") == ["it opens"]
        assert (await edge.get("/v1/ops/rooms/demo")).json()["epoch"] == 2


async def test_an_answered_change_is_on_disk(machines: Logging) -> None:
    one, _ = await machines.start()
    version = await pause(one, "snow")
    assert LogFile(machines.file(0).parent, "demo").read() == await machines.in_store()
    assert await pause(one, "storm") > version


async def test_the_files_of_all_edges_have_the_same_lines(machines: Logging) -> None:
    one, two = await machines.start()
    for edge, why in ((one, "snow"), (two, "storm"), (one, "größer")):
        await pause(edge, why)

    async def agree() -> bool:
        first, second = (sorted(machines.file(edge).read_bytes().splitlines()) for edge in (0, 1))
        return len(first) == 3 and first == second

    await until(agree)


async def test_files_are_only_appended_to_and_a_torn_line_is_passed_over(machines: Logging) -> None:
    one, two = await machines.start()
    await pause(one, "snow")
    assert await whys(two) == ["snow"]
    await machines.stop_edges()
    written = machines.file(0).read_bytes()
    torn = written + b'{"version":18000000000'
    machines.file(0).write_bytes(torn)
    await machines.lose_the_store()
    with capture_logs() as logs:
        one, two = await machines.start()
    assert "log_line_unreadable" in {entry["event"] for entry in logs}
    await pause(one, "storm")
    await machines.lose_the_store()
    await until_in_store(machines, LogFile(machines.file(0).parent, "demo").read())
    assert await whys(two) == ["storm", "snow"]
    assert machines.file(0).read_bytes().startswith(torn)
    assert len(machines.file(0).read_bytes().splitlines()) == 3


async def test_memory_is_bounded_and_old_rows_stay_in_the_store(
    machines: Logging, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(oplog, "MOST_ROWS", 3)
    rows = dict.fromkeys(range(1, 8), "{}")
    async with aclosing(connect(machines.store.url)) as store:
        await LogStore(store, plan(), Failures()).restore(rows)
        for folder in (None, tmp_path / "log"):
            log = OpLog(LogStore(store, plan(), Failures()), LogFile(folder, "demo"))
            await log.follow((1, 1), life=0, healing=False)
            assert log.carried == 3
            await log.follow((1, 2), life=0, healing=True)
            assert log.carried == 3
    assert await machines.in_store() == rows


async def test_a_log_that_was_begun_anew_with_as_many_rows_is_made_whole(machines: Logging) -> None:
    async with aclosing(connect(machines.store.url)) as store:
        rows = LogStore(store, plan(), Failures())
        await rows.restore({1: "{}", 2: "{}"})
        log = OpLog(rows, LogFile(None, "demo"))
        await log.follow((1, 2), life=1, healing=False)
        await store.execute_command(
            "FLUSHALL"
        )  # and while this edge could not reach it, another has put back what it knew
        await rows.restore({1: "{}", 3: "{}"})
        await log.follow((1, 3), life=2, healing=False)
        assert log.carried == 3
    assert (await machines.in_store()).keys() == {1, 2, 3}


async def test_a_row_that_cannot_be_read_hides_no_other(tmp_path: Path, machines: Logging) -> None:
    readable = written(Entry("olga", "", "room_paused", "snow", {}, {}))
    await LogFile(tmp_path, "demo").append({1: readable, 2: readable, 3: '{"of": "another kind"}', 4: readable})
    async with aclosing(connect(machines.store.url)) as store:
        log = OpLog(LogStore(store, plan(), Failures()), LogFile(tmp_path, "demo"))
    page = log.page(2, None)
    assert ([row.version for row in page.rows], page.next_before) == ([4], 3)
    page = log.page(2, page.next_before)
    assert ([row.version for row in page.rows], page.next_before) == ([2, 1], None)


async def test_a_store_that_is_away_is_counted_and_stops_nothing(machines: Logging) -> None:
    metrics = EdgeMetrics(CollectorRegistry())
    async with aclosing(connect(machines.store.url)) as store:
        log = OpLog(LogStore(store, plan(), metrics), LogFile(None, "demo"))
        await log.add(5, "{}")
        await asyncio.to_thread(machines.store.kill)
        with pytest.raises(StoreUnavailable):
            await log.follow((1, 1), life=0, healing=False)
        counted = metrics.registry.get_sample_value("vestibule_edge_store_errors_total", {"act": "log"})
        assert counted == 1
        await asyncio.to_thread(machines.store.start)
        await log.follow((1, 1), life=0, healing=False)
    assert await machines.in_store() == {5: "{}"}, "put back as soon as it is there"


async def pause(edge: httpx.AsyncClient, why: str) -> int:
    answer = await edge.post("/v1/ops/rooms/demo:pause", json={"reason": why})
    assert answer.status_code == 200, answer.text
    version: int = answer.json()["version"]
    return version


async def whys(edge: httpx.AsyncClient, room: str = "demo") -> list[str]:
    rows: list[dict[str, Any]] = []

    async def answered() -> bool:
        answer = await edge.get(f"/v1/ops/rooms/{room}/log")
        rows.extend(answer.json().get("rows", []))
        return answer.status_code != 503  # a connection to a store that was killed is found out at the next use

    await until(answered)
    return [row["why"] for row in rows]


async def until_in_store(machines: Logging, wished: dict[int, str]) -> None:
    async def back() -> bool:
        return await machines.in_store() == wished

    await until(back)
