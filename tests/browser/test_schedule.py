"""Rooms that open later: the time is the server's, the page moves on by itself, and a draw says what it has drawn."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from shared.clock import SystemClock
from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit, Watched
from tests.browser.stack import Stack
from tests.browser.test_waiting_page import _HIDE, _answer, _until
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _asked(watched: Watched) -> int:
    """How often the page asked for the room's state."""
    return sum(request.url.endswith("/v1/rooms/later") for request in watched.requests)


async def _opens_in(page: Page, stack: Stack, seconds: float) -> None:
    """Let the page and every status say that the room can be joined in so many seconds, on the page's clock."""
    now = SystemClock().now()
    moment, as_of = ((now + timedelta(seconds=each)).isoformat() for each in (seconds, 0))

    async def page_of(route: Route) -> None:
        html = await (await route.fetch()).text()
        html = re.sub(r'(?<=id="at" datetime=")[^"]*', moment, html)
        await route.fulfill(body=re.sub(r'(?<=data-now=")[^"]*', as_of, html), content_type="text/html; charset=utf-8")

    told: dict[str, Any] = await (await page.request.get(f"{stack.edge_url}/v1/rooms/later")).json()

    async def status(route: Route) -> None:
        passed = datetime.fromtimestamp(await page.evaluate("Date.now()") / 1000, UTC)
        await route.fulfill(json=told | {"prequeue_at": moment, "as_of": passed.isoformat()})

    await page.route(f"{stack.edge_url}/rooms/later", page_of)
    await page.route("**/v1/rooms/later", status)


async def test_the_countdown_goes_by_the_servers_clock_whatever_the_device_says(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.clock.install(time=datetime(2001, 9, 9, tzinfo=UTC))
    await page.goto(f"{stack.edge_url}/rooms/later")
    await expect(page.locator("#left")).to_have_text(re.compile(r"^9 hours \d+ minutes$"))
    await expect(page.locator("#at")).to_have_text(re.compile(r"\d{1,2}:\d\d"))


async def test_in_the_last_hour_seconds_are_counted_and_then_it_is_any_moment(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.clock.install()
    await _opens_in(page, stack, 125)
    await page.goto(f"{stack.edge_url}/rooms/later")
    await expect(page.locator("#left")).to_have_text(re.compile(r"^2 minutes \d seconds?$"))
    await page.clock.run_for(130_000)
    await expect(page.locator("#left")).to_have_text("any moment now")


async def test_nobody_asks_in_the_moment_itself_and_each_page_has_its_own_second(
    stack: Stack, visit: Visit, watched: Watched
) -> None:
    page = await visit()
    await page.clock.install()
    await page.add_init_script("Math.random = () => 0.9")
    await _opens_in(page, stack, 8)
    await page.goto(f"{stack.edge_url}/rooms/later")
    await page.locator("#door[data-live]").wait_for()
    await page.clock.run_for(12_000)
    await expect(page.locator("#left")).to_have_text("any moment now")
    assert _asked(watched) == 0
    await page.clock.run_for(8_000)
    await _until(page, lambda: _asked(watched) == 1)


async def test_when_the_time_comes_the_page_moves_on_by_itself(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.add_init_script("Math.random = () => 0")  # the first of those who come back
    now = SystemClock().now()
    plan = {"prequeue_at": now + timedelta(hours=8), "opens_at": now + timedelta(hours=9)}
    await stack.create("opening", **{name: at.isoformat() for name, at in plan.items()})
    await page.goto(f"{stack.edge_url}/rooms/opening")
    await expect(page.get_by_text("Nobody can join yet.")).to_be_visible()
    soon = SystemClock().now() + timedelta(seconds=3)
    await stack.change("opening", schedule={"prequeue_at": soon.isoformat()})
    await page.evaluate(_HIDE, False)  # ask at once
    await expect(page.get_by_role("button", name="Take my place in line")).to_be_visible()
    await Way(page, stack).press("Take my place in line")
    await Way(page, stack).heading("You are in line")
    await expect(page.locator("#left")).to_have_text(re.compile(r"^(8|9) hours"))


async def test_what_is_being_typed_is_not_taken_away(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.goto(f"{stack.edge_url}/rooms/slow")
    await page.get_by_text("I have a code from another device").click()
    await page.get_by_label("Code from the other device").fill("7QK2M")
    told = asyncio.Event()
    status: dict[str, Any] = await (await page.request.get(f"{stack.edge_url}/v1/rooms/slow")).json()

    async def closed(route: Route) -> None:
        await route.fulfill(json=status | {"state": "closed"})
        told.set()

    await page.route("**/v1/rooms/slow", closed)
    await page.evaluate(_HIDE, False)  # ask at once
    await asyncio.wait_for(told.wait(), 10)
    await expect(page.get_by_label("Code from the other device")).to_have_value("7QK2M")


async def test_an_entry_waits_for_its_draw_and_is_told_its_place(stack: Stack, visit: Visit) -> None:
    page = await visit()
    way = Way(page, stack)
    await page.goto(f"{stack.edge_url}/rooms/drawing")
    await expect(page.get_by_text("it does not matter when you come")).to_be_visible()
    await way.press("Take part in the draw")
    await way.heading("You are in the draw")
    await page.get_by_text("What is the fingerprint, and how can I check the draw?").click()
    assert await faults_of(page) == []
    fingerprint = (await (await page.request.get(f"{stack.edge_url}/v1/rooms/drawing")).json())["lottery"]["commitment"]
    await expect(page.locator("#entered")).to_contain_text(f"{fingerprint[:8]}…")
    await expect(page.locator("#commitment")).to_have_text(fingerprint)
    await expect(page.locator("#waiting")).to_be_hidden()
    await _answer(page, entry=12, place=1204)
    await page.evaluate(_HIDE, False)
    await way.heading("You are in line")
    await expect(page.locator("#drawn")).to_have_text("Your entry 12 was drawn to place 1,204.")
    await expect(page.locator("#place")).to_have_text("1,204")
    await expect(page.locator("#entered, #when").locator("visible=true")).to_have_count(0)
    assert await faults_of(page) == []


async def test_every_page_of_a_schedule_is_accessible_in_every_direction(stack: Stack, visit: Visit) -> None:
    page = await visit()
    for language in ("en", "ar"):
        await page.context.add_cookies([{"name": "vestibule_lang", "value": language, "url": stack.edge_url}])
        for room in ("later", "drawing", "draining", "letters"):
            await page.goto(f"{stack.edge_url}/rooms/{room}")
            await page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true")
            assert await faults_of(page) == []
