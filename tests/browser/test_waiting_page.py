"""The waiting page while one waits: what it says, how often it asks, and what it does when nobody looks."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, Response, Route, expect

from shared.web import words
from tests.browser.conftest import Visit, Watched
from tests.browser.stack import Stack
from tests.browser.way import Way
from tests.browser.weight import MOST_BYTES, weight_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

_WAITS = [(5, 30), (20, 130), (240, 401), (300, 300), (1700, 2300), (4000, 9000), (50_000, 200_000), (90_000, 99_000)]
_HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def _standing(**changes: Any) -> dict[str, Any]:
    base = {
        "place": 1204,
        "ahead": 312,
        "state": "waiting",
        "wait": {"p50_s": 240, "p90_s": 401},
        "poll_after_s": 0.05,
        "room_state": "open",
        "as_of": "2026-11-22T09:31:02.000Z",
    }
    return base | changes


async def _answer(page: Page, **changes: Any) -> None:
    """Let every poll get this answer from now on."""

    async def fulfil(route: Route) -> None:
        await route.fulfill(json=_standing(**changes))

    await page.route("**/tickets/me", fulfil)


async def _until(page: Page, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await page.wait_for_timeout(20)


async def _answer_503(page: Page, url: str) -> Response:
    """Ask until the page is refused: for a moment the edge answers from memory."""
    async with asyncio.timeout(10):
        while True:
            answer = await page.goto(url)
            assert answer is not None
            if answer.status == 503:
                return answer


async def _wait_in(page: Page, stack: Stack, room: str = "slow") -> None:
    """Join, ask at once where we stand, and have the answer: a page that is still asking asks nothing else."""
    await Way(page, stack).join(room)
    await page.locator("#line[data-live]").wait_for()
    async with page.expect_response("**/tickets/me") as answered:
        await page.evaluate(_HIDE, False)
    await (await answered.value).finished()


async def test_says_where_one_stands_and_keeps_the_place(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    await stack.crowd("slow", 10)  # the room calls one of them now and then
    await way.join("slow")
    await way.heading("You are in line")
    page = way.page
    place = await page.locator("#place").inner_text()
    assert int(place) > 5
    assert int(await page.locator("#ahead").inner_text()) >= 5
    await expect(page.locator("#wait")).to_contain_text("minutes")
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.goto("about:blank")
    await page.goto(f"{stack.edge_url}/rooms/slow")
    assert await page.locator("#place").inner_text() == place
    await way.page.get_by_text("Leave the line").click()
    await way.press("Yes, give up my place")
    await expect(page.get_by_text("You have left the line.")).to_be_visible()
    await way.press("Take my place in line")
    assert int(await page.locator("#place").inner_text()) > int(place)


async def test_the_bar_goes_on_with_those_ahead(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await stack.crowd("slow", 10)
    await _wait_in(page, stack)
    bar = page.get_by_role("progressbar")
    assert await bar.evaluate("bar => bar.max") >= 5
    assert await bar.evaluate("bar => `${bar.max - bar.value}` === document.getElementById('ahead').textContent")


async def test_without_scripts_the_page_comes_again_by_itself(stack: Stack, visit: Visit) -> None:
    page = await visit(javascript=False)
    await Way(page, stack).join("slow")
    answer = await page.goto(f"{stack.edge_url}/rooms/slow")
    assert answer is not None
    assert 5 <= int(await answer.header_value("refresh") or 0) <= 66
    await expect(page.get_by_role("link", name="Look again now")).to_be_visible()


async def test_with_scripts_the_page_is_not_loaded_again(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await Way(page, stack).join("slow")
    answer = await page.goto(f"{stack.edge_url}/rooms/slow")
    assert answer is not None
    assert await answer.header_value("refresh") is None
    await expect(page.get_by_role("link", name="Look again now")).to_be_hidden()


async def test_the_script_says_waits_as_the_server_does(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await _answer(page)
    await _wait_in(page, stack)
    await expect(page.locator("#place")).to_have_text("1,204")
    for p50_s, p90_s in _WAITS:
        await _answer(page, wait={"p50_s": p50_s, "p90_s": p90_s})
        await expect(page.locator("#wait")).to_have_text(words.wait(p50_s, p90_s))


async def test_nobody_is_asked_while_nobody_looks(stack: Stack, visit: Visit, watched: Watched) -> None:
    page = await visit()
    await page.clock.install()
    await _answer(page, poll_after_s=5)
    await _wait_in(page, stack)
    await expect(page.locator("#place")).to_have_text("1,204")
    await page.clock.run_for(10_000)
    await _until(page, lambda: watched.polls() >= 2)
    await page.evaluate(_HIDE, True)
    asked = watched.polls()
    await page.clock.run_for(600_000)
    assert watched.polls() == asked
    assert await page.title() == "● It may be your turn: come back"
    await page.evaluate(_HIDE, False)
    await _until(page, lambda: watched.polls() == asked + 1)


async def test_the_page_asks_no_more_often_than_it_was_told(stack: Stack, visit: Visit, watched: Watched) -> None:
    async def away(route: Route) -> None:
        await route.fulfill(status=503, headers={"Retry-After": "30"}, json={})

    page = await visit()
    await page.clock.install()
    await page.route("**/tickets/me", away)
    await _wait_in(page, stack)
    await page.clock.run_for(10_000)
    await page.evaluate(_HIDE, True)
    await page.evaluate(_HIDE, False)  # coming back does not set aside what the server asked for
    await page.clock.run_for(10_000)
    assert watched.polls() == 1
    await page.clock.run_for(60_000)
    await _until(page, lambda: watched.polls() >= 2)


async def test_a_pause_is_said_and_ends(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await stack.crowd("pausing", 2)
    await stack.operate("pausing", "pause")
    await _wait_in(page, stack, "pausing")
    await expect(page.get_by_text("The line is paused for a moment.").first).to_be_visible()
    await expect(page.locator("#wait")).to_have_text("not known at the moment")
    await stack.operate("pausing", "resume")
    await page.evaluate(_HIDE, False)
    await expect(page.locator("#paused")).to_be_hidden()


async def test_a_store_that_is_away_loses_nobody(stack: Stack, visit: Visit) -> None:
    live, plain = await visit(), await visit(javascript=False)
    for page in (live, plain):
        await Way(page, stack).join("slow")
    place = await live.locator("#place").inner_text()
    await live.locator("#line[data-live]").wait_for()
    stack.valkey.kill()
    try:
        answer = await _answer_503(plain, f"{stack.edge_url}/rooms/slow")
        assert await answer.header_value("retry-after")
        assert await answer.header_value("refresh")
        await expect(plain.locator("#away")).to_be_visible()
        await live.evaluate(_HIDE, False)  # ask at once
        await expect(live.locator("#away")).to_be_visible()
    finally:
        stack.valkey.start()
    await expect(live.locator("#away")).to_be_hidden(timeout=15_000)
    assert await live.locator("#place").inner_text() == place


async def test_a_ticket_that_cannot_be_read_is_told_kindly(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await page.context.add_cookies([{"name": "vestibule_ticket_slow", "value": "x.y", "url": stack.edge_url}])
    await page.goto(f"{stack.edge_url}/rooms/slow")
    await expect(page.get_by_text("We could not read your place in line")).to_be_visible()
    await Way(page, stack).press("Take my place in line")
    await Way(page, stack).heading("You are in line")


async def test_the_whole_page_weighs_at_most_20_kilobytes(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await Way(page, stack).join("slow")
    await page.locator("#line[data-live]").wait_for()
    parts = await weight_of(page, f"{stack.edge_url}/rooms/slow")
    assert len(parts) >= 4, "page, two styles, script"
    assert sum(parts.values()) <= MOST_BYTES, parts


async def test_the_page_says_by_itself_why_nobody_is_called_and_when_waiting_is_hardly_worth_it(
    stack: Stack, visit: Visit
) -> None:
    page = await visit()
    await _answer(page)
    await _wait_in(page, stack)
    await expect(page.locator("#place")).to_have_text("1,204")  # answered: the next question is a new one
    for why, text in [
        ("sold_out", "All appointments are taken for now."),
        ("frozen", "Booking is stopped for the moment."),
        ("origin_down", "The booking system does not answer at the moment."),
        ("origin_unhealthy", "The booking system does not answer at the moment."),
        ("full", "As many people are booking now as the booking system can take."),
    ]:
        state = "closed" if why == "sold_out" else "paused"
        await _answer(page, why=why, room_state=state, wait=None, outlook="unlikely" if why == "sold_out" else None)
        await page.evaluate(_HIDE, False)
        await expect(page.locator("#why p:visible")).to_have_count(1)
        await expect(page.locator("#why p:visible")).to_contain_text(text)
        await expect(page.locator("#news")).to_contain_text(text)
        await expect(page.locator("#unlikely, #paused, #closed").locator("visible=true")).to_have_count(0)
    await _answer(page, why=None, outlook="unlikely")
    await expect(page.locator("#why")).to_be_hidden()
    await expect(page.locator("#unlikely")).to_contain_text("You will probably not get an appointment today.")
    await _answer(page, why=None, outlook=None)
    await expect(page.locator("#unlikely")).to_be_hidden()
