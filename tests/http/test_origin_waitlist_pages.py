"""The waitlist on pages, without a script."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from origin.waitlist.offering import Offering
from tests import origin_world
from tests.origin_browser import Browser
from tests.origin_world import SENIOR, Origin


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path) as made:
        await made.world.connection.execute("UPDATE programme SET waitlist = true")
        await made.state.programmes.refresh()
        yield made


async def work(origin: Origin) -> int:
    state = origin.state
    return await Offering(state.database, origin.world.clock, state.ids, state.metrics, state.waitlist).run()


async def press(browser: Browser, path: str) -> httpx.Response:
    """Press a button on the waitlist's page."""
    found = re.search(r'name="csrf" value="([^"]*)"', (await browser.get("/waitlist")).text)
    assert found
    return await browser.post(path, {"csrf": found[1]})


async def test_who_found_nothing_waits_is_offered_a_place_and_books_it(origin: Origin) -> None:
    full = await origin.world.slot()
    other = origin.visitor("other")
    booked = await other.book(full, await other.decision())
    browser = Browser(origin)
    await browser.answer(SENIOR)
    nothing = (await browser.get("/slots?place=Madrid%2C+ES-MD&radius=10")).text
    assert 'href="/waitlist?town=Madrid%2C+ES-MD&amp;radius=10"' in nothing
    page = (await browser.get("/waitlist?town=Madrid%2C+ES-MD&radius=10")).text
    assert '<option value="Madrid, ES-MD" selected>' in page
    assert '<option value="10" selected>' in page
    joined = await browser.post("/waitlist", {"town": "Madrid, ES-MD", "radius": "10", "days": "28"})
    assert (joined.status_code, joined.headers["location"]) == (303, "/waitlist")
    page = (await browser.get("/waitlist")).text
    assert "Within 10 km" in page
    assert "Wait for a place</button>" not in page
    assert "You are on the waitlist" in (await browser.get("/")).text

    await origin.client.delete(booked.headers["location"], headers=other.headers)
    assert await work(origin) == 1
    assert "kept for you until 10:30" in (await browser.get("/")).text
    entry = re.search(r"/waitlist/([0-9a-f-]{36})/take", (await browser.get("/waitlist")).text)
    assert entry
    browser.cookies.pop("vestibule_admission")
    taken = await press(browser, f"/waitlist/{entry[1]}/take")
    assert (taken.status_code, taken.headers["location"]) == (303, f"/slots/{full}/confirm")
    confirmed = await browser.post(f"/slots/{full}/confirm", {})
    assert confirmed.headers["location"].endswith("?booked=1"), confirmed.text
    await work(origin)
    assert "You have booked." in (await browser.get("/waitlist")).text


async def test_a_slot_that_is_gone_leads_to_the_waitlist_of_its_site(origin: Origin) -> None:
    slot = await origin.world.slot()
    browser = Browser(origin)
    await browser.answer(SENIOR)
    form = (await browser.get(f"/slots/{slot}/confirm")).text
    other = origin.visitor("other")
    await other.book(slot, await other.decision())
    key = re.search(r'name="key" value="([^"]*)"', form)
    assert key
    gone = await browser.post(f"/slots/{slot}/confirm", {"key": key[1]})
    assert (gone.status_code, f'href="/waitlist?slot={slot}"' in gone.text) == (409, True)
    page = (await browser.get(f"/waitlist?slot={slot}")).text
    assert "Health centre" in page
    assert (await browser.post("/waitlist", {"slot": str(slot), "days": "7"})).status_code == 303
    page = (await browser.get("/waitlist")).text
    assert "At Health centre, until Monday 8 March 2027" in page
    left = re.search(r"/waitlist/[0-9a-f-]{36}/leave", page)
    assert left
    assert (await press(browser, left[0])).status_code == 303
    assert await origin.world.count("waitlist_entry", "state = 'left'") == 1


async def test_a_programme_without_one_offers_none(origin: Origin) -> None:
    await origin.world.connection.execute("UPDATE programme SET waitlist = false")
    origin.world.clock.advance(31)
    browser = Browser(origin)
    await browser.answer(SENIOR)
    assert "/waitlist" not in (await browser.get("/slots?place=Madrid%2C+ES-MD")).text
    assert "Wait for a place</button>" not in (await browser.get("/waitlist")).text


async def test_what_is_over_is_said(origin: Origin) -> None:
    browser = Browser(origin)
    await browser.answer(SENIOR)
    assert (await browser.post("/waitlist", {"town": "Madrid, ES-MD"})).status_code == 303
    await origin.world.slot()
    await work(origin)
    entry = re.search(r"/waitlist/([0-9a-f-]{36})/take", (await browser.get("/waitlist")).text)
    assert entry
    origin.world.clock.advance(1801)
    late = await press(browser, f"/waitlist/{entry[1]}/take")
    assert late.headers["location"] == "/waitlist?note=offer_over"
    assert "It went to the next person" in (await browser.get("/waitlist?note=offer_over")).text
