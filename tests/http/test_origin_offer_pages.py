"""The pages on which people answer the offer of another time, without a script."""

from tests.origin_browser import Browser
from tests.origin_world import SENIOR, Origin
from tests.sites_world import Clinic


async def offered(origin: Origin, clinic: Clinic) -> tuple[Browser, str, str]:
    """Somebody whose slot was cancelled: their browser, the offer's page, the appointment's."""
    slot = await origin.world.slot()
    await origin.world.slot(hours=72)
    await origin.world.slot(hours=96)
    ((ana, appointment),) = await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    await clinic.work()
    return Browser(origin), f"/offers/{(await clinic.offer(ana))['id']}", f"/appointments/{appointment}"


async def answer(browser: Browser, page: str, what: str) -> str:
    """Press a button on the offer's page; return where it leads."""
    slot = (await browser.get(page)).text.partition('name="slot" value="')[2].partition('"')[0]
    key = (await browser.get(page)).text.partition('name="csrf" value="')[2].partition('"')[0]
    pressed = await browser.post(f"{page}/{what}", {"slot": slot, "csrf": key})
    assert pressed.status_code == 303, pressed.text
    return pressed.headers["location"]


async def test_the_start_and_the_appointment_lead_to_the_offer_and_taking_it_moves_the_appointment(
    origin: Origin, clinic: Clinic
) -> None:
    browser, page, appointment = await offered(origin, clinic)
    for seen in ("/", appointment):
        assert f'href="{page}"' in (await browser.get(seen)).text
    text = (await browser.get(page)).text
    assert "A new time is kept for you" in text
    assert "snowed in" in text
    assert "Please answer by Wednesday 3 March 2027, 10:00." in text
    assert await answer(browser, page, "accept") == page
    assert "Your appointment was moved" in (await browser.get(page)).text
    assert "Thursday 4 March 2027" in (await browser.get(appointment)).text
    assert page not in (await browser.get("/")).text


async def test_another_time_is_shown_and_where_there_is_none_this_one_stays(origin: Origin, clinic: Clinic) -> None:
    browser, page, _ = await offered(origin, clinic)
    assert await answer(browser, page, "another") == page
    assert "Friday 5 March 2027" in (await browser.get(page)).text
    assert await answer(browser, page, "another") == f"{page}?note=no_other_time"
    assert "This one is still kept for you" in (await browser.get(f"{page}?note=no_other_time")).text


async def test_who_takes_none_is_asked_first_and_books_again_without_queueing(origin: Origin, clinic: Clinic) -> None:
    browser, page, appointment = await offered(origin, clinic)
    assert "Take none of these times?" in (await browser.get(f"{page}/decline")).text
    assert await answer(browser, page, "decline") == page
    for seen in (page, appointment):
        assert "Book again without queueing" in (await browser.get(seen)).text
    browser.cookies.pop("vestibule_admission")
    key = (await browser.get(page)).text.partition('name="csrf" value="')[2].partition('"')[0]
    back = await browser.post(f"{appointment}/return", {"csrf": key})
    assert (back.status_code, back.headers["location"]) == (303, "/eligibility")
    await browser.answer(SENIOR)
    assert (await browser.get("/slots")).status_code == 200


async def test_while_a_time_is_looked_for_the_page_looks_again(origin: Origin, clinic: Clinic) -> None:
    slot = await origin.world.slot()
    ((ana, _),) = await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    seen = await Browser(origin).get(f"/offers/{(await clinic.offer(ana))['id']}")
    assert seen.headers["refresh"] == "5"
    assert "We are looking for another time for you" in seen.text


async def test_a_form_that_is_not_ours_answers_nothing(origin: Origin, clinic: Clinic) -> None:
    browser, page, _ = await offered(origin, clinic)
    refused = await browser.post(f"{page}/decline", {"csrf": "x"})
    assert refused.status_code == 403
    assert await origin.world.count("displaced", "state = 'offered'") == 1


async def test_nobody_else_sees_the_page(origin: Origin, clinic: Clinic) -> None:
    _, page, _ = await offered(origin, clinic)
    assert (await Browser(origin, "bruno").get(page)).status_code == 404
    assert (await Browser(origin).get("/offers/x")).status_code == 404
