"""Why was I denied? From the person's own page to support, to an exception by two people, to an appointment."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def check(page: Page) -> None:
    assert await faults_of(page) == []


async def look_at(way: Way, decision: str) -> None:
    """Open one of one's own decisions."""
    await way.page.get_by_role("link", name=decision).click()
    await way.heading(decision)


async def denied(way: Way) -> str:
    """Be told no, and find one's reference as a person would; return it."""
    await way.to_questions()
    await way.answer(year="1990")
    await way.heading("Not yet, but your turn will come")
    await way.follow("My decisions")
    await way.heading("My decisions")
    await look_at(way, "Not yet, but your turn will come")
    return await way.page.locator("dl code").first.inner_text()


async def official(stack: Stack, page: Page, name: str) -> Way:
    """Somebody of the staff, signed in, at the page for support."""
    way = Way(page, stack)
    await page.goto(f"{stack.origin_url}/support")
    await way.heading("Please sign in")
    await way.sign_in(name)
    await way.heading("Help with a decision")
    return way


async def look_up(way: Way, what: str) -> None:
    await way.page.get_by_label("Reference of the decision, or pseudonym of the person").fill(what)
    await way.press("Show")


async def ask(way: Way, reason: str = "her doctor asks for it") -> None:
    """Ask for an exception, on the page of a decision."""
    form = way.page.get_by_role("button", name="Ask for this exception")
    if not await form.is_visible():
        await way.page.get_by_text("Ask for an exception", exact=True).click()
    await way.page.get_by_label("What may the person get?").select_option("140 1")
    await way.page.get_by_label("Why?", exact=True).fill(reason)
    await way.press("Ask for this exception")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_from_denied_to_booked_by_an_exception_that_two_people_made(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    person = Way(await visit(javascript=javascript), stack)
    ref = await denied(person)
    vera = await official(stack, await visit(javascript=javascript), "vera")
    await look_up(vera, ref.upper())
    await vera.heading("May not book")
    await expect(vera.page.get_by_text("Recorded and recomputed the same:")).to_be_visible()
    await ask(vera)
    await expect(vera.page.get_by_text("Waits for a second person")).to_be_visible()
    await vera.page.get_by_label("Why do you confirm it?").fill("I am sure")
    await vera.press("Confirm this exception")
    await expect(vera.page.get_by_role("alert")).to_contain_text("An exception takes two people")
    victor = await official(stack, await visit(javascript=javascript), "victor")
    await victor.page.locator(f"a[href*='{ref}']").click()
    await victor.heading("May not book")
    await victor.page.get_by_label("Why do you confirm it?").fill("I have seen the letter")
    await victor.press("Confirm this exception")
    await expect(victor.page.get_by_text("In force", exact=True)).to_be_visible()
    await person.page.goto(f"{stack.origin_url}/decisions")
    await look_at(person, "An exception was made for you: you can book")
    await person.press("Choose a time and a place")
    await person.choose()
    await person.press("Confirm this appointment")
    await person.appointment()
    await vera.page.goto(f"{stack.origin_url}/support/decisions/{ref}")
    await vera.page.get_by_text("Withdraw this exception").click()
    await vera.page.get_by_label("Why do you withdraw it?").fill("not needed any more")
    await vera.press("Yes, withdraw it")
    await expect(vera.page.get_by_text("Withdrawn", exact=True)).to_be_visible()
    await expect(vera.page.locator("p.card code")).to_have_text("confirmed")


async def test_a_faulty_form_keeps_what_was_typed(stack: Stack, visit: Visit) -> None:
    ref = await denied(Way(await visit(), stack))
    vera = await official(stack, await visit(), "vera")
    await look_up(vera, ref)
    await vera.page.get_by_text("Ask for an exception", exact=True).click()
    await vera.page.get_by_label("Why?", exact=True).fill("she moved")
    await vera.page.get_by_label("Until the end of which day?").fill("2020-01-01")
    await vera.press("Ask for this exception")
    await expect(vera.page).to_have_title(re.compile("^Error: "))
    await expect(vera.page.get_by_label("Why?", exact=True)).to_have_value("she moved")
    await vera.follow("Choose what the person may get")
    await expect(vera.page.get_by_label("What may the person get?")).to_be_focused()
    await check(vera.page)
    await vera.page.get_by_label("What may the person get?").select_option("140 1")
    await vera.press("Ask for this exception")
    await expect(vera.page.get_by_label("Until the end of which day?")).to_have_attribute("aria-invalid", "true")
    await check(vera.page)


async def test_support_sees_and_cannot_make_exceptions(stack: Stack, visit: Visit) -> None:
    person = Way(await visit(), stack)
    ref = await denied(person)
    sofia = await official(stack, await visit(), "sofia")
    await check(sofia.page)
    await look_up(sofia, "no such thing")
    await expect(sofia.page).to_have_title(re.compile("^Error: "))
    await check(sofia.page)
    await look_up(sofia, ref)
    await sofia.heading("May not book")
    await expect(sofia.page.get_by_role("button", name="Ask for this exception")).to_have_count(0)
    await sofia.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    await expect(sofia.page.get_by_text("Age: at least 65").first).to_be_visible()
    assert "1990" not in await sofia.page.locator("main").inner_text()
    await check(sofia.page)
    pseudonym = await sofia.page.locator("dl code").nth(1).inner_text()
    await sofia.page.goto(f"{stack.origin_url}/support")
    await look_up(sofia, pseudonym)
    await sofia.heading("Decisions about one person")
    await check(sofia.page)
    await sofia.page.get_by_role("link", name="May not book").click()
    await sofia.heading("May not book")


async def test_the_pages_are_closed_to_visitors(stack: Stack, visit: Visit) -> None:
    person = Way(await visit(), stack)
    ref = await denied(person)
    for path in ("/support", f"/support/decisions/{ref}", f"/support/decisions/{ref}/rules"):
        await person.page.goto(stack.origin_url + path)
        await person.heading("This is not open to you")


async def test_ones_own_decisions_are_accessible_whatever_became_of_them(stack: Stack, visit: Visit) -> None:
    person = Way(await visit(), stack)
    ref = await denied(person)
    await check(person.page)
    vera, victor = await official(stack, await visit(), "vera"), await official(stack, await visit(), "victor")
    await look_up(vera, ref)
    await ask(vera)
    await check(vera.page)
    await look_up(victor, ref)
    await victor.page.get_by_label("Why do you confirm it?").fill("I have seen the letter")
    await victor.press("Confirm this exception")
    await expect(victor.page.get_by_text("In force", exact=True)).to_be_visible()
    await victor.page.goto(f"{stack.origin_url}/support")
    await check(victor.page)
    await person.page.goto(f"{stack.origin_url}/")
    await check(person.page)
    await person.follow("An exception was made for you: you can book")
    await person.follow("My decisions")
    await check(person.page)
    await look_at(person, "An exception was made for you: you can book")
    await check(person.page)
    await person.press("Choose a time and a place")
    await person.choose()
    await victor.page.goto(f"{stack.origin_url}/support/decisions/{ref}")
    await victor.page.get_by_text("Withdraw this exception").click()
    await victor.page.get_by_label("Why do you withdraw it?").fill("it was for somebody else")
    await victor.press("Yes, withdraw it")
    await expect(victor.page.get_by_text("Withdrawn", exact=True)).to_be_visible()
    await person.press("Confirm this appointment")
    await person.heading("The exception that was made for you has ended")
    await check(person.page)
    await person.follow("My decisions")
    await look_at(person, "The exception that was made for you has ended")
    await check(person.page)
