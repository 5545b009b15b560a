"""The pages for both doses: a time for the next one, one press for both, and what happens when one is gone."""

import pytest

from tests.groups_world import set_course
from tests.origin_browser import Browser
from tests.origin_world import SENIOR, Origin

DAY = 24


@pytest.fixture
async def ana(origin: Origin) -> Browser:
    """Somebody who may book."""
    await set_course(origin.world)
    browser = Browser(origin)
    await browser.answer(SENIOR)
    return browser


async def test_a_first_time_leads_to_times_for_the_next_dose_and_one_press_books_both(
    origin: Origin, ana: Browser
) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    outside = await origin.world.slot(hours=40 * DAY)
    led = await ana.get(f"/slots/{first}/confirm")
    assert (led.status_code, led.headers["location"]) == (303, f"/slots/{first}/next")
    page = await ana.get(f"/slots/{first}/next")
    assert page.status_code == 200
    assert f"/slots/{first}/next/{second}/confirm" in page.text
    assert f"/next/{outside}/" not in page.text
    assert "21 to 28 days" in page.text
    both = await ana.get(f"/slots/{first}/next/{second}/confirm")
    assert "Tuesday 2 March 2027" in both.text
    assert "Tuesday 23 March 2027" in both.text
    assert await origin.world.count("appointment") == 0
    booked = await ana.post(f"/slots/{first}/next/{second}/confirm", {})
    assert booked.status_code == 303, booked.text
    shown = await ana.get(booked.headers["location"])
    own = booked.headers["location"].removesuffix("/together?booked=1")
    assert "The next dose was booked with it, and is cancelled too" in (await ana.get(f"{own}/cancel")).text
    assert shown.text.count("Dose 1") == shown.text.count("Dose 2") == 1
    assert "Your appointments are confirmed." in shown.text
    assert await origin.world.count("appointment", "status = 'confirmed'") == 2


async def test_when_one_is_gone_nothing_is_booked_the_other_is_kept_and_a_press_books_both(
    origin: Origin, ana: Browser
) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    other = await origin.world.slot(hours=24 * DAY)
    address = f"/slots/{first}/next/{second}/confirm"
    bo = origin.visitor("bo")
    await ana.get(address)
    assert (await bo.book(second, await bo.decision())).status_code == 201
    gone = await ana.post(address, {})
    assert gone.status_code == 409
    assert "The time for dose 2 has just been taken" in gone.text
    assert "Dose 1, still chosen" in gone.text
    assert f'action="/slots/{first}/next/{other}/confirm"' in gone.text
    assert await origin.world.count("appointment") == 1  # Bo's
    booked = await ana.post(f"/slots/{first}/next/{other}/confirm", {})
    assert booked.status_code == 303


async def test_when_the_first_is_gone_the_second_is_kept(origin: Origin, ana: Browser) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    other = await origin.world.slot(hours=DAY - 3)
    bo = origin.visitor("bo")
    await bo.book(first, await bo.decision())
    gone = await ana.post(f"/slots/{first}/next/{second}/confirm", {})
    assert "The time for dose 1 has just been taken" in gone.text
    assert f'action="/slots/{other}/next/{second}/confirm"' in gone.text


async def test_the_first_alone_is_booked_where_the_programme_allows_and_the_page_says_what_that_means(
    origin: Origin, ana: Browser
) -> None:
    first = await origin.world.slot(hours=DAY)
    page = await ana.get(f"/slots/{first}/next")
    assert "There is no free time for it near there" in page.text
    assert "Nothing is kept for dose 2 then" in page.text
    alone = f"/slots/{first}/confirm?alone=1"
    assert (await ana.get(alone)).status_code == 200
    assert (await ana.post(alone, {})).status_code == 303
    assert await origin.world.count("appointment") == 1


async def test_the_first_alone_is_not_offered_where_the_programme_does_not_allow_it(origin: Origin) -> None:
    await set_course(origin.world, first_alone=False)
    ana, first = Browser(origin), await origin.world.slot(hours=DAY)
    await ana.answer(SENIOR)
    assert "alone=1" not in (await ana.get(f"/slots/{first}/next")).text
    refused = await ana.post(f"/slots/{first}/confirm?alone=1", {})
    assert refused.status_code == 409
    assert "Both doses are booked together" in refused.text
    assert f'href="/slots/{first}/next"' in refused.text


async def test_times_that_do_not_go_together_are_refused_with_what_to_do(origin: Origin, ana: Browser) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=4 * DAY)
    refused = await ana.post(f"/slots/{first}/next/{second}/confirm", {})
    assert refused.status_code == 409
    assert "These two times do not go together" in refused.text


async def test_a_product_without_a_course_is_confirmed_as_before(origin: Origin, ana: Browser) -> None:
    slot = await origin.world.slot(hours=DAY, product="168")
    assert (await ana.get(f"/slots/{slot}/confirm")).status_code == 200
    led = await ana.get(f"/slots/{slot}/next")
    assert (led.status_code, led.headers["location"]) == (303, f"/slots/{slot}/confirm")


async def test_what_was_booked_together_is_nobody_elses_to_see(origin: Origin, ana: Browser) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    booked = await ana.post(f"/slots/{first}/next/{second}/confirm", {})
    bo = Browser(origin, "bo")
    for address in (booked.headers["location"], "/appointments/1/together"):
        assert (await bo.get(address)).status_code == 404
