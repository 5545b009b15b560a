"""The public feed over HTTP: manifest and files, who gets what, how fresh, how often it is made."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests import origin_world
from tests.origin_world import START, Origin

FEED = "/v1/feeds/demo"


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path) as made:
        await made.world.connection.execute("UPDATE site SET postcode = '28001', phone = '+34 910 000 000'")
        yield made


async def lines(origin: Origin, name: str, region: str = "ES-MD") -> list[dict[str, Any]]:
    answer = await origin.client.get(f"{FEED}/{name}.ndjson", params={"region": region})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_the_manifest_leads_to_three_files_of_each_region_that_has_slots(origin: Origin) -> None:
    await origin.world.slot()
    await origin.world.slot(site=2)

    answer = await origin.client.get(f"{FEED}/$bulk-publish")

    manifest = answer.json()
    assert manifest["transactionTime"] == "2027-03-01T09:00:00Z"
    assert manifest["request"] == "http://127.0.0.1:8081/v1/feeds/demo/$bulk-publish"
    assert [(each["type"], each["extension"]["state"]) for each in manifest["output"]] == [
        (kind, [region]) for kind in ("Location", "Schedule", "Slot") for region in ("ES-CM", "ES-MD")
    ]
    for each in manifest["output"]:
        path = each["url"].removeprefix("http://127.0.0.1:8081")
        file = await origin.client.get(path)
        assert file.status_code == 200
        assert file.headers["content-type"] == "application/fhir+ndjson"
        assert [json.loads(line)["resourceType"] for line in file.text.splitlines()] == [each["type"]]


async def test_a_slot_is_told_as_its_free_places_and_its_taken_ones(origin: Origin) -> None:
    slot = await origin.world.slot(capacity=5)
    await origin.world.connection.execute("UPDATE slot SET remaining = 2 WHERE id = $1", slot)

    told = await lines(origin, "slots")

    assert [(each["id"], each["status"], each["extension"][-1]["valueInteger"]) for each in told] == [
        (f"{slot}.free", "free", 2),
        (f"{slot}.busy", "busy", 3),
    ]
    assert told[0]["start"] == "2027-03-02T10:00:00+01:00"  # on the site's clock
    assert told[0]["extension"][0]["valueUrl"] == "http://127.0.0.1:8080/rooms/demo"
    assert told[0]["schedule"]["reference"] == f"Schedule/{(await lines(origin, 'schedules'))[0]['id']}"


async def test_nothing_is_free_where_booking_is_frozen(origin: Origin) -> None:
    await origin.world.slot(capacity=5)
    await origin.world.slot(site=2)
    await origin.world.connection.execute(
        "INSERT INTO region_freeze (programme, region, since, reason) VALUES ('demo', 'ES-MD', $1, 'recall')", START
    )

    assert [each["status"] for each in await lines(origin, "slots")] == ["busy"]
    assert [each["status"] for each in await lines(origin, "slots", "ES-CM")] == ["free"]


async def test_what_has_begun_is_not_offered(origin: Origin) -> None:
    await origin.world.slot(hours=-1)

    assert await lines(origin, "slots") == []
    assert len(await lines(origin, "locations")) == 1


async def test_a_site_without_postcode_is_left_out_whole_and_counted(origin: Origin) -> None:
    await origin.world.slot()
    await origin.world.connection.execute("UPDATE site SET postcode = '' WHERE id = 1")

    assert [await lines(origin, name) for name in ("locations", "schedules", "slots")] == [[], [], []]
    assert origin.metric("feed_left_out", programme="demo", region="ES-MD") == 1


async def test_a_file_is_made_once_in_a_window_and_anew_in_the_next(origin: Origin) -> None:
    await origin.world.slot()
    first = await origin.client.get(f"{FEED}/slots.ndjson?region=ES-MD")
    await origin.world.slot(hours=30)

    origin.world.clock.advance(59)
    same = await origin.client.get(f"{FEED}/slots.ndjson?region=ES-MD")
    origin.world.clock.advance(1)
    later = await origin.client.get(f"{FEED}/slots.ndjson?region=ES-MD")

    assert first.headers["cache-control"] == "public, max-age=60"
    assert same.headers["cache-control"] == "public, max-age=1"
    assert same.content == first.content
    assert first.headers["etag"] == same.headers["etag"] != later.headers["etag"]
    assert same.headers["last-modified"] == "Mon, 01 Mar 2027 09:00:00 GMT"
    assert len(later.text.splitlines()) == 2
    assert origin.metric("feed_seconds_count", kind="Slot") == 2


async def test_who_has_it_already_is_told_so(origin: Origin) -> None:
    await origin.world.slot()
    for path in (f"{FEED}/$bulk-publish", f"{FEED}/slots.ndjson?region=ES-MD"):
        tag = (await origin.client.get(path)).headers["etag"]
        again = await origin.client.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag


async def test_it_is_sent_packed_or_plain_as_the_client_takes_it(origin: Origin) -> None:
    await origin.world.slot()
    path = f"{FEED}/slots.ndjson?region=ES-MD"

    async with origin.client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) == len(packed)
    plain = await origin.client.get(path, headers={"Accept-Encoding": "gzip;q=0, br"})

    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(packed) == plain.content
    head = await origin.client.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_what_there_is_not_is_refused(origin: Origin) -> None:
    await origin.world.slot()
    for path, status, code in (
        ("/v1/feeds/other/$bulk-publish", 404, "programme_unknown"),
        (f"{FEED}/slots.ndjson?region=ES-CN", 404, "region_unknown"),
        (f"{FEED}/slots.ndjson", 422, "invalid_query"),
    ):
        answer = await origin.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_feeds_of_all_programmes_are_listed(origin: Origin) -> None:
    listed = (await origin.client.get("/v1/feeds")).json()

    assert listed == {
        "feeds": [
            {
                "programme": "demo",
                "name": "Demo programme",
                "manifest": "http://127.0.0.1:8081/v1/feeds/demo/$bulk-publish",
            }
        ]
    }
