"""A site cancels and its people answer, staff at the door, and the waitlist: in a real browser, and accessible."""

import re

import pytest
from playwright.async_api import Page, expect
from prometheus_client import CollectorRegistry

from origin.db.pool import Database, create_pool
from origin.metrics import OriginMetrics
from origin.offers.promising import Promising
from origin.offers.store import OfferStore
from origin.waitlist.offering import Offering
from origin.waitlist.store import WaitlistStore
from shared.clock import SystemClock
from shared.ids import SystemIds
from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")

STAFF = "stella"  # as the local identity provider knows her: of site 1


async def _check(page: Page, *, javascript: bool = True) -> None:
    """Without scripts there is no checker either."""
    if javascript:
        assert await faults_of(page) == []


async def _work(stack: Stack) -> None:
    """Let the worker do what is due."""
    metrics = OriginMetrics(CollectorRegistry())
    database = Database(await create_pool(stack.database_url, size=1), metrics, wait_s=5)
    clock, ids = SystemClock(), SystemIds()
    await Promising(database, clock, ids, metrics, OfferStore()).run()
    await Offering(database, clock, ids, metrics, WaitlistStore()).run()
    await database.close()


async def _staff(stack: Stack, visit: Visit, *, javascript: bool = True) -> Way:
    way = Way(await visit(javascript=javascript), stack)
    await way.page.goto(f"{stack.origin_url}/site/1")
    await way.sign_in(STAFF)
    await way.heading("Centro de Salud Mayor, Madrid")
    return way


async def _tell(staff: Way) -> None:
    """Cancel; others may have been moved to that time before."""
    await staff.page.get_by_role("button", name=re.compile("^Cancel, and tell")).click()


async def _booked(way: Way) -> tuple[int, str]:
    """Book the first time at site 1; return the slot and the appointment."""
    await way.to_times()
    slot: int = await way.stack.value(
        "SELECT id FROM slot WHERE site = 1 AND cancellation IS NULL AND remaining > 0 ORDER BY starts_at LIMIT 1"
    )
    await way.page.goto(f"{way.stack.origin_url}/slots/{slot}/confirm")
    await way.press("Confirm this appointment")
    return slot, await way.appointment()


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_a_time_is_cancelled_offered_anew_and_taken(stack: Stack, visit: Visit, javascript: bool) -> None:
    way = Way(await visit(javascript=javascript), stack)
    slot, appointment = await _booked(way)
    staff = await _staff(stack, visit, javascript=javascript)
    await staff.page.goto(f"{stack.origin_url}/site/1/cancel?slot={slot}#cancel")
    await staff.page.get_by_label("Why?").fill("The heating has failed")
    await staff.press("See who is concerned")
    await staff.heading("Cancel these times?")
    await _check(staff.page, javascript=javascript)
    await _tell(staff)
    await expect(staff.page.get_by_role("status")).to_contain_text("Nothing can be booked there any more")

    await way.page.goto(f"{stack.origin_url}/appointments/{appointment}")
    await way.follow("See how it stands")
    await way.heading("We are looking for another time for you")
    await _work(stack)
    await way.page.goto(f"{stack.origin_url}/appointments/{appointment}")
    await _check(way.page, javascript=javascript)
    await way.follow("See the new time and answer")
    await way.heading("A new time is kept for you")
    await _check(way.page, javascript=javascript)
    await way.press("Show me another time")
    await way.heading("A new time is kept for you")
    await way.press("Take this time")
    await way.heading("Your appointment was moved")
    await _check(way.page, javascript=javascript)
    await staff.page.goto(f"{stack.origin_url}/site/1")
    await expect(staff.page.get_by_text(re.compile("took another time: [1-9]")).first).to_be_visible()
    await _check(staff.page, javascript=javascript)


async def test_who_takes_none_comes_back_without_queueing(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    slot, appointment = await _booked(way)
    staff = await _staff(stack, visit)
    await staff.page.goto(f"{stack.origin_url}/site/1/cancel?slot={slot}#cancel")
    await staff.page.get_by_label("Why?").fill("The heating has failed")
    await staff.press("See who is concerned")
    await _tell(staff)
    await _work(stack)
    await way.page.goto(f"{stack.origin_url}/")
    await _check(way.page)
    await way.follow("See the new time and answer")
    await way.follow("I do not want any of them")
    await way.heading("Take none of these times?")
    await _check(way.page)
    await way.press("Yes, cancel my appointment")
    await way.heading("Your appointment is cancelled")
    await _check(way.page)
    await way.page.goto(f"{stack.origin_url}/appointments/{appointment}")
    await _check(way.page)
    await way.press("Book again without queueing")
    await way.heading("Can you book now?")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_a_cancelled_time_is_opened_again(stack: Stack, visit: Visit, javascript: bool) -> None:
    slot, day = await stack.value(
        "SELECT (id, (starts_at AT TIME ZONE 'Europe/Madrid')::date::text) FROM slot WHERE site = 1"
        " AND cancellation IS NULL AND remaining = capacity ORDER BY starts_at DESC LIMIT 1"
    )
    staff = await _staff(stack, visit, javascript=javascript)
    page = staff.page
    await page.goto(f"{stack.origin_url}/site/1/cancel?slot={slot}#cancel")
    await page.get_by_label("Why?").fill("The heating has failed")
    await staff.press("See who is concerned")
    await _tell(staff)
    await expect(page.get_by_role("link", name="Open again").first).to_be_visible()
    await _check(page, javascript=javascript)
    await page.goto(f"{stack.origin_url}/site/1/days/{day}")
    await _check(page, javascript=javascript)
    await page.get_by_role("link", name="Open this time again").first.click()
    await staff.heading("Open cancelled times again")
    await page.get_by_label("Places at each time").fill("7")
    await page.get_by_label("Why?").fill("The heating works again")
    await _check(page, javascript=javascript)
    await staff.press("Open again")
    await expect(page.get_by_role("status")).to_contain_text("nobody was moved back")
    await _check(page, javascript=javascript)
    assert await stack.value("SELECT (capacity, remaining) FROM slot WHERE id = $1", slot) == (7, 7)
    await staff.page.goto(f"{stack.origin_url}/site/1/reopen?slot={slot}")
    await page.get_by_label("Why?").fill("Once more")
    await staff.press("Open again")
    await expect(page.get_by_role("alert")).to_contain_text("There is no cancelled time to open")
    await _check(page, javascript=javascript)
    await page.context.add_cookies([{"name": "vestibule_lang", "value": "ar", "url": stack.origin_url}])
    for path in ("site/1", f"site/1/reopen?day={day}"):
        await page.goto(f"{stack.origin_url}/{path}")
        await _check(page, javascript=javascript)


async def test_staff_check_people_in_at_the_door_and_let_one_walk_in(stack: Stack, visit: Visit) -> None:
    booker = Way(await visit(), stack)
    slot, appointment = await _booked(booker)
    staff = await _staff(stack, visit)
    page = staff.page
    day = await stack.value("SELECT (starts_at AT TIME ZONE 'Europe/Madrid')::date::text FROM slot WHERE id = $1", slot)
    address = f"{stack.origin_url}/site/1/days/{day}"
    await page.goto(address)
    code = f"{appointment[-8:-4]}-{appointment[-4:]}".upper()
    await expect(page.get_by_text(code).first).to_be_visible()
    await page.get_by_role("button", name=f"Check in {code}").click()
    await expect(page.get_by_role("alert")).to_contain_text("It is too early")
    await _check(page)
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name=f"Check in {code}")).to_be_hidden()
    await page.emulate_media(media="screen")

    await stack.execute(
        "UPDATE appointment SET status = 'checked_in' WHERE id = $1::text::uuid", appointment
    )  # the day has not come
    await page.goto(address)
    await page.get_by_role("button", name=f"Done {code}").click()
    await expect(page.get_by_role("alert")).to_contain_text("too early")
    await _check(page)
    await page.get_by_role("link", name="Somebody without an appointment").first.click()
    await staff.heading("Somebody without an appointment")
    await _check(page)
    await staff.born()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Where do you live?").select_option(label="Comunidad de Madrid")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("None of these").check()
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("status")).to_contain_text("Their code:")
    await _check(page)
    await page.context.add_cookies([{"name": "vestibule_lang", "value": "ar", "url": stack.origin_url}])
    for path in (address, f"{stack.origin_url}/site/1"):
        await page.goto(path)
        await _check(page)


async def test_somebody_waits_and_takes_what_becomes_free(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    page = way.page
    slot = await way.to_confirm()
    await stack.execute(
        "UPDATE slot SET remaining = 0, capacity = capacity - remaining WHERE starts_at < now() + interval '60 days'"
    )
    try:
        await page.goto(f"{stack.origin_url}/waitlist?slot={slot}")
        await _check(page)
        await page.goto(f"{stack.origin_url}/waitlist")
        await _check(page)
        await way.press("Wait for a place")
        await expect(page.get_by_text("You are waiting.")).to_be_visible()
        await _check(page)
        await stack.execute("UPDATE slot SET remaining = 1, capacity = capacity + 1 WHERE id = $1", slot)
        await _work(stack)
        await page.goto(f"{stack.origin_url}/")
        await way.follow("See the place")
        await _check(page)
        await page.context.add_cookies([{"name": "vestibule_lang", "value": "ar", "url": stack.origin_url}])
        await page.goto(f"{stack.origin_url}/waitlist")
        await _check(page)
        await page.context.add_cookies([{"name": "vestibule_lang", "value": "en", "url": stack.origin_url}])
        await page.goto(f"{stack.origin_url}/waitlist")
        await way.press("Book this place")
        await way.heading("Confirm your appointment")
        await way.press("Confirm this appointment")
        await way.appointment()
    finally:
        await stack.execute("UPDATE slot SET remaining = remaining + 19, capacity = capacity + 19")
