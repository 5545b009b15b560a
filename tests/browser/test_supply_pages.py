"""Supply by upload in a real browser: files are chosen, checked and brought, with and without scripts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, Route, expect
from prometheus_client import CollectorRegistry

from origin.db.pool import Database, connect, create_pool
from origin.inventory.uploads.running import UploadRunner
from origin.metrics import OriginMetrics
from shared.clock import ManualClock, SystemClock
from shared.ids import SystemIds
from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way
from tests.origin_world import World
from tests.supply_world import HEADER, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUPPLY = "/admin/programmes/demo/supply"
_SITES = (
    "site,region,name,address,town,lat,lng,time_zone,step_free\n"
    "getafe-1,ES-MD,Sports hall,Calle Uno 1,Getafe,40.3,-3.7,Europe/Madrid,yes\n"
)


_NO_SITE = {
    "ar": "لا يوجد مركز nowhere",
    "es": "no hay ningún centro nowhere",
    "fr": "il n’y a pas de centre nowhere",
}


def _row(capacity: str, *, site: str = "getafe-1") -> str:
    day = (SystemClock().now() + timedelta(days=20)).date()
    return f"{HEADER}\n{site},{day}T09:00,{day}T09:30,140,{capacity}\n"


@asynccontextmanager
async def _worker(stack: Stack) -> AsyncIterator[UploadRunner]:
    pool = await create_pool(stack.database_url, size=2)
    database = Database(pool, OriginMetrics(CollectorRegistry()), wait_s=5)
    try:
        yield UploadRunner(database, stack.database_url, SystemClock(), SystemIds())
    finally:
        await database.close()


async def _choose(page: Page, **files: str) -> None:
    chosen: list[FilePayload] = [
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": text.encode()} for name, text in files.items()
    ]
    await page.get_by_label("Files").set_input_files(chosen)
    await page.get_by_role("button", name="Check them").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Upload")


async def _check(page: Page) -> None:
    assert await faults_of(page) == []


async def _check_as_it_is(page: Page) -> None:
    """Check a page that looks again by itself, in a window in which it does not."""
    still = await page.context.new_page()
    await still.route("**/supply/*", _without_refresh)
    await still.goto(page.url)
    await expect(still.get_by_role("progressbar")).to_be_visible()
    await _check(still)
    await still.close()


async def _without_refresh(route: Route) -> None:
    answer = await route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
    await route.fulfill(response=answer, headers=headers)


async def _come(stack: Stack, visit: Visit, *, javascript: bool = True) -> Way:
    way = Way(await visit(javascript=javascript), stack)
    await way.page.goto(stack.origin_url + SUPPLY)
    await way.heading("Please sign in")
    await way.sign_in("olga")
    await way.heading("Sites and slots")
    return way


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_files_are_brought_and_the_page_follows_by_itself(stack: Stack, visit: Visit, javascript: bool) -> None:
    page = (await _come(stack, visit, javascript=javascript)).page
    async with _worker(stack) as worker:
        await _choose(page, sites=_SITES.replace("getafe-1", f"s{javascript}"), slots=_row("7", site=f"s{javascript}"))
        await expect(page.get_by_text("The files are being checked")).to_be_visible()
        await worker.work_off()
        await expect(page.get_by_text("Checked. Nothing is changed yet.")).to_be_visible()
        await page.get_by_role("button", name="Bring it in").click()
        await expect(page.get_by_text("The files are being brought in")).to_be_visible()
        await worker.work_off()
        await expect(page.get_by_role("status")).to_have_text("Done.")
    await page.goto(stack.origin_url + SUPPLY)
    await expect(page.get_by_role("region", name="What was brought, by whom")).to_contain_text("sites.csv (1)")
    assert (
        await stack.value(f"SELECT sum(remaining) FROM slot JOIN site ON site.id = site WHERE code = 's{javascript}'")
        == 7
    )


async def test_the_supply_pages_are_for_everybody_who_brings_it(stack: Stack, visit: Visit, tmp_path: Path) -> None:
    way = await _come(stack, visit)
    page = way.page
    await _check(page)
    async with _worker(stack) as worker:
        await _choose(page, sites=_SITES, slots=_row("7"))
        await _check_as_it_is(page)
        await worker.work_off()
        await expect(page.get_by_text("Checked. Nothing is changed yet.")).to_be_visible()
        await _check(page)
        await page.get_by_role("button", name="Bring it in").click()
        await worker.work_off()
        await expect(page.get_by_role("status")).to_have_text("Done.")
        await page.get_by_role("link", name="Sites and slots").click()
        await _choose(page, slots=_row("many") + _row("7", site="nowhere").splitlines()[1])
        await worker.work_off()
        await expect(page.get_by_text("2 faults.")).to_be_visible()
        await _check(page)
        faulty = page.url
        await _book_a_place(stack, tmp_path)
        await page.get_by_role("link", name="Sites and slots").click()
        await _choose(page, slots=_row("0"))
        await worker.work_off()
        await expect(
            page.get_by_text("What about the slots in which people have booked or hold a place?")
        ).to_be_visible()
        await page.get_by_text("1 appointment").click()
        await _check(page)
        asked = page.url
        for language in ("ar", "es", "fr"):
            await page.context.add_cookies([{"name": "vestibule_lang", "value": language, "url": stack.origin_url}])
            for address in (stack.origin_url + SUPPLY, faulty, asked):
                await page.goto(address)
                await _check(page)
                if address == faulty:
                    await expect(page.get_by_text(_NO_SITE[language])).to_be_visible()


async def _book_a_place(stack: Stack, folder: Path) -> None:
    connection = await connect(stack.database_url)
    try:
        slot = await connection.fetchval("SELECT slot.id FROM slot JOIN site ON site.id = site WHERE code = 'getafe-1'")
        await Desk(World(connection, ManualClock(SystemClock().now())), folder).book(slot, 1)
    finally:
        await connection.close()
