"""A room that asks for a challenge and a cookie: a browser solves it unseen, and nobody is kept out who cannot."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit, Watched
from tests.browser.stack import Stack
from tests.browser.way import Way
from tests.browser.weight import MOST_BYTES, weight_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_browser_solves_the_challenge_in_a_worker(stack: Stack, visit: Visit, watched: Watched) -> None:
    page = await visit()
    workers: list[str] = []
    page.on("worker", lambda worker: workers.append(worker.url))
    await Way(page, stack).join("asking")
    await Way(page, stack).heading("You are in line")
    assert len(workers) == 1
    assert "/static/proof.js" in workers[0]
    assert sum(request.url.endswith("/challenge") for request in watched.requests) == 1


async def test_without_workers_the_page_solves_it_itself(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.add_init_script("delete window.Worker")
    await Way(page, stack).join("asking")
    await Way(page, stack).heading("You are in line")


async def test_the_way_is_said_as_it_is_gone(stack: Stack, visit: Visit) -> None:
    page = await visit()
    asked = asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await page.wait_for_event("close")

    await page.route("**/challenge", hold)
    await Way(page, stack).knock("asking")
    await asyncio.wait_for(asked.wait(), 10)
    await expect(page.locator("#proof[role=status]")).to_have_text(
        "Your browser works out a small sum, so that programs cannot take the places of people. Done: 0%"
    )
    assert await faults_of(page) == []


async def test_who_does_not_compute_waits_and_presses_a_button(stack: Stack, visit: Visit) -> None:
    page = await visit(javascript=False)
    way = Way(page, stack)
    await way.join("asking")
    await way.heading("One more step")
    await _press_until_in_line(page)


async def test_who_has_waited_for_the_sum_for_long_may_wait_for_the_page_instead(stack: Stack, visit: Visit) -> None:
    page = await visit()

    async def never(_route: Route) -> None: ...

    await page.clock.install()
    await page.route("**/challenge", never)
    way = Way(page, stack)
    await way.knock("asking")
    await expect(page.get_by_role("button", name="Wait instead")).to_be_hidden()
    await page.clock.run_for(4_000)
    await way.press("Wait instead")
    await way.heading("One more step")
    assert await faults_of(page) == []
    await _press_until_in_line(page)


async def test_a_challenge_that_does_not_come_leads_to_the_other_way(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.route("**/challenge", lambda route: route.abort())
    await Way(page, stack).join("asking")
    await Way(page, stack).heading("One more step")


async def test_the_page_with_the_challenge_weighs_at_most_20_kilobytes(stack: Stack, visit: Visit) -> None:
    parts = await weight_of(await visit(), f"{stack.edge_url}/rooms/asking")
    assert any("proof.js" in address for address in parts)
    assert sum(parts.values()) <= MOST_BYTES, parts


async def _press_until_in_line(page: Page) -> None:
    heading = page.get_by_role("heading", level=1)
    async with asyncio.timeout(15):
        while await heading.inner_text() != "You are in line":
            await page.get_by_role("button", name="Continue").click()
            await page.wait_for_load_state()
