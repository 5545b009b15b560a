"""The time for booking: shown, announced once before it ends, and made longer by one press that loses nothing."""

import re
from datetime import datetime

import pytest
from playwright.async_api import Page, Route, expect

from origin.gate import ADMISSION_COOKIE
from origin.turn import AdmissionSession
from shared.clock import SystemClock
from shared.signing import Sealer
from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way
from tests.origin_world import ORIGIN_KEYS

pytestmark = pytest.mark.asyncio(loop_scope="session")

MORE = "I need more time"
_LATER = """() => {{
  const now = Date.now;
  Date.now = () => now() + {0} * 1000;
  document.dispatchEvent(new Event("visibilitychange"));
}}"""
_ASK = re.compile("/turn/extend")


async def _lasts(way: Way, seconds: int, *, extended: int = 0) -> None:
    """Give the visitor a turn that ends in so many seconds."""
    now = int(SystemClock().unix())
    session = AdmissionSession(
        v=1, kid="o1", room="demo", id=way.stack.somebody(), since=now, exp=now + seconds, extended=extended
    )
    value = Sealer(AdmissionSession, ORIGIN_KEYS, "admission session").seal(session)
    await way.page.context.add_cookies([{"name": ADMISSION_COOKIE, "value": value, "url": way.stack.origin_url}])


async def _later(page: Page, seconds: int) -> None:
    """Let the page believe that time has passed, once its script counts: until then there is nothing to pass."""
    await page.locator("#turn[data-state]").wait_for()
    await page.evaluate(_LATER.format(seconds))


async def _end(page: Page) -> datetime:
    return datetime.fromisoformat(await page.locator("#turn-end").get_attribute("datetime") or "")


async def _type(page: Page) -> None:
    """Answer questions; the last one is not sent."""
    for label, value in (("Day", "17"), ("Month", "5"), ("Year", "1950")):
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Where do you live?").select_option("ES-CM")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Diabetes").check()


async def _typed(page: Page) -> None:
    await expect(page.get_by_label("Year", exact=True)).to_have_value("1950")
    await expect(page.get_by_label("Where do you live?")).to_have_value("ES-CM")
    await expect(page.get_by_label("Diabetes")).to_be_checked()


async def test_the_end_is_shown_on_the_clock_of_the_visitor_and_counts_down_in_silence(
    stack: Stack, visit: Visit
) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    until = await page.evaluate("new Date(document.getElementById('turn-end').dateTime).toTimeString().slice(0, 5)")
    await expect(page.get_by_text(f"You have until {until} to book")).to_be_visible()
    await expect(page.get_by_text("(29 minutes left)")).to_be_visible()
    await _later(page, 600)
    await expect(page.get_by_text("(19 minutes left)")).to_be_visible()
    await expect(page.locator("#turn-news")).to_be_empty()
    live = "[aria-live], [role=status], [role=alert], [role=timer], [role=log]"
    assert await page.locator("#turn-left").evaluate("(left, live) => left.closest(live) === null", live)


async def test_it_is_announced_once_before_it_ends_and_once_when_it_has(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await _later(page, 1800 - 299)
    news = page.get_by_role("status").filter(has_text="Your time for booking ends in 4 minutes")
    await expect(news).to_be_visible()
    said = await news.inner_text()
    await _later(page, 120)
    await expect(page.get_by_text("(2 minutes left)")).to_be_visible()
    assert await page.locator("#turn-news").inner_text() == said
    assert await faults_of(page) == []
    await _type(page)
    await _later(page, 200)
    await expect(page.locator("#turn-news")).to_contain_text("Your time for booking has run out")
    assert await faults_of(page) == []
    await _typed(page)


async def test_the_next_page_does_not_announce_it_again(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await _lasts(way, 200)
    await page.reload()
    await expect(page.locator("#turn-news")).to_contain_text("ends in 3 minutes")
    await page.clock.install()
    await page.reload()
    await expect(page.locator("#turn[data-state=soon]")).to_be_visible()
    await page.clock.run_for(3000)
    await expect(page.locator("#turn-news")).to_be_empty()


async def test_more_time_comes_by_keyboard_and_touches_nothing(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    before = await _end(page)
    await _type(page)
    await _later(page, 1700)
    button = page.get_by_role("button", name=MORE)
    for _ in range(60):
        await page.keyboard.press("Shift+Tab")
        if await button.evaluate("button => button === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("#turn-news")).to_contain_text("You now have until")
    await expect(button).to_be_focused()
    assert ((await _end(page)) - before).total_seconds() == 1800
    await expect(page.locator("#turn[data-state='']")).to_be_visible()
    await _typed(page)
    await page.get_by_label("Year", exact=True).fill("")
    await page.reload()
    assert ((await _end(page)) - before).total_seconds() == 1800
    await _typed(page)


async def test_more_time_without_scripts_comes_back_to_what_was_typed(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(javascript=False), stack)
    page = way.page
    await way.to_questions()
    await expect(page.get_by_text(re.compile(r"You have until \d\d:\d\d UTC to book"))).to_be_visible()
    before = await _end(page)
    await _type(page)
    await way.press(MORE)
    await way.heading("Can you book now?")
    assert ((await _end(page)) - before).total_seconds() == 1800
    await _typed(page)
    await page.get_by_label("Diabetes").uncheck()
    await way.answer()
    await way.press(MORE)
    await way.heading("You can book now")
    await way.follow("Choose a time and a place")
    await page.get_by_label("How far can you travel?").select_option("100")
    await way.press(MORE)
    await way.heading("Choose a time and a place")
    await expect(page.get_by_label("How far can you travel?")).to_have_value("100")
    await way.choose()
    await way.press(MORE)
    await way.heading("Confirm your appointment")
    assert ((await _end(page)) - before).total_seconds() == 4 * 1800
    await way.press("Confirm this appointment")
    await way.appointment()
    await expect(page.locator("#turn")).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_the_last_extension_is_followed_by_a_page_that_says_how_to_go_on(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    page = way.page
    await way.to_questions()
    await _lasts(way, 1000, extended=10)
    await page.reload()
    await _type(page)
    await way.press(MORE)
    await way.heading("You have all the time that one turn gives")
    assert not javascript or await faults_of(page) == []
    await way.follow("Go on where I was")
    await way.heading("Can you book now?")
    await _typed(page)


async def test_more_time_that_comes_too_late_keeps_what_was_typed(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await _type(page)
    await _lasts(way, -1)
    await way.press(MORE)
    await way.heading("Your time for booking has run out")
    await _lasts(way, 900)
    await page.goto(f"{stack.origin_url}/eligibility")
    await _typed(page)


async def test_an_origin_that_is_away_costs_nothing_typed(stack: Stack, visit: Visit) -> None:
    async def away(route: Route) -> None:
        await route.abort()

    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await _type(page)
    await page.route(_ASK, away)
    await way.press(MORE)
    await expect(page.locator("#turn-news")).to_contain_text("does not answer")
    await _typed(page)
    await page.unroute(_ASK)
    await way.press(MORE)
    await expect(page.locator("#turn-news")).to_contain_text("You now have until")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_enter_in_a_field_sends_the_form_and_presses_no_other_button(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    page = way.page
    await way.to_questions()
    before = await _end(page)
    await page.get_by_label("Year", exact=True).fill("1950")
    await page.keyboard.press("Enter")
    await expect(page).to_have_title(re.compile("^Error: "))
    await way.answer()
    await way.follow("Choose a time and a place")
    await page.get_by_label("From which day?").focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("radius="))
    assert await _end(page) == before


@pytest.mark.parametrize("language", ["es", "fr", "ar"])
async def test_every_language_says_it_and_the_script_says_the_same(stack: Stack, visit: Visit, language: str) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await page.context.add_cookies([{"name": "vestibule_lang", "value": language, "url": stack.origin_url}])
    await _lasts(way, 290)
    answer = await page.reload()
    assert answer is not None
    served = (await answer.text()).partition('id="turn-left">')[2].partition("<")[0]
    assert await page.locator("#turn-left").inner_text() == served
    await expect(page.locator("#turn-news")).not_to_be_empty()
    assert await faults_of(page) == []
