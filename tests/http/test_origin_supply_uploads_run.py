"""Uploads in the hands of workers: whatever becomes of these, each is brought once and mixes with no other."""

import asyncio
from typing import Any

import asyncpg
import pytest

from origin.inventory.bulk.imports import import_files
from origin.inventory.bulk.store import SupplyStore
from origin.inventory.uploads import running
from origin.inventory.uploads.store import UploadStore
from tests.bringing_world import NEW, PAGE, Bringer, said
from tests.supply_world import row, slots_csv


async def test_progress_is_written_down_while_an_import_runs(bringer: Bringer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_TOLD_EVERY_S", 0.001)
    told: list[tuple[str, int, int]] = []
    seen = asyncio.Event()

    class Watched(UploadStore):
        async def tell(self, connection: Any, upload: Any, step: str, done: int, total: int) -> None:
            await super().tell(connection, upload, step, done, total)
            told.append((step, done, total))
            seen.set()

    imported = import_files

    async def slow(connection: Any, paths: Any, wish: Any, **others: Any) -> Any:
        others["tell"]("reading", 10, 20)
        await asyncio.wait_for(seen.wait(), 10)
        return await imported(connection, paths, wish, **others)

    monkeypatch.setattr(running, "import_files", slow)
    sent = await bringer.post(**NEW)
    assert await bringer.runner(Watched()).work_off() == 1
    assert told[0] == ("reading", 10, 20)
    assert (await bringer.told(sent.json()["id"]))["outcome"] == "done"


async def test_several_uploads_at_once_do_not_mix(bringer: Bringer) -> None:
    texts = [slots_csv(*(row(hour, hour + 1) for hour in (9 + 2 * number, 10 + 2 * number))) for number in range(4)]
    sent = await asyncio.gather(*(bringer.post("?dry_run=true", slots=text) for text in texts))
    uploads = [answer.json()["id"] for answer in sent]
    for outcome in ("previewed", "done"):
        ended = await asyncio.gather(*(bringer.runner().work_off() for _ in range(3)))
        assert sum(ended) == 4
        for number, upload in enumerate(uploads):
            report = (await bringer.told(upload))["report"]
            assert (report["outcome"], report["slots"]["added"], report["slots"]["places"]) == (
                outcome,
                2,
                4 * number + 21,
            )
        if outcome == "previewed":
            assert [(await bringer.run(upload)).status_code for upload in uploads] == [202] * 4
    assert [capacity for *_, capacity, _ in await bringer.desk.slots()] == list(range(10, 18))


async def test_while_one_worker_runs_uploads_the_others_leave_them_alone(bringer: Bringer) -> None:
    sent = await bringer.post(**NEW)
    connection = await asyncpg.connect(bringer.url)
    await UploadStore().hold(connection)
    assert await bringer.runner().work_off() == 0
    assert await bringer.origin.world.count("supply_upload", "state = 'waiting' AND attempts = 0") == 1
    await connection.close()
    assert await bringer.runner().work_off() == 1
    assert (await bringer.told(sent.json()["id"]))["outcome"] == "done"


async def test_an_upload_that_a_worker_left_half_done_goes_on(
    bringer: Bringer, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = SupplyStore.merge

    async def breaks(self: Any, *given: Any) -> Any:
        if given[-2]:
            raise asyncpg.CannotConnectNowError("gone")
        return await merged(self, *given)

    times = [f"2027-03-{2 + n // 288:02}T{n % 288 // 12:02}:{n % 12 * 5:02}Z" for n in range(6000)]
    ends = [f"2027-03-{2 + n // 288:02}T{n % 288 // 12:02}:{n % 12 * 5 + 4:02}Z" for n in range(6000)]
    text = slots_csv(*(f"1,{start},{end},140,1" for start, end in zip(times, ends, strict=True)))
    sent = await bringer.post(slots=text)
    upload = sent.json()["id"]
    with monkeypatch.context() as broken:
        broken.setattr(SupplyStore, "merge", breaks)
        with pytest.raises(asyncpg.CannotConnectNowError):
            await bringer.runner().work_off()
    assert (await bringer.told(upload))["state"] == "running"
    assert await bringer.origin.world.count("slot") == 5000
    assert await bringer.runner().work_off() == 1
    done = await bringer.told(upload)
    assert (done["outcome"], done["report"]["slots"]["added"]) == ("done", 1000)
    assert await bringer.origin.world.count("slot") == 6000


async def test_an_upload_that_never_comes_to_an_end_is_given_up_and_can_be_tried_again(bringer: Bringer) -> None:
    sent = await bringer.post(**NEW)
    await bringer.origin.world.connection.execute("UPDATE supply_upload SET state = 'running', attempts = 3")
    assert await bringer.runner().work_off() == 1
    told = await bringer.told(sent.json()["id"])
    assert (told["state"], told["files_kept"], told["report"]) == ("failed", True, None)
    assert "begun three times" in said(await bringer.browser.get(f"{PAGE}/{told['id']}"))
    assert (await bringer.run(told["id"])).status_code == 202
    await bringer.runner().work_off()
    assert (await bringer.told(told["id"]))["outcome"] == "done"


async def test_an_upload_waits_for_an_import_by_command(bringer: Bringer) -> None:
    sent = await bringer.post(**NEW)
    connection = await asyncpg.connect(bringer.url)
    await SupplyStore().hold(connection)
    assert await bringer.runner().work_off() == 0
    assert (await bringer.told(sent.json()["id"]))["state"] == "waiting"
    await connection.close()
    assert await bringer.runner().work_off() == 1


async def test_files_that_nobody_comes_back_for_are_forgotten_after_a_day(bringer: Bringer) -> None:
    checked = await bringer.brought("?dry_run=true", **NEW)
    bringer.origin.world.clock.advance(24 * 3600 - 1)
    await bringer.runner().work_off()
    assert (await bringer.told(checked["id"]))["files_kept"] is True
    bringer.origin.world.clock.advance(2)
    await bringer.runner().work_off()
    assert await bringer.origin.world.count("supply_upload_piece") == 0
    assert (await bringer.run(checked["id"])).json()["code"] == "upload_files_gone"
    assert "The files were kept for 24 hours" in said(await bringer.browser.get(f"{PAGE}/{checked['id']}"))


async def test_pressed_twice_it_is_brought_once(bringer: Bringer) -> None:
    checked = await bringer.brought("?dry_run=true", **NEW)
    assert [(await bringer.run(checked["id"])).status_code for _ in range(2)] == [202, 202]
    assert (await bringer.run(checked["id"], booked="cut")).json()["code"] == "upload_runs"
    assert await bringer.runner().work_off() == 1
    assert await bringer.origin.world.count("supply_import") == 1
