"""A time that was opened, in a real browser: kept while its page is read, given back when it is left; and moved to."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEPT = re.compile("This time is kept for you until")
OVER = re.compile("We no longer keep this time for you")
_LATER = """seconds => {
  const now = Date.now;
  Date.now = () => now() + seconds * 1000;
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def opened(way: Way, stack: Stack) -> int:
    """Go to a time and open it; what others have left open before is given back."""
    await stack.execute("SELECT release_hold(person, id) FROM hold")
    return await way.to_confirm()


async def held(stack: Stack, slot: int, number: int) -> None:
    """Wait until so many places of a slot are held."""
    async with asyncio.timeout(10):
        while True:
            if await stack.count("hold", f"slot = {slot}") == number:
                return
            await asyncio.sleep(0.02)


async def box(page: Page, text: re.Pattern[str]) -> None:
    await expect(page.get_by_role("region", name="Kept for you")).to_have_text(text)


async def test_an_opened_time_counts_down_in_silence_and_its_lapse_is_said(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    slot = await opened(way, stack)
    await held(stack, slot, 1)
    await box(way.page, KEPT)
    await box(way.page, re.compile(r"\(1 minute \d+ seconds left\)"))
    await expect(way.page.locator("#held-news")).to_be_empty()
    assert await faults_of(way.page) == []
    await way.page.evaluate(_LATER, 90)
    await box(way.page, re.compile(r"\(\d+ seconds left\)"))
    await way.page.evaluate(_LATER, 60)
    await expect(way.page.get_by_role("status").filter(has_text=OVER)).to_be_visible()
    assert await faults_of(way.page) == []
    await way.press("Confirm this appointment")  # it may be gone, and is not
    await way.appointment()
    await held(stack, slot, 0)


async def test_leaving_the_page_gives_the_time_back_and_coming_back_keeps_it_again(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    slot = await opened(way, stack)
    await held(stack, slot, 1)
    await way.page.go_back()
    await held(stack, slot, 0)
    await way.page.go_forward()
    await box(way.page, KEPT)
    await held(stack, slot, 1)
    await way.page.reload()
    await box(way.page, KEPT)
    await held(stack, slot, 1)
    await way.press("Choose another time")
    await way.heading("Choose a time and a place")
    await held(stack, slot, 0)


async def test_sending_a_form_does_not_give_the_time_back(stack: Stack, visit: Visit) -> None:
    """Neither another language, nor the confirmation: nobody else gets it in between."""
    way = Way(await visit(), stack)
    slot = await opened(way, stack)
    releases: list[str] = []
    way.page.context.on("request", lambda request: releases.append(request.url) if "/release" in request.url else None)
    await way.press("Français")
    await way.heading("Confirmez votre rendez-vous")
    await held(stack, slot, 1)
    await way.press("Confirmer ce rendez-vous")
    await expect(way.page).to_have_url(re.compile("/appointments/"))
    assert releases == []


async def test_without_scripts_a_time_is_kept_and_given_back_by_a_press(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(javascript=False, width=320), stack)
    slot = await opened(way, stack)
    await held(stack, slot, 1)
    await box(way.page, re.compile(r"This time is kept for you until \d\d:\d\d UTC \(\d minutes? left\)"))
    await way.press("Choose another time")
    await way.heading("Choose a time and a place")
    await held(stack, slot, 0)
    await way.choose()
    await way.press("Confirm this appointment")
    await way.appointment()


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
async def test_an_appointment_is_moved_with_both_times_side_by_side(
    stack: Stack, visit: Visit, javascript: bool
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    page = way.page
    await way.to_confirm()
    await way.press("Confirm this appointment")
    id_ = await way.appointment()
    await stack.execute("UPDATE programme SET moves_at_most = 2, cancels_at_most = 1, change_until = '2 hours'")
    await page.reload()
    await expect(page.get_by_text("You can still move it 2 times.")).to_be_visible()
    await page.get_by_role("link", name="Choose another time").click()
    await way.heading("Choose another time")
    if javascript:
        assert await faults_of(page) == []
    await page.get_by_role("button", name="Show times").click()
    await way.heading("Choose another time")
    await page.locator("button.time:visible").nth(2).click()
    await way.heading("Move your appointment?")
    await box(page, KEPT)
    await expect(page.get_by_role("region", name="Now", exact=True)).to_be_visible()
    await expect(page.get_by_role("region", name="New", exact=True)).to_be_visible()
    if javascript:
        assert await faults_of(page) == []
    await way.press("Yes, move it")
    await expect(page.get_by_text("Your appointment is moved.")).to_be_visible()
    await expect(page).to_have_url(re.compile(f"/appointments/{id_}"))
    await expect(page.get_by_text("You can still move it 1 time.")).to_be_visible()
    await stack.execute("UPDATE programme SET change_until = '300 days'")
    await page.goto(f"{stack.origin_url}/appointments/{id_}/cancel")
    await way.heading("It is too late to change it here")
    if javascript:
        assert await faults_of(page) == []
    await stack.execute(
        "UPDATE programme SET moves_at_most = NULL, cancels_at_most = NULL, change_until = '0'"
    )  # the stack is everybody's


async def test_pages_of_a_move_in_other_languages(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_confirm()
    await way.press("Confirm this appointment")
    await way.appointment()
    await page.get_by_role("link", name="Choose another time").click()
    await page.locator("button.time:visible").nth(1).click()
    await way.heading("Move your appointment?")
    for language, heading in (("العربية", "هل تريد تغيير موعدك؟"), ("Español", "¿Cambiar su cita?")):
        await way.press(language)
        await way.heading(heading)
        assert await faults_of(page) == []
