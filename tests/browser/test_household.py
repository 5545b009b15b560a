"""A household in a browser, with or without scripts: every page is accessible, and one press books for all."""

import pytest
from playwright.async_api import expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_family_is_asked_and_booked_and_every_page_is_accessible(
    stack: Stack, visit: Visit, scripts: bool
) -> None:
    way = Way(await visit(javascript=scripts), stack)
    page = way.page

    async def look() -> None:
        assert not scripts or await faults_of(page) == []

    await way.to_questions()
    await way.follow("Book for your household")
    await way.heading("Who is this for?")
    await way.press("Add to my household")
    await look()
    await page.get_by_label("Name", exact=True).fill("Kim Ümit")
    await page.get_by_label("Number on the health card").fill(stack.somebody())
    await way.press("Add to my household")
    await page.get_by_label("Kim Ümit").check()
    await page.get_by_label("For me").check()
    await look()
    await way.press("Continue")
    await way.heading("Questions for each of you")
    for result in ("You can book now", "Kim Ümit can book now"):
        await page.get_by_role("link", name="Answer the questions").first.click()
        await look()
        await way.answer()
        await way.heading(result)
        await look()
        await way.follow("Go on with your household")
    await look()
    await way.follow("Choose a time for all")
    await look()
    times = page.get_by_role("link", name="Choose ").filter(has_text=":")
    address = await times.first.get_attribute("href") or ""
    await times.first.click()
    await way.heading("Confirm for all")
    await look()
    await stack.sell_out(int(address.rpartition("/")[2].split("-")[0]))
    await way.press("Confirm for all")
    await way.heading("That time has just been taken")
    await look()
    await times.first.click()
    await way.press("Confirm for all")
    await way.heading("Your appointments")
    await look()
    await page.goto(f"{stack.origin_url}/")
    await look()


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_was_decided_about_each_is_found_again_by_name(stack: Stack, visit: Visit, scripts: bool) -> None:
    way = Way(await visit(javascript=scripts), stack)
    page = way.page
    await way.to_questions()
    await way.follow("Book for your household")
    await page.get_by_label("Name", exact=True).fill("Kim Ümit")
    await page.get_by_label("Number on the health card").fill(stack.somebody())
    await way.press("Add to my household")
    await page.get_by_label("Kim Ümit").check()
    await page.get_by_label("For me").check()
    await way.press("Continue")
    for year, result in (("1950", "You can book now"), ("1990", "Not yet, but your turn will come")):
        await page.get_by_role("link", name="Answer the questions").first.click()
        await way.answer(year=year)
        await way.heading(result)
        await page.goto(f"{stack.origin_url}/household/party")
    await page.goto(f"{stack.origin_url}/decisions")
    await way.heading("My decisions")
    about = page.get_by_role("region")
    await expect(about.filter(has=page.get_by_role("heading", name="About you"))).to_contain_text("You can book now")
    kims = about.filter(has=page.get_by_role("heading", name="About Kim Ümit"))
    assert not scripts or await faults_of(page) == []
    await kims.get_by_role("link", name="Not yet, but their turn will come").click()
    await way.heading("Not yet, but their turn will come")
    await expect(page.get_by_text("This is about Kim Ümit.")).to_be_visible()
    await expect(page.get_by_role("heading", name="Why not yet")).to_be_visible()
    assert not scripts or await faults_of(page) == []
    address = page.url
    await page.goto(f"{stack.origin_url}/household")
    await way.press("Take out Kim Ümit")
    await page.goto(f"{stack.origin_url}/decisions")
    await expect(page.get_by_role("link", name="You can book now")).to_be_visible()
    await expect(page.get_by_text("Kim Ümit")).to_have_count(0)
    gone = await page.goto(address)
    assert gone is not None
    assert gone.status == 404
