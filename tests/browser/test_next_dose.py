"""Both doses in a browser, with or without scripts: the pages are accessible, by keyboard, and at 320 px."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def course(stack: Stack) -> AsyncIterator[None]:
    """A second dose of each product, one to three days after the first."""
    await stack.execute(
        "INSERT INTO course (programme, product, dose, days_min, days_max)"
        " SELECT DISTINCT programme, product, 1, 1, 3 FROM slot"
    )
    yield
    await stack.execute("DELETE FROM course")


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("scripts", [True, False])
async def test_both_doses_are_chosen_lost_and_booked_and_every_page_is_accessible(
    stack: Stack, visit: Visit, scripts: bool
) -> None:
    way = Way(await visit(javascript=scripts), stack)
    page = way.page
    await way.to_times()
    await page.locator("button.time:visible").first.click()
    await way.heading("Choose a time for the next dose")
    assert not scripts or await faults_of(page) == []
    times = page.locator("a.time")
    address = await times.first.get_attribute("href") or ""
    await times.first.focus()
    await page.keyboard.press("Enter")
    await way.heading("Confirm both appointments")
    assert not scripts or await faults_of(page) == []
    second = int(address.split("/")[4])
    await stack.sell_out(second)
    await way.press("Confirm both appointments")
    await way.heading("The time for dose 2 has just been taken")
    assert not scripts or await faults_of(page) == []
    await page.get_by_role("button", name="Book both, with").first.click()
    await way.heading("Your appointments")
    assert not scripts or await faults_of(page) == []
