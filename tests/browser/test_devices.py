"""A place on a second device, by a code; and a page that keeps to itself."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_a_place_goes_on_on_another_device(stack: Stack, visit: Visit, javascript: bool) -> None:
    phone, laptop = await visit(javascript=javascript, width=320), await visit(javascript=javascript)
    await stack.crowd("slow", 2)
    await Way(phone, stack).join("slow")
    if javascript:
        await phone.locator("#line[data-live]").wait_for()
    place = await phone.locator("#place").inner_text()
    await phone.get_by_text("Go on with another device").click()
    await Way(phone, stack).press("Show me a code")
    await expect(phone.locator("#code-shown")).to_be_visible()
    code = await phone.locator("#code-shown .code").inner_text()
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", code)
    if javascript:
        assert phone.url == f"{stack.edge_url}/rooms/slow", "the line goes on being watched"
        assert await faults_of(phone) == []

    await laptop.goto(f"{stack.edge_url}/rooms/slow")
    await laptop.get_by_text("I have a code from another device").click()
    await laptop.get_by_label("Code from the other device").fill("AAAAA-AAAAA")
    await Way(laptop, stack).press("Go on with my place")
    await expect(laptop.get_by_text("This code is not known here.")).to_be_visible()
    await expect(laptop.get_by_label("Code from the other device")).to_have_attribute("aria-invalid", "true")
    if javascript:
        assert await faults_of(laptop) == []
    await laptop.get_by_label("Code from the other device").fill(code.lower())
    await Way(laptop, stack).press("Go on with my place")
    await Way(laptop, stack).heading("You are in line")
    assert int((await laptop.locator("#place").inner_text()).replace(",", "")) == int(place.replace(",", ""))
    assert code not in laptop.url


async def test_nothing_but_our_own_files_can_run_on_a_page(stack: Stack, visit: Visit) -> None:
    page = await visit()
    answer = await page.goto(f"{stack.edge_url}/rooms/slow")
    assert answer is not None
    policy = dict(
        part.strip().split(" ", 1) for part in (await answer.header_value("content-security-policy") or "").split(";")
    )
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "font-src")} == {"'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert set(policy["form-action"].split()) <= {"'self'", stack.origin_url}
    inline = await page.evaluate("[...document.scripts].filter(each => !each.src).map(each => each.type)")
    assert set(inline) <= {"application/json"}
    assert await page.evaluate("document.querySelectorAll('[style], style').length") == 0
