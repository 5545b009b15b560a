"""Supply by upload, over HTTP: checked, decided about, brought by the worker; by programs and by pages."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from origin.inventory.bulk.imports import import_files
from origin.inventory.bulk.store import SupplyStore
from origin.inventory.uploads import running
from origin.inventory.uploads.running import UploadRunner
from origin.inventory.uploads.store import UploadStore
from shared.ids import SystemIds
from tests import origin_world
from tests.origin_world import Origin, bearer
from tests.staff_browser import StaffBrowser
from tests.supply_world import REGIONS, SITES, Desk, row, slots_csv

API = "/v1/admin/programmes/demo/supply"
PAGE = "/admin/programmes/demo/supply"
NEW = {"regions": REGIONS, "sites": SITES, "slots": slots_csv(row(9, site="bilbao-1"), row(10, site="bilbao-1"))}


@dataclass
class Bringer:
    """Somebody with the role, by program and by page; and the worker."""

    origin: Origin
    url: str
    desk: Desk
    roles: tuple[str, ...] = ("supply",)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {bearer('silvia', *self.roles)}"}

    @property
    def browser(self) -> StaffBrowser:
        return StaffBrowser(self.origin, "silvia", self.roles)

    def runner(self, store: UploadStore | None = None) -> UploadRunner:
        return UploadRunner(self.origin.state.database, self.url, self.origin.world.clock, SystemIds(), store)

    async def post(self, query: str = "", **files: str) -> httpx.Response:
        parts = [("files", (f"{name}.csv", text)) for name, text in files.items()]
        return await self.origin.client.post(f"{API}:import{query}", files=parts, headers=self.headers)

    async def run(self, upload: str, **wish: Any) -> httpx.Response:
        return await self.origin.client.post(f"{API}/{upload}:run", json=wish, headers=self.headers)

    async def told(self, upload: str) -> dict[str, Any]:
        answer = await self.origin.client.get(f"{API}/{upload}", headers=self.headers)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    async def brought(self, query: str = "", **files: str) -> dict[str, Any]:
        """Send files, let the worker work, and return what came of it."""
        sent = await self.post(query, **files)
        assert sent.status_code == 202, sent.text
        await self.runner().work_off()
        return await self.told(sent.json()["id"])


@pytest.fixture
async def bringer(database_url: str, tmp_path: Path) -> AsyncIterator[Bringer]:
    async with origin_world.origin(database_url, tmp_path) as origin:
        yield Bringer(origin, database_url, Desk(origin.world, tmp_path))


def said(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def test_files_are_checked_then_brought_then_nothing_is_left_to_do(bringer: Bringer) -> None:
    sent = await bringer.post("?dry_run=true", **NEW)
    upload = sent.json()["id"]
    assert (sent.status_code, sent.headers["location"]) == (202, f"{API}/{upload}")
    assert (sent.json()["state"], sent.json()["report"]) == ("waiting", None)
    assert await bringer.runner().work_off() == 1
    checked = await bringer.told(upload)
    assert (checked["state"], checked["report"]["outcome"], checked["report"]["slots"]["added"]) == (
        "over",
        "previewed",
        2,
    )
    assert await bringer.desk.slots() == []
    assert (await bringer.run(upload)).status_code == 202
    assert await bringer.runner().work_off() == 1
    done = await bringer.told(upload)
    assert (done["outcome"], done["report"]["slots"]["added"], done["files_kept"]) == ("done", 2, False)
    assert len(await bringer.desk.slots()) == 2
    assert await bringer.origin.world.count("supply_upload_piece") == 0
    assert (await bringer.brought(**NEW))["outcome"] == "unchanged"
    assert (await bringer.run(upload)).json()["code"] == "upload_files_gone"


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/csv; charset=utf-8", slots_csv(row(9))),
        (
            "application/x-ndjson",
            '{"site":"1","starts_at":"2027-03-02T09:00","ends_at":"2027-03-02T09:30","product":"140","capacity":5}',
        ),
    ],
    ids=["csv", "ndjson"],
)
async def test_a_body_may_be_one_file(bringer: Bringer, media: str, body: str) -> None:
    sent = await bringer.origin.client.post(
        f"{API}:import?name=mine.txt", content=body, headers=bringer.headers | {"Content-Type": media}
    )
    assert [file["name"] for file in sent.json()["files"]] == ["mine.txt"]
    await bringer.runner().work_off()
    assert (await bringer.told(sent.json()["id"]))["outcome"] == "done"
    assert await bringer.desk.slots() == [("1", "03-02T08:00", "08:30", 5, 5)]


async def test_what_is_wrong_is_told_row_by_row_and_nothing_is_changed(bringer: Bringer) -> None:
    refused = await bringer.brought(slots=slots_csv(row(9), row(10, product="8"), row(11, site="x y")))
    assert (refused["outcome"], refused["files_kept"]) == ("refused", False)
    assert [(each["file"], each["line"], each["code"]) for each in refused["report"]["faults"]] == [
        ("slots.csv", 3, "product"),
        ("slots.csv", 4, "code"),
    ]
    assert await bringer.desk.slots() == []
    page = await bringer.browser.get(f"{PAGE}/{refused['id']}")
    assert "2 faults. Nothing was changed" in said(page)
    assert "slots.csv 3 product product write a CVX code" in said(page)
    assert "refresh" not in page.headers


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("es", "el mismo turno está en slots.csv:2"),
        ("fr", "le même créneau se trouve dans slots.csv:2"),
        ("ar", "الفترة نفسها موجودة في slots.csv:2"),
    ],
)
async def test_the_page_says_in_its_readers_language_what_is_wrong_and_the_report_in_english(
    bringer: Bringer, language: str, told: str
) -> None:
    refused = await bringer.brought(slots=slots_csv(row(9), row(9), row(10, site="<b>")))
    faults = {each["kind"]: each for each in refused["report"]["faults"]}
    assert {(each["code"], each["what"]) for each in faults.values() if each["code"] == "row_twice"} == {
        ("row_twice", "the same slot is in slots.csv:2")
    }
    assert faults["row_twice_slot"]["given"] == {"place": "slots.csv:2"}
    browser = bringer.browser
    browser.cookies["vestibule_lang"] = language
    page = await browser.get(f"{PAGE}/{refused['id']}")
    assert told in said(page)
    assert ("row_twice" in said(page), "the same slot" in said(page)) == (True, False)


async def test_people_in_the_way_are_named_on_the_page_and_somebody_decides(bringer: Bringer) -> None:
    await bringer.desk.bring(slots_csv(row(9)))
    slot = await bringer.origin.world.connection.fetchval("SELECT id FROM slot")
    appointments = await bringer.desk.book(slot, 2)
    sent = await bringer.browser.upload(PAGE, slots=slots_csv(row(9, 0)))
    address = sent.headers["location"]
    await bringer.runner().work_off()
    page = await bringer.browser.get(address)
    assert "What about the slots in which people have booked or hold a place?" in said(page)
    assert all(appointment in page.text for appointment in appointments)
    undecided = await bringer.browser.post(f"{address}/run", address)
    assert undecided.status_code == 303
    await bringer.runner().work_off()
    assert "Please decide" in said(await bringer.browser.get(address))
    await bringer.browser.post(f"{address}/run", address, booked="cut")
    await bringer.runner().work_off()
    assert "Done." in said(await bringer.browser.get(address))
    assert await bringer.desk.slots() == [("1", "03-02T08:00", "08:30", 2, 0)]
    assert await bringer.desk.books_add_up()
    listed = said(await bringer.browser.get(PAGE))
    assert "slots.csv (1) 0 1" in listed
    assert "silvia" in listed


async def test_held_places_are_told_by_program_and_page_in_every_language(bringer: Bringer) -> None:
    await bringer.desk.bring(slots_csv(row(9)))
    slot = await bringer.origin.world.connection.fetchval("SELECT id FROM slot")
    until = await bringer.desk.hold(slot, 1)
    told = await bringer.brought(slots=slots_csv(row(9, 0)))
    [in_the_way] = told["report"]["in_the_way"]
    assert (told["outcome"], in_the_way["booked"], in_the_way["held"]) == ("undecided", 0, 1)
    assert datetime.fromisoformat(in_the_way["held_until"]) == until
    local = until.astimezone(ZoneInfo("Europe/Madrid")).isoformat(" ", "seconds")
    for language, words in {
        "en": ("or hold a place", f"0 1 until {local} –"),
        "es": ("plazas retenidas", f"0 1 hasta el {local} –"),
        "fr": ("retiennent une place", f"0 1 jusqu’au {local} –"),
        "ar": ("أماكن محتفظ بها", f"0 1 حتى {local} –"),
    }.items():
        browser = bringer.browser
        browser.cookies["vestibule_lang"] = language
        page = said(await browser.get(f"{PAGE}/{told['id']}"))
        assert all(each in page for each in words), page


async def test_a_page_looks_again_while_an_upload_waits_and_says_how_far_it_is(bringer: Bringer) -> None:
    sent = await bringer.browser.upload(PAGE, **NEW)
    address = sent.headers["location"]
    waiting = await bringer.browser.get(address)
    assert waiting.headers["refresh"] == "2"
    assert "as soon as what came before is done" in said(waiting)
    await bringer.origin.world.connection.execute(
        "UPDATE supply_upload SET state = 'running', step = 'merging', done = 300, total = 400"
    )
    running_page = await bringer.browser.get(address)
    assert "Writing the slots : 75 %" in said(running_page).replace("slots:", "slots :")
    assert '<progress aria-labelledby="progress-title" max="100" value="75">' in running_page.text


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


async def test_files_of_any_name_stay_inside_their_folder_and_apart(bringer: Bringer) -> None:
    names: Sequence[str] = ("../../etc/x.csv", "C:\\x.csv", "..", "\x07")
    parts = [("files", (name, slots_csv(row(9 + number)))) for number, name in enumerate(names)]
    sent = await bringer.origin.client.post(f"{API}:import", files=parts, headers=bringer.headers)
    kept = [file["name"] for file in sent.json()["files"]]
    assert kept[:2] == ["x.csv", "2-x.csv"]
    assert len(set(kept)) == len(kept)
    assert not any("/" in name or "\\" in name or name in {"", ".."} for name in kept)
    await bringer.runner().work_off()
    assert (await bringer.told(sent.json()["id"]))["outcome"] == "done"


async def test_too_much_nothing_and_other_things_are_refused_with_their_code(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path, supply_upload_mb=1) as origin:
        bringer = Bringer(origin, database_url, Desk(origin.world, tmp_path))
        fits, too_much = "x" * 1024 * 1000, "x" * 1024 * 1024
        assert (await bringer.post(slots=fits)).status_code == 202
        assert (await bringer.post(slots=too_much)).json()["code"] == "body_too_large"

        async def unannounced() -> AsyncIterator[bytes]:
            for _ in range(5):
                yield b"x" * 256 * 1024

        csv = bringer.headers | {"Content-Type": "text/csv"}
        sent = await origin.client.post(f"{API}:import", content=unannounced(), headers=csv)
        assert (sent.status_code, sent.json()["code"]) == (413, "body_too_large")
        assert (await bringer.post(slots="")).json()["code"] == "upload_files_missing"
        many = {f"n{number}": "x" for number in range(21)}
        assert (await bringer.post(**many)).json()["code"] == "upload_files_missing"
        other = await origin.client.post(f"{API}:import", json={}, headers=bringer.headers)
        assert (other.status_code, other.json()["code"]) == (415, "unsupported_media_type")
        assert (await bringer.browser.upload(PAGE, slots="")).status_code == 422
        assert await origin.world.count("supply_upload") == 1


async def test_only_supply_and_operators_may_and_a_form_must_be_ours(bringer: Bringer) -> None:
    """U5."""
    sent = await bringer.post(**NEW)
    upload = sent.json()["id"]
    calls = [("POST", f"{API}:import"), ("GET", API), ("GET", f"{API}/{upload}"), ("POST", f"{API}/{upload}:run")]
    for role in (None, "visitor", "rules_author", "rules_reviewer", "support", "overrider", "operator", "supply"):
        headers = {} if role is None else {"Authorization": f"Bearer {bearer('x', role)}"}
        for method, path in calls:
            answer = await bringer.origin.client.request(method, path, headers=headers)
            may = role in {"operator", "supply"}
            expected = {401} if role is None else {200, 415} if may else {403}
            assert answer.status_code in expected, (role, method, path)
        if role is not None:
            for path in (PAGE, f"{PAGE}/{upload}"):
                page = await StaffBrowser(bringer.origin, "x", (role,)).get(path)
                assert page.status_code == (200 if role in {"operator", "supply"} else 403), (role, path)
    cookie = bringer.browser
    for path in (PAGE, f"{PAGE}/{upload}/run"):
        foreign = await cookie._send("POST", path, {"csrf": "k.made-up"}, [("files", ("a.csv", "x"))])
        assert foreign.status_code == 403
    assert await bringer.origin.world.count("supply_upload") == 1


async def test_who_brings_supply_is_led_to_it(bringer: Bringer) -> None:
    assert (await bringer.browser.get("/admin")).headers["location"] == PAGE
    operator = StaffBrowser(bringer.origin, "olga", ("operator",))
    assert f'href="{PAGE}"' in (await operator.get()).text
    assert f'href="{PAGE}"' not in (await StaffBrowser(bringer.origin, "a", ("rules_author",)).get()).text


async def test_an_upload_of_another_programme_is_unknown(bringer: Bringer) -> None:
    await bringer.origin.world.connection.execute(
        "INSERT INTO programme (id, name, room) VALUES ('other', 'Other', 'other')"
    )
    upload = (await bringer.post(**NEW)).json()["id"]
    for path, code in (
        (f"/v1/admin/programmes/other/supply/{upload}", "upload_unknown"),
        (f"{API}/7", "upload_unknown"),
        ("/v1/admin/programmes/nowhere/supply", "programme_unknown"),
    ):
        answer = await bringer.origin.client.get(path, headers=bringer.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
