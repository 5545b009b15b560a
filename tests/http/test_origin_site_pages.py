"""The pages of a site's staff, without a script: the day at the door, and times that are cancelled."""

import re
from typing import Any

import httpx
import pytest

from tests.origin_world import Origin
from tests.sites_world import STAFF, Clinic
from tests.staff_browser import StaffBrowser

PAGE = "/site/1"
DAY = f"{PAGE}/days/2027-03-02"
REOPEN = f"{PAGE}/reopen"


@pytest.fixture
def stella(origin: Origin) -> StaffBrowser:
    return StaffBrowser(origin, "stella", (STAFF,))


def hidden(page: httpx.Response, *names: str) -> dict[str, str]:
    """What a page's form would send back."""
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page.text) for name in names}
    return {name: match[1] for name, match in found.items() if match}


async def press(browser: StaffBrowser, page: str, path: str, **form: Any) -> httpx.Response:
    """Send a form that is on ``page``, with its key."""
    return await browser.send(path, hidden(await browser.get(page), "csrf") | form)


async def test_a_day_is_cancelled_in_two_steps_and_its_progress_is_drawn(
    origin: Origin, clinic: Clinic, stella: StaffBrowser
) -> None:
    slot = await origin.world.slot(capacity=4)
    await origin.world.slot(hours=80)
    people = []
    for sub in ("ana", "bruno", "carmen"):
        people += await clinic.booked(slot, sub)
        origin.world.clock.advance(1)
    asked = await press(stella, PAGE, f"{PAGE}/cancel", day="2027-03-02", reason="the <heating> has failed")
    assert asked.status_code == 200
    assert "3 people have an appointment there" in asked.text
    assert all(f"{each[-8:-4]}-{each[-4:]}".upper() in asked.text for _, each in people)
    assert await origin.world.count("site_cancellation") == 0
    form = hidden(asked, "csrf", "slot", "day", "first", "last", "confirm") | {"reason": "the <heating> has failed"}
    done = await stella.send(f"{PAGE}/cancel", form)
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?done=cancelled#cancelled")
    await clinic.work()
    await clinic.answer(people[0][0], "accept", await clinic.offer(people[0][0]))
    page = (await stella.get(PAGE)).text
    assert "the &lt;heating&gt; has failed" in page
    assert '<rect class="settled" x="0.0" y="0" width="33.33" height="10"/>' in page
    assert '<rect class="ended" x="33.33" y="0" width="66.67" height="10"/>' in page
    assert "took another time: 1" in page
    assert "no other time found: 2" in page


async def test_what_cannot_be_cancelled_is_said_on_the_page_with_what_was_typed(
    origin: Origin, clinic: Clinic, stella: StaffBrowser
) -> None:
    slot = await origin.world.slot(capacity=2)
    empty = await press(stella, PAGE, f"{PAGE}/cancel", day="2027-03-09", reason="ill")
    assert (empty.status_code, "There is no time to cancel then" in empty.text) == (409, True)
    assert 'value="2027-03-09"' in empty.text
    turned = {"day": "2027-03-02", "first": "12:00", "last": "09:00", "reason": "ill"}
    for wrong in (turned, {"day": "x", "reason": "ill"}, {"day": "2027-03-02"}, {"slot": "x", "reason": "ill"}):
        assert (await press(stella, PAGE, f"{PAGE}/cancel", **wrong)).status_code == 422
    await clinic.booked(slot, "ana")
    changed = await press(stella, PAGE, f"{PAGE}/cancel", slot=slot, reason="ill", confirm="0")
    assert (changed.status_code, "Somebody has booked" in changed.text) == (409, True)
    assert await origin.world.count("site_cancellation") == 0


async def test_a_cancelled_time_is_opened_again_once_its_people_have_an_answer(
    origin: Origin, clinic: Clinic, stella: StaffBrowser
) -> None:
    slot = await origin.world.slot(capacity=4)
    await origin.world.slot(hours=80)
    ((ana, _),) = await clinic.booked(slot, "ana")
    await clinic.cancel(slot, 1)
    assert "once everybody has an answer" in (await stella.get(PAGE)).text
    assert f'href="{REOPEN}?slot={slot}"' in (await stella.get(DAY)).text
    asked = f"{REOPEN}?slot={slot}"
    assert "2 March 2027, 10:00" in (await stella.get(asked)).text
    early = await press(stella, asked, REOPEN, slot=slot, reason="it <works>", places="3")
    assert (early.status_code, "1 person still waits" in early.text) == (409, True)
    assert 'value="3"' in early.text
    assert 'value="it &lt;works&gt;"' in early.text
    await clinic.work()
    await clinic.answer(ana, "accept", await clinic.offer(ana))
    page = (await stella.get(PAGE)).text
    assert f'href="{REOPEN}?day=2027-03-02"' in page
    done = await press(stella, f"{REOPEN}?day=2027-03-02", REOPEN, day="2027-03-02", reason="it <works>", places="3")
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?done=reopened#reopened")
    page = (await stella.get(f"{PAGE}?done=reopened")).text
    assert "nobody was moved back" in page
    assert "1 of these times is open again" in page
    assert "it &lt;works&gt;" in page
    assert f"{REOPEN}?" not in page
    assert "3 free places" in (await stella.get(DAY)).text
    assert await origin.world.count("slot", "cancellation IS NULL AND capacity = 3 AND remaining = 3") == 1


async def test_what_cannot_be_opened_is_said_on_the_page(origin: Origin, clinic: Clinic, stella: StaffBrowser) -> None:
    slot = await origin.world.slot()
    await clinic.cancel(slot, 0)
    for form in ({"day": "x"}, {"day": "2027-03-02", "first": "12:00", "last": "09:00"}, {"slot": slot, "places": "0"}):
        wrong = await press(stella, REOPEN, REOPEN, reason="ill", **form)
        assert (wrong.status_code, "Choose a day" in wrong.text) == (422, True)
    assert (await press(stella, REOPEN, REOPEN, slot=slot)).status_code == 422
    none = await press(stella, REOPEN, REOPEN, day="2027-03-09", reason="it works")
    assert (none.status_code, "There is no cancelled time" in none.text) == (409, True)
    for unknown in ("x", 2**63, slot + 1):
        assert (await stella.get(f"{REOPEN}?slot={unknown}")).status_code == 404
    stale = await stella.send(REOPEN, {"csrf": "x", "slot": slot, "reason": "it works"})
    assert stale.status_code == 403
    assert await origin.world.count("site_reopening") == 0


async def test_the_day_shows_codes_and_marks_people(origin: Origin, clinic: Clinic, stella: StaffBrowser) -> None:
    ((_, appointment),) = await clinic.booked(await origin.world.slot(capacity=2), "ana")
    page = (await stella.get(DAY)).text
    assert f"{appointment[-8:-4]}-{appointment[-4:]}".upper() in page
    assert "1 free place" in page
    early = await press(stella, DAY, f"{DAY}/mark", appointment=appointment, status="checked_in")
    assert early.headers["location"].startswith(f"{DAY}?note=mark_early")
    assert "too early" in (await stella.get(f"{DAY}?note=mark_early")).text
    origin.world.clock.advance(22 * 3600)
    stella = StaffBrowser(origin, "stella", (STAFF,))
    pressed = await press(stella, DAY, f"{DAY}/mark", appointment=appointment, status="checked_in")
    assert (pressed.status_code, pressed.headers["location"]) == (303, f"{DAY}#a-{appointment}")
    assert "is here" in (await stella.get(DAY)).text
    stale = await stella.send(f"{DAY}/mark", {"csrf": "x", "appointment": appointment, "status": "completed"})
    assert stale.status_code == 403
    odd = await press(stella, DAY, f"{DAY}/mark", appointment=appointment, status="cancelled")
    assert odd.status_code == 403
    assert await origin.world.count("appointment", "status = 'checked_in'") == 1


async def test_today_is_the_sites_own_day(origin: Origin) -> None:
    origin.world.clock.advance(14.5 * 3600)
    stella = StaffBrowser(origin, "stella", (STAFF,))
    assert (await stella.get(f"{PAGE}/days")).headers["location"] == f"{PAGE}/days/2027-03-02"
    assert (await stella.get(f"{PAGE}/days?day=2027-04-01")).headers["location"] == f"{PAGE}/days/2027-04-01"
    assert (await stella.get(f"{PAGE}/days/x")).status_code == 404


async def test_somebody_walks_in_question_by_question(origin: Origin, stella: StaffBrowser) -> None:
    slot = await origin.world.slot()
    page = f"{PAGE}/slots/{slot}/walk-in"
    first = await stella.get(page)
    typed = {"day": "17", "month": "5", "year": "1950", "region": "ES-MD", "job": "none", "conditions": "none"}
    form = hidden(first, "csrf", "key") | typed | {"asked": ["birth", "region", "job", "conditions"]}
    answer = await stella.send(page, form)
    assert answer.status_code == 303, answer.text
    day = answer.headers["location"]
    assert day.startswith(f"{DAY}?walked_in=")
    assert "Their code:" in (await stella.get(day.partition("#")[0])).text
    refused = await stella.send(page, form | {"key": "another-key", "year": "1990"})
    assert (refused.status_code, "do not allow it" in refused.text) == (403, True)
    wrong = await stella.send(page, form | {"year": "19", "asked": ["birth"]})
    assert (wrong.status_code, "four digits" in wrong.text) == (422, True)


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/cancel", REOPEN, f"{PAGE}/days", DAY, f"{PAGE}/slots/1/walk-in"])
async def test_every_page_needs_the_role_at_this_site(origin: Origin, path: str) -> None:
    """U5, for the pages of sites."""
    await origin.world.slot()
    for roles in ((), ("visitor",), ("support",), ("site_staff",), ("site_staff:2",)):
        assert (await StaffBrowser(origin, "x", roles).get(path)).status_code == 403
    for roles in ((STAFF,), ("operator",)):
        assert (await StaffBrowser(origin, "x", roles).get(path)).status_code in {200, 303}


async def test_everybody_finds_their_sites(origin: Origin) -> None:
    one = await StaffBrowser(origin, "x", (STAFF,)).get("/site")
    assert (one.status_code, one.headers["location"]) == (303, PAGE)
    two = (await StaffBrowser(origin, "x", (STAFF, "site_staff:2")).get("/site")).text
    assert "Health centre" in two
    assert "Library" in two
    olga = StaffBrowser(origin, "olga", ("operator",))
    assert (await olga.get("/site?site=3")).headers["location"] == "/site/3"
    assert "There is no site of this code" in (await olga.get("/site?site=99")).text
    assert (await StaffBrowser(origin, "x", ("visitor",)).get("/site")).status_code == 403
