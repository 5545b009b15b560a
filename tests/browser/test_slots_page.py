"""The page of free times, as people use it: typed places, filters, a calendar and a map, with and without scripts."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def show(page: Page) -> None:
    await page.get_by_role("button", name="Show times").click()


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_a_place_is_typed_and_what_is_meant_is_one_click_away(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    page = way.page
    await way.to_times()
    field = page.get_by_label("Near which town or postal code?")
    await expect(field).to_have_value("Madrid, Comunidad de Madrid")
    await field.fill("toled")
    await show(page)
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(field).to_have_accessible_description("We know no town or postal code that is called so")
    if javascript:
        assert await faults_of(page) == []
    await way.follow("Toledo, Castilla-La Mancha")
    await expect(page.get_by_role("heading", level=3).first).to_contain_text("Biblioteca")
    await expect(field).to_have_value("Toledo, Castilla-La Mancha")
    await field.fill("45 001")
    await page.get_by_label("What first?").select_option("The earliest times")
    await show(page)
    await expect(field).to_have_value("45001, Castilla-La Mancha")
    await expect(page.get_by_role("heading", level=3).first).to_contain_text("1 Biblioteca")
    await expect(page.get_by_role("img", name="Map of the places in the list around 45001")).to_be_visible()


async def test_filters_keep_what_was_chosen_and_everything_can_be_read_by_everybody(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_times()
    await page.get_by_label("How far can you travel?").select_option("up to 100 km")
    await page.get_by_text("What else the place must have").click()
    await page.get_by_label("hearing loop").check()
    await show(page)
    headings = page.get_by_role("heading", level=3)
    await expect(headings.first).to_have_text("1 Biblioteca")
    await expect(page.get_by_label("hearing loop")).to_be_checked()
    await expect(page.get_by_text("no steps · hearing loop · quiet room").first).to_be_visible()
    assert await faults_of(page) == []
    table = page.get_by_role("table")
    free = table.get_by_role("link")
    counted = await free.first.get_attribute("aria-label") or ""
    assert counted.endswith(" places")
    await free.last.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=2).nth(1)).to_be_visible()
    await expect(page.get_by_label("hearing loop")).to_be_checked()
    await expect(table.locator(".chosen").first).to_be_visible()


async def test_the_times_are_a_few_keys_away(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(width=320), stack)
    page = way.page
    await way.to_times()
    jump = page.get_by_role("link", name="Go to the times")
    await jump.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator("button.time").first).to_be_focused()
