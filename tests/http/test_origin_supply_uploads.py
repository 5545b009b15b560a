"""Supply by upload, over HTTP: checked and decided about, by programs and by pages."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests import origin_world
from tests.bringing_world import API, NEW, PAGE, Bringer, said
from tests.origin_world import bearer
from tests.staff_browser import StaffBrowser
from tests.supply_world import Desk, row, slots_csv


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
