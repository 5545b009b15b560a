"""``vestibule feed validate`` over HTTP: our own feed has no fault, others' are told from what cannot be read."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from deploy.cli import app
from deploy.feed.check import check
from deploy.feed.findings import Report
from deploy.feed.sources import source_of
from deploy.stores import free_port
from origin.app import create_app
from origin.inventory.supply import SlotRow, import_supply
from tests import feed_world
from tests.origin_world import START, World, config, world
from tests.serving import Serve, serving


@pytest.fixture
async def published(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[World, str]]:
    """An origin that knows its own address, on sites of which everything is known; the address of its feed."""
    port = free_port()
    async with world(database_url) as made:
        await made.connection.execute("UPDATE site SET postcode = '28001', phone = '+34 910 000 000'")
        url = f"http://127.0.0.1:{port}"
        origin = create_app(config(tmp_path, database_url, origin_public_url=url), clock=made.clock)
        async with serving(origin, port):
            yield made, f"{url}/v1/feeds/demo/$bulk-publish"


async def checked(address: str) -> Report:
    """Check as the command does, but on the origin's clock."""
    report = Report(address)

    def run() -> None:
        with source_of(address) as source:
            check(source, report, now=START, max_mb=64, progress=lambda *_: None)

    await asyncio.to_thread(run)
    return report


async def test_our_own_feed_has_no_fault(published: tuple[World, str]) -> None:
    made, address = published
    slots = [
        await made.slot(site=1 + n % 3, capacity=3, hours=24 + n, product=("140", "208")[n % 2]) for n in range(12)
    ]
    await made.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", slots[0])
    await made.connection.execute("UPDATE slot SET remaining = 1 WHERE id = $1", slots[1])

    report = await checked(address)

    assert report.counts == {}
    assert report.resources == {"Location": 3, "Schedule": 6, "Slot": 13}


async def test_a_feed_of_many_slots_at_one_site_is_told_to_the_last(published: tuple[World, str]) -> None:
    made, address = published
    times = (START + timedelta(minutes=30 * n) for n in range(1, 1251))
    rows = [
        SlotRow("demo", 1, at, at + timedelta(minutes=30), product, 2) for at in times for product in ("140", "168")
    ]
    await import_supply(made.connection, [], [], rows)  # more than two pages, two of a time

    report = await checked(address)

    assert report.counts == {}
    assert report.resources["Slot"] == 2500


PAGES = {
    "locations": feed_world.LOCATION,
    "schedules": feed_world.SCHEDULE,
    "slots": feed_world.SLOT,
}


def publisher(*, relative: bool = False) -> Starlette:
    """Another publisher's server."""

    async def manifest(request: Request) -> Response:
        base = "" if relative else str(request.base_url)
        document = feed_world.Feed().document | {
            "request": str(request.url),
            "output": [feed_world.output("x", "x") | {"type": kind, "url": f"{base}{name}"} for kind, name in FILES],
        }
        return Response(msgspec.json.encode(document), media_type="application/json; charset=utf-8")

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in PAGES:
            return Response(status_code=404)
        headers = {"Cache-Control": "max-age=60"}
        return Response(msgspec.json.encode(PAGES[name]), media_type="application/fhir+ndjson", headers=headers)

    async def moved(request: Request) -> Response:
        return RedirectResponse("/$bulk-publish")

    return Starlette(
        routes=[Route("/$bulk-publish", manifest), Route("/old/$bulk-publish", moved), Route("/{name}", file)]
    )


FILES = [("Location", "locations"), ("Schedule", "schedules"), ("Slot", "slots"), ("Slot", "gone")]


async def test_anothers_feed_is_read_with_what_its_server_says(serve: Serve) -> None:
    base = await serve(publisher())

    report = await checked(f"{base}/$bulk-publish")

    assert report.counts == {"cache_missing": 1, "output_missing": 1}
    assert report.resources == {"Location": 1, "Schedule": 1, "Slot": 1}
    assert report.examples["output_missing"][0].found == "it answers 404 Not Found"
    assert (await checked(f"{base}/old/$bulk-publish")).counts == report.counts | {"request_differs": 1}


async def test_relative_addresses_are_wrong_and_followed_all_the_same(serve: Serve) -> None:
    base = await serve(publisher(relative=True))

    report = await checked(f"{base}/$bulk-publish")

    assert report.counts == {"cache_missing": 1, "output_missing": 1, "url_form": 4}
    assert report.resources == {"Location": 1, "Schedule": 1, "Slot": 1}


def folder(path: Path) -> Path:
    """A feed without fault as files."""
    feed = feed_world.Feed()
    (path / "$bulk-publish").write_bytes(msgspec.json.encode(feed.document))
    for name, resource in PAGES.items():
        (path / name).write_bytes(msgspec.json.encode(resource))
    return path


def test_the_command_ends_with_0_for_a_feed_without_errors(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["feed", "validate", str(folder(tmp_path))])

    # It is published in 2027: whatever the day of the test, that is a warning at most.
    assert run.exit_code == 0
    assert "1 Location, 1 Schedule, 1 Slot; 0 errors" in run.stdout


def test_the_command_ends_with_1_for_errors_and_tells_programs_where(tmp_path: Path) -> None:
    (folder(tmp_path) / "slots").write_bytes(msgspec.json.encode(feed_world.SLOT | {"status": "full"}))

    run = CliRunner().invoke(app, ["feed", "validate", str(tmp_path), "--json"])

    assert run.exit_code == 1
    told = json.loads(run.stdout)
    assert told["errors"] == 1
    assert told["findings"][0] == {
        "rule": "status_value",
        "severity": "error",
        "meaning": "a slot is free or busy",
        "count": 1,
        "examples": [{"file": "slots", "line": 1, "path": "status", "found": "'full'"}],
    }


@pytest.mark.parametrize("where", ["nowhere", "http://127.0.0.1:9/$bulk-publish", "http://[/$bulk-publish"])
def test_the_command_ends_with_2_and_one_line_where_nothing_can_be_read(where: str) -> None:
    run = CliRunner().invoke(app, ["feed", "validate", where])

    assert run.exit_code == 2
    assert run.stderr.startswith("vestibule: ")
    assert run.stderr.count("\n") == 1
