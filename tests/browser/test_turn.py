"""The turn: announced, kept, and taken by a press; never by the page itself."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Visit, Watched
from tests.browser.stack import Stack
from tests.browser.test_waiting_page import _HIDE, _answer, _until, _wait_in
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")

_HEARD = """() => new Promise(done => {
  let changes = 0;
  new MutationObserver(() => changes++).observe(document.getElementById("news"), { childList: true });
  setTimeout(() => done(changes), 500);
})"""
BUTTON = "I am here – go to booking"


def _claims(watched: Watched) -> int:
    return sum(request.url.endswith("/admissions") for request in watched.requests)


async def _called(page: Page, stack: Stack, **changes: object) -> None:
    """Wait in line, then be called."""
    await _answer(page)
    await _wait_in(page, stack)
    await expect(page.locator("#place")).to_have_text("1,204")
    await _answer(page, state="called", ahead=0, **changes)
    await page.evaluate(_HIDE, False)
    await Way(page, stack).heading("It is your turn")


async def test_the_page_goes_through_only_when_somebody_presses(stack: Stack, visit: Visit, watched: Watched) -> None:
    way = Way(await visit(), stack)
    await way.join()
    await way.heading("It is your turn")
    await way.live()
    await expect(way.page.get_by_text("how long it is, the booking page says")).to_be_visible()
    await way.page.evaluate(_HIDE, True)
    await way.page.evaluate(_HIDE, False)
    await _until(way.page, lambda: watched.polls() >= 1)
    assert _claims(watched) == 0
    await way.press(BUTTON)
    await way.heading("You are through. Sign in next")
    assert _claims(watched) == 1


async def test_the_call_is_announced_and_leads_nobody_away_from_what_they_do(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await _called(page, stack)
    await expect(page.locator("#heading")).to_be_focused()
    await expect(page.locator("#news")).to_have_text(
        "It is your turn. Press the button when you are here; your turn is kept."
    )
    await expect(page).to_have_title("● It is your turn")
    busy = await visit()
    await _answer(busy)
    await _wait_in(busy, stack)
    await expect(busy.locator("#place")).to_have_text("1,204")
    leave = busy.get_by_text("Leave the line", exact=True)
    await leave.click()
    await _answer(busy, state="called")
    await busy.evaluate(_HIDE, False)
    await Way(busy, stack).heading("It is your turn")
    await expect(leave).to_be_focused()


async def test_whoever_is_not_ready_is_reminded_as_often_as_they_like(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.clock.install()
    await _called(page, stack)
    for _ in range(2):
        await page.get_by_role("button", name="Remind me again in 10 minutes").click()
        await expect(page).to_have_title("(10 min) It is your turn")
        await expect(page.locator("#reminding")).to_have_text(re.compile(r"We tell you again at \d+:\d\d"))
        await page.clock.run_for(300_000)
        await expect(page).to_have_title("(5 min) It is your turn")
        await page.clock.run_for(301_000)
        await expect(page).to_have_title("● It is your turn")
        await expect(page.locator("#reminding")).to_be_hidden()


async def test_a_called_page_asks_seldom_and_shows_a_pause_and_the_closing(
    stack: Stack, visit: Visit, watched: Watched
) -> None:
    page = await visit()
    await page.clock.install()
    await _called(page, stack)
    await page.wait_for_load_state("networkidle")
    asked = watched.polls()
    await page.clock.run_for(14_000)
    assert watched.polls() == asked
    await _answer(page, state="called", room_state="paused")
    await page.clock.run_for(17_000)
    await _until(page, lambda: watched.polls() == asked + 1)
    await expect(page.locator("#paused")).to_be_visible()
    await expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
    await _answer(page, state="called", room_state="closed")
    await page.evaluate(_HIDE, False)
    await expect(page.locator("#closed")).to_be_visible()
    await expect(page.get_by_role("button", name=BUTTON)).to_be_hidden()


async def test_who_is_paced_goes_through_without_another_press(stack: Stack, visit: Visit, watched: Watched) -> None:
    async def pace_once(route: Route) -> None:
        if _claims(watched) == 1:
            await route.fulfill(status=429, headers={"Retry-After": "1"}, json={"code": "paced"})
        else:
            await route.continue_()

    way = Way(await visit(), stack)
    await way.page.route("**/admissions", pace_once)
    await way.join()
    await way.heading("It is your turn")
    await way.live()
    await way.press(BUTTON)
    await expect(way.page.get_by_text("Many people are going through")).to_be_visible()
    await way.heading("You are through. Sign in next")
    assert _claims(watched) == 2


async def test_a_press_while_the_page_asks_is_not_lost(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    await way.join()
    await way.heading("It is your turn")
    await way.live()

    async def slow(route: Route) -> None:
        await way.page.get_by_role("button", name=BUTTON).click()
        await route.continue_()

    await way.page.route("**/tickets/me", slow)
    await way.page.evaluate(_HIDE, False)  # ask at once; the button is pressed before the answer
    await way.heading("You are through. Sign in next")


async def test_who_was_let_through_can_go_in_again_and_is_told_when_it_was_often_enough(
    stack: Stack, visit: Visit, watched: Watched
) -> None:
    async def spent(route: Route) -> None:
        await route.fulfill(status=409, json={"code": "reentry_spent"})

    way = Way(await visit(), stack)
    await way.join()
    await way.through()
    await way.page.goto(f"{stack.edge_url}/rooms/demo")
    await way.heading("You have been let through")
    await way.live()
    await way.press("Go in again")
    await way.page.wait_for_url(f"{stack.origin_url}/**")
    await way.page.goto(f"{stack.edge_url}/rooms/demo")
    await way.page.route("**/admissions", spent)
    await way.live()
    await way.press("Go in again")
    await way.page.wait_for_url("**/rooms/demo/enter")  # the server's page says it
    assert watched.requests[-1].url.startswith(stack.edge_url)


async def test_why_it_takes_longer_is_said_once_and_beside_the_wait(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await _answer(page)
    await _wait_in(page, stack)
    await expect(page.locator("#reason")).to_be_hidden()
    for reason, text in [
        ("rate_lowered", "the booking system can take fewer people a minute now."),
        ("paused", "the line stood still for a while."),
        ("lost_capacity", "the booking system could not take anybody for a while."),
        ("more_show_up", "more of the people who are called have come than we expected."),
        ("shared", "another group is being let in at the same time."),
    ]:
        await _answer(page, wait_reason=reason)
        await page.evaluate(_HIDE, False)
        said = page.locator("#reason span:visible")
        await expect(said).to_have_count(1)
        await expect(said).to_have_text(f"It takes longer than before: {text}")
        await expect(page.locator("#news")).to_contain_text(text)
    heard = await page.evaluate(_HEARD)
    assert heard == 0, "the same reason is announced once, however often it is told"
    await _answer(page, wait_reason="paused", room_state="paused", wait=None)
    await page.evaluate(_HIDE, False)
    await expect(page.locator("#paused")).to_be_visible()
    await expect(page.locator("#reason")).to_be_hidden()
