"""The booking pages when things go differently: faults, second thoughts, keyboards, double clicks, lost sessions."""

import re

import pytest
from playwright.async_api import Route, expect

from origin.gate import ADMISSION_COOKIE
from origin.identity import SESSION_COOKIE
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_a_faulty_form_keeps_what_was_typed_and_leads_to_the_fault(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    page = way.page
    await way.to_questions()
    await way.born()
    await way.next("Where do you live?")
    await page.get_by_label("Where do you live?").select_option("ES-CM")
    await way.next("Diabetes")
    for label, value in (("Day", "31"), ("Month", "2"), ("Year", "1958")):
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_label("Diabetes").check()
    await way.go_on()
    await expect(page).to_have_title(re.compile("^Error: "))
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_label("Day", exact=True)).to_have_value("31")
    await expect(page.get_by_label("Year", exact=True)).to_have_value("1958")
    await expect(page.get_by_label("Where do you live?")).to_have_value("ES-CM")
    await expect(page.get_by_label("Diabetes")).to_be_checked()
    await way.follow("That day does not exist: check day and month")
    await expect(page.get_by_label("Day", exact=True)).to_be_focused()
    await expect(page.get_by_label("Day", exact=True)).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Day", exact=True).fill("28")
    await way.go_on()
    await way.heading("You can book now")
    await page.goto(f"{stack.origin_url}/eligibility")
    await expect(page.get_by_label("Where do you live?")).to_have_value("ES-CM")
    await expect(page.get_by_label("Diabetes")).to_be_checked()


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_each_answer_brings_the_next_question_and_nobody_is_asked_more_than_the_rules_need(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    page = way.page
    await way.to_questions()
    await expect(page.get_by_label("Where do you live?")).to_have_count(0)
    await way.born("1990")
    await way.next("Where do you live?")
    await expect(page.get_by_label("Where do you live?")).to_be_focused()
    await expect(page.get_by_label("Year", exact=True)).to_have_value("1990")
    await page.get_by_label("Where do you live?").select_option("ES-CM")
    await way.next("None of these")
    await page.get_by_label("None of these").check()
    await way.next("What is your work?")
    await page.get_by_label("What is your work?").select_option("none")
    await way.born("1950")  # a senior is not asked about work
    await way.go_on()
    await way.heading("You can book now")
    await page.goto(f"{stack.origin_url}/eligibility")
    await expect(page.get_by_label("What is your work?")).to_have_count(0)
    await way.born("1990")
    await way.next("What is your work?")
    await expect(page.get_by_label("What is your work?")).to_have_value("none")


async def test_an_answer_that_does_not_arrive_is_still_there_to_send_again(stack: Stack, visit: Visit) -> None:
    async def away(route: Route) -> None:
        await route.fulfill(status=503, headers={"Retry-After": "2"}, body="<main id=main>away</main>")

    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await page.route("**/eligibility", away)
    await way.born()
    await way.go_on()
    await expect(page.get_by_text("What you typed is still here: please try again in a moment.")).to_be_visible()
    await page.unroute("**/eligibility")
    await way.next("Where do you live?")
    await expect(page.get_by_label("Year", exact=True)).to_have_value("1950")


async def test_an_ended_session_keeps_what_was_typed(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    name = await way.to_questions()
    await way.page.context.clear_cookies(name=SESSION_COOKIE)
    await way.born()
    await way.go_on()
    await way.heading("Please sign in")
    await way.sign_in(name)
    await way.heading("Can you book now?")
    await expect(way.page.get_by_label("Year", exact=True)).to_have_value("1950")
    await way.answer()
    await way.heading("You can book now")


async def test_what_one_person_typed_is_not_shown_to_the_next(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    await way.to_questions()
    await way.page.context.clear_cookies(name=SESSION_COOKIE)
    await way.born()
    await way.go_on()
    await way.sign_in(stack.somebody())
    await way.page.goto(f"{stack.origin_url}/eligibility")
    await expect(way.page.get_by_label("Year", exact=True)).to_have_value("")


async def test_an_ended_turn_leads_through_the_waiting_room_and_back(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    await way.join()
    await way.through()
    slot = await way.to_confirm()
    await way.page.context.clear_cookies(name=ADMISSION_COOKIE)
    await way.press("Confirm this appointment")
    await way.heading("Please come through the waiting room first")
    await way.follow("Go to the waiting room")
    await way.page.wait_for_url(f"{stack.edge_url}/**")
    await way.page.goto(f"{stack.edge_url}/rooms/demo")
    await way.heading("You have been let through")
    await way.press("Go in again")
    await expect(way.page).to_have_url(f"{stack.origin_url}/slots/{slot}/confirm")
    await way.press("Confirm this appointment")
    await way.appointment()


async def test_a_time_that_is_gone_leads_to_the_nearest_in_one_click(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    slot = await way.to_confirm()
    await stack.sell_out(slot)
    await way.press("Confirm this appointment")
    await way.heading("That time has just been taken")
    await way.page.get_by_role("button", name="Book").first.click()
    appointment = await way.appointment()
    assert await stack.value("SELECT slot FROM appointment WHERE id = $1::text::uuid", appointment) != slot


_SEND_TWICE = """form => Promise.all([1, 2].map(async () => {
  const body = new URLSearchParams(new FormData(form));
  return (await fetch(form.action, { method: "POST", body })).url;
}))"""


async def test_a_double_click_books_once(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    slot = await way.to_confirm()
    before = await stack.count("appointment", f"slot = {slot}")
    await way.page.get_by_role("button", name="Confirm this appointment").dblclick(no_wait_after=True)
    await way.appointment()
    assert await stack.count("appointment", f"slot = {slot}") == before + 1


async def test_a_form_that_is_sent_twice_at_once_books_once_and_shows_it_twice(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    slot = await way.to_confirm()
    before = await stack.count("appointment", f"slot = {slot}")
    first, second = await way.page.evaluate(_SEND_TWICE, await way.page.query_selector("form[data-once]"))
    assert first == second
    assert "/appointments/" in first
    assert await stack.count("appointment", f"slot = {slot}") == before + 1


async def test_going_back_and_confirming_again_shows_the_same_appointment(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    await way.to_confirm()
    await way.press("Confirm this appointment")
    appointment = await way.appointment()
    await way.page.goto(f"{stack.origin_url}/slots")
    await way.choose(1)
    await way.press("Confirm this appointment")
    await way.heading("You have already booked with this turn")
    await way.follow("See my appointment")
    await way.page.get_by_role("heading", level=2).get_by_role("link").click()
    assert await way.appointment() == appointment


async def test_a_form_that_another_site_made_changes_nothing(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    await way.to_confirm()
    await way.page.evaluate("document.querySelector('form[data-once] [name=csrf]').value = 'o1.0'")
    await way.press("Confirm this appointment")
    await way.heading("Please send that once more")
    assert await stack.value("SELECT count(*) FROM appointment WHERE created_at > now() - interval '1 second'") == 0


async def test_the_main_way_needs_no_mouse(stack: Stack, visit: Visit) -> None:
    page = await visit()
    way = Way(page, stack)

    async def press(text: str) -> None:
        """Walk with the Tab key to the thing that is called so, see that its focus is visible, and press Enter."""
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.innerText.trim()") == text:
                assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
                await page.keyboard.press("Enter")
                return
        raise AssertionError(f"no way to {text} with the Tab key")

    await page.goto(f"{stack.edge_url}/rooms/demo")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await press("Take my place in line")
    await way.heading("It is your turn")
    await way.live()
    await press("I am here – go to booking")
    await way.heading("You are through. Sign in next")
    await press("Sign in")
    await page.get_by_placeholder("sub").press_sequentially(stack.somebody())
    await page.keyboard.press("Enter")
    await way.heading("A few questions come next")
    await press("Start")
    await way.heading("Can you book now?")
    await page.get_by_label("Day", exact=True).focus()
    for keys in ("17", "5", "1950"):
        await page.keyboard.type(keys)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Where do you live?")).to_be_focused()
    await page.keyboard.type("Comunidad de Ma")
    await press("Continue")
    await expect(
        page.get_by_role("group", name="Does any of these apply to you?").get_by_role("checkbox").first
    ).to_be_focused()
    await page.get_by_label("None of these").focus()
    await page.keyboard.press("Space")
    await press("Continue")
    await way.heading("You can book now")
    await press("Choose a time and a place")
    await way.heading("Choose a time and a place")
    await page.locator("button.time").first.focus()
    await page.keyboard.press("Enter")
    await way.heading("Confirm your appointment")
    await press("Confirm this appointment")
    await way.appointment()
