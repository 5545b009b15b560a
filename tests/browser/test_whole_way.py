"""From the waiting room to the appointment and out again, as people go."""

from pathlib import Path

import pytest
from icalendar import Calendar
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_a_visitor_comes_to_an_appointment_and_can_cancel_it(
    stack: Stack, visit: Visit, javascript: bool, tmp_path: Path
) -> None:
    way = Way(await visit(javascript=javascript), stack)
    await way.join()
    await (way.through() if javascript else way.through_by_hand())
    await way.sign_in()
    await way.heading("A few questions come next")
    await way.follow("Start")
    await way.answer()
    await way.heading("You can book now")
    await expect(way.page.get_by_text("You are 65 or older.")).to_be_visible()
    await way.follow("Choose a time and a place")
    slot = await way.choose()
    await way.press("Confirm this appointment")
    appointment = await way.appointment()
    await expect(way.page.get_by_text("Your appointment is confirmed.")).to_be_visible()

    async with way.page.expect_download() as downloading:
        await way.follow("Add to my calendar")
    file = tmp_path / "appointment.ics"
    await (await downloading.value).save_as(file)
    event = Calendar.from_ical(file.read_bytes()).events[0]
    assert str(event["uid"]) == f"{appointment}@vestibule"
    assert event.start == await stack.value("SELECT starts_at FROM slot WHERE id = $1", slot)
    assert event["dtstart"].params["TZID"] == "Europe/Madrid"

    await way.follow("Cancel this appointment")
    await way.heading("Cancel your appointment?")
    await way.press("Yes, cancel it")
    await way.heading("Your appointment is cancelled")
    assert await stack.value("SELECT status FROM appointment WHERE id = $1::text::uuid", appointment) == "cancelled"
    await way.press("Sign out")
    await expect(way.page.get_by_text("You are signed out.")).to_be_visible()
    await way.page.goto(f"{stack.origin_url}/appointments/{appointment}")
    await way.heading("Please sign in")
