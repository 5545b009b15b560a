"""The pages in every language: switched by a button, accessible, light, and the script saying what the server says."""

import pytest
from playwright.async_api import Page, Route, expect

from shared.web import words
from shared.web.languages import LANGUAGES
from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.test_waiting_page import _HIDE, _WAITS, _answer
from tests.browser.way import Way
from tests.browser.weight import MOST_BYTES, weight_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

OTHERS = [code for code in LANGUAGES if code != "en"]


async def _speak(page: Page, stack: Stack, language: str) -> None:
    await page.context.add_cookies([{"name": "vestibule_lang", "value": language, "url": stack.edge_url}])


async def test_the_switch_works_without_scripts_and_keeps_the_place(stack: Stack, visit: Visit) -> None:
    page = await visit(javascript=False)
    await Way(page, stack).join("slow")
    place = await page.locator("#place").inner_text()
    await page.get_by_role("button", name="العربية").click()
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(page.get_by_role("heading", level=1)).to_have_text("أنت في الطابور")
    assert await page.locator("#place").inner_text() == place
    await page.get_by_role("button", name="English").click()
    await Way(page, stack).heading("You are in line")


@pytest.mark.parametrize("language", OTHERS)
async def test_the_waiting_page_in_each_language(stack: Stack, visit: Visit, language: str) -> None:
    page = await visit()
    await _speak(page, stack, language)
    await page.goto(f"{stack.edge_url}/rooms/slow")
    faults = await faults_of(page)
    await page.locator("form[action$='/join'] button").first.click()
    await page.locator("#line[data-live]").wait_for()
    assert faults + await faults_of(page) == []
    await page.goto(f"{stack.edge_url}/rooms/slow")
    await page.locator("#line[data-live]").wait_for()
    for p50_s, p90_s in _WAITS:
        await _answer(page, wait={"p50_s": p50_s, "p90_s": p90_s})
        await page.evaluate(_HIDE, False)
        await expect(page.locator("#wait")).to_have_text(words.wait(p50_s, p90_s, language))
    await expect(page.locator("#place")).to_have_text(words.number(1204, language))


async def test_the_waiting_page_stays_light_in_arabic(stack: Stack, visit: Visit) -> None:
    page = await visit()
    await Way(page, stack).join("slow")
    await page.locator("#line[data-live]").wait_for()
    await _speak(page, stack, "ar")
    parts = await weight_of(page, f"{stack.edge_url}/rooms/slow")
    assert sum(parts.values()) <= MOST_BYTES, parts


async def test_who_asks_for_a_sound_hears_it_when_called(stack: Stack, visit: Visit) -> None:
    async def pace(route: Route) -> None:
        await route.fulfill(status=429, headers={"Retry-After": "30"}, json={"code": "paced"})

    page = await visit()
    await page.add_init_script(
        "window.notes = 0; const start = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (...at) { window.notes += 1; return start.apply(this, at); };"
    )
    await page.route("**/admissions", pace)
    await _answer(page)
    await Way(page, stack).join("slow")
    bell = page.get_by_role("button", name="Tell me with a sound")
    await expect(bell).to_have_attribute("aria-pressed", "false")
    assert await page.evaluate("notes") == 0
    await bell.click()
    await expect(bell).to_have_attribute("aria-pressed", "true")
    before = await page.evaluate("notes")
    assert before > 0, "it is heard once when it is switched on"
    await _answer(page, state="called")
    await page.evaluate(_HIDE, False)
    await Way(page, stack).heading("It is your turn")
    await expect(page).to_have_title("● It is your turn")
    assert await page.evaluate("notes") > before


async def test_what_was_typed_survives_the_switch(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await way.born()
    await way.next("Where do you live?")
    await page.get_by_label("Where do you live?").select_option("ES-CM")
    await way.next("Diabetes")
    await page.get_by_label("Year", exact=True).fill("1951")
    await page.get_by_label("Diabetes").check()
    await page.get_by_role("button", name="Français").click()
    await way.heading("Pouvez-vous réserver maintenant ?")
    assert await page.locator("#birth-year").input_value() == "1951"
    assert await page.get_by_label("Diabète").is_checked()


async def test_booking_pages_in_arabic_and_french(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    await way.to_questions()
    await way.answer()
    for language, address in (
        ("ar", "/slots"),
        ("fr", "/eligibility"),
        ("ar", "/eligibility/result"),
        ("fr", "/slots"),
    ):
        await _speak(page, stack, language)
        await page.goto(stack.origin_url + address)
        await expect(page.locator("html")).to_have_attribute("lang", language)
        assert await faults_of(page) == []
    await page.locator("button.time").first.click()
    await way.heading("Confirmez votre rendez-vous")
    assert await faults_of(page) == []
