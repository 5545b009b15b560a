"""The self-check: from the waiting page into a tab of its own, question by question, and back to one's place."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")

OFFER = "Could you book? Ask the rules while you wait"


async def _answer(page: Page, year: str) -> None:
    way_on = page.get_by_role("button", name="Continue")
    for label, value in (("Day", "17"), ("Month", "5"), ("Year", year)):
        await page.get_by_label(label, exact=True).fill(value)
    await way_on.click()
    await page.get_by_label("Where do you live?").select_option("ES-CM")
    await way_on.click()
    await page.get_by_label("None of these").check()
    await way_on.click()


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_whoever_waits_asks_in_a_new_tab_and_no_cookie_is_set(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    await way.join("slow")
    await way.heading("You are in line")
    place = await way.page.locator("#place").inner_text()
    async with way.page.context.expect_page() as opened:
        await way.follow(OFFER)
    page = await opened.value
    before = await page.context.cookies(stack.origin_url)
    await _answer(page, "1950")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Yes, by today's rules you could book")
    assert not javascript or await faults_of(page) == []
    assert page.url == f"{stack.origin_url}/check/demo?lang=en"
    assert await page.context.cookies(stack.origin_url) == before
    await way.page.reload()
    assert await way.page.locator("#place").inner_text() == place


async def test_a_not_yet_says_why_and_from_when_and_answers_can_be_changed(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.goto(f"{stack.origin_url}/check/demo?lang=en")
    assert await faults_of(page) == []
    await _answer(page, "1990")
    await page.get_by_label("What is your work?").select_option("none")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not yet, by today's rules")
    await expect(page.get_by_text("You can book from Tuesday 17 May 2050")).to_be_visible()
    await expect(page.get_by_text("You have diabetes.")).to_be_visible()
    await page.get_by_role("button", name="العربية").click()
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert await faults_of(page) == []
    await page.get_by_role("button", name="English").click()
    await page.get_by_role("button", name="Change my answers").click()
    await expect(page.get_by_label("Year", exact=True)).to_have_value("1990")
    await page.get_by_label("None of these").uncheck()
    await page.get_by_label("Diabetes").check()
    await page.get_by_role("button", name="See what the rules say").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Yes, by today's rules you could book")


async def test_when_too_many_ask_nothing_typed_is_lost(stack: Stack, visit: Visit) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, headers={"Retry-After": "2"}, body="<main id=main>busy</main>")

    page = await visit()
    await page.goto(f"{stack.origin_url}/check/demo?lang=en")
    await page.wait_for_load_state("networkidle")
    await page.route("**/check/demo**", refuse)
    for label, value in (("Day", "17"), ("Month", "5"), ("Year", "1950")):
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_text("Too many people are asking at this moment.")).to_be_visible()
    await expect(page.get_by_label("Year", exact=True)).to_have_value("1950")
    await page.unroute("**/check/demo**")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_label("Where do you live?")).to_be_visible()
