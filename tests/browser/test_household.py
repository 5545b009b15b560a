"""A household in a browser, with or without scripts: every page is accessible, and one press books for all."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def shot(page: Page, name: str) -> None:
    folder = os.environ.get("SHOTS")
    if folder:
        for width in (1280, 320):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        await page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_family_is_asked_and_booked_and_every_page_is_accessible(
    stack: Stack, visit: Visit, scripts: bool
) -> None:
    way = Way(await visit(javascript=scripts), stack)
    page = way.page

    async def look(name: str) -> None:
        await shot(page, name)
        assert not scripts or await faults_of(page) == []

    await way.to_questions()
    await way.follow("Book for your household")
    await way.heading("Who is this for?")
    await way.press("Add to my household")
    await look("household-fault")
    await page.get_by_label("Name", exact=True).fill("Kim Ümit")
    await page.get_by_label("Number on the health card").fill(stack.somebody())
    await way.press("Add to my household")
    await page.get_by_label("Kim Ümit").check()
    await page.get_by_label("For me").check()
    await look("household")
    await way.press("Continue")
    await way.heading("Questions for each of you")
    for result in ("You can book now", "Kim Ümit can book now"):
        await page.get_by_role("link", name="Answer the questions").first.click()
        await look("household-questions")
        await way.answer()
        await way.heading(result)
        await look("household-result")
        await way.follow("Go on with your household")
    await look("household-party")
    await way.follow("Choose a time for all")
    await look("household-times")
    times = page.get_by_role("link", name="Choose ").filter(has_text=":")
    address = await times.first.get_attribute("href") or ""
    await times.first.click()
    await way.heading("Confirm for all")
    await look("household-confirm")
    await stack.sell_out(int(address.rpartition("/")[2].split("-")[0]))
    await way.press("Confirm for all")
    await way.heading("That time has just been taken")
    await look("household-taken")
    await times.first.click()
    await way.press("Confirm for all")
    await way.heading("Your appointments")
    await look("household-booked")
    await page.goto(f"{stack.origin_url}/")
    await look("household-home")
