"""Every page is accessible and fits a small telephone."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _check(page: Page) -> None:
    assert await faults_of(page) == []


async def test_the_checker_finds_what_is_wrong(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.goto(f"{stack.edge_url}/")
    await page.evaluate("document.querySelector('main').innerHTML = '<img src=\"/x\"><pre>' + 'x'.repeat(400)")
    faults = " ".join(await faults_of(page))
    assert "image-alt" in faults
    assert "scrolls sideways" in faults


async def test_pages_of_the_waiting_room(stack: Stack, visit: Visit) -> None:
    page = await visit()
    for path in ("/", "/rooms/demo", "/rooms/closed", "/rooms/demo?note=left", "/no/such/page", "/rooms/nowhere"):
        await page.goto(stack.edge_url + path)
        await _check(page)
    way = Way(page, stack)
    await stack.crowd("slow", 3)
    await way.join("slow")
    await way.heading("You are in line")
    await page.get_by_text("Leave the line").click()
    await _check(page)


async def test_pages_of_a_called_visitor(stack: Stack, visit: Visit) -> None:
    async def pace(route: Route) -> None:
        await route.fulfill(status=429, headers={"Retry-After": "30"}, json={"code": "paced"})

    way = Way(await visit(), stack)
    await way.page.route("**/admissions", pace)
    await way.join()
    await way.heading("It is your turn")
    await way.live()
    await way.press("Remind me again in 10 minutes")
    await _check(way.page)
    await way.press("I am here – go to booking")
    await expect(way.page.get_by_text("Many people are going through")).to_be_visible()
    await _check(way.page)
    await way.page.evaluate("document.getElementById('enter').submit()")  # as without scripts
    await way.heading("It is your turn")
    await _check(way.page)
    await way.press("Go to booking")
    await way.heading("You are through. Sign in next")
    await way.page.goto(f"{stack.edge_url}/rooms/demo")
    await way.heading("You have been let through")
    await _check(way.page)


async def test_pages_of_somebody_who_was_not_let_through(stack: Stack, visit: Visit) -> None:
    page = await visit()
    for path in ("/", "/no/such/page", "/eligibility", "/appointments/1", "/login/callback"):
        await page.goto(stack.origin_url + path)
        await _check(page)


async def test_pages_of_booking(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await _check(page)
    await way.press("Continue")
    await expect(page.get_by_role("alert")).to_be_visible()
    await _check(page)
    await way.born("1990")
    await way.next("Where do you live?")
    await _check(page)
    await way.answer(year="1990")
    await way.heading("Not yet, but your turn will come")
    await _check(page)
    await way.follow("Change my answers")
    await way.answer()
    await way.heading("You can book now")
    await _check(page)
    await way.follow("Choose a time and a place")
    await way.heading("Choose a time and a place")
    await _check(page)
    await page.goto(f"{stack.origin_url}/slots?town=ES-MD.Madrid&from=2099-01-01")
    await way.heading("Choose a time and a place")
    await _check(page)


async def test_pages_of_an_appointment(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    slot = await way.to_confirm()
    await _check(page)
    await stack.sell_out(slot)
    await way.press("Confirm this appointment")
    await way.heading("That time has just been taken")
    await _check(page)
    await page.get_by_role("button", name="Book").first.click()
    await way.appointment()
    await _check(page)
    await page.goto(f"{stack.origin_url}/")
    await _check(page)
    await page.get_by_role("heading", level=2).get_by_role("link").click()
    await way.follow("Cancel this appointment")
    await _check(page)
    await way.press("Yes, cancel it")
    await way.heading("Your appointment is cancelled")
    await _check(page)
