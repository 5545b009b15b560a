"""The pages for a household: whom one books for, questions for each, a time for all, one confirmation."""

import re
from uuid import uuid4

from origin.web.box import MAX_COOKIE_LENGTH
from origin.web.visit import Guest, Visits
from shared.ids import SystemIds
from tests.origin_browser import Browser
from tests.origin_world import ADULT, ORIGIN_KEYS, SENIOR, Origin


async def post(browser: Browser, path: str, form: dict[str, object]) -> tuple[int, str, str]:
    """Send a form of the household page."""
    await browser.get("/household")
    answer = await browser.post_from("/household", path, form)
    return answer.status_code, answer.headers.get("location", ""), answer.text


async def member(browser: Browser, name: str = "Kim", document: str = "X1234567") -> str:
    assert await post(browser, "/household/members", {"name": name, "document": document}) == (303, "/household", "")
    page = (await browser.get("/household")).text
    found = re.search(rf'value="([0-9a-f-]{{36}})" id="who-[^"]+"><label for="[^"]+"><bdi>{name}', page)
    assert found, page
    return found[1]


async def family(origin: Origin, facts: dict[str, object] = SENIOR) -> tuple[Browser, str]:
    """A parent and a child, both asked."""
    ana = Browser(origin)
    kim = await member(ana)
    assert (await post(ana, "/household/choose", {"who": ["me", kim]}))[1] == "/household/party"
    for number, each in enumerate((SENIOR, facts)):
        assert (await ana.get(f"/household/party/{number}")).headers["location"] == "/eligibility"
        asked = (await ana.get("/eligibility")).text
        assert ("Answer for yourself" in asked, "Kim</bdi>" in asked) == (number == 0, number == 1)
        result = await ana.answer(each)
        assert "Back to your household" in result.text
    return ana, kim


async def test_a_family_answers_each_for_itself_and_is_confirmed_with_one_press(origin: Origin) -> None:
    first, second = await origin.world.slot(hours=24), await origin.world.slot(hours=24.5)
    ana, _ = await family(origin)
    overview = await ana.get("/household/party")
    assert overview.text.count("Can book now") == 2
    assert 'href="/household/party"' in (await ana.get("/")).text
    for alone in ("/slots", f"/slots/{first}/confirm"):  # with what was decided about Kim
        assert (await ana.get(alone)).headers["location"] == "/household/party"
    times = await ana.get("/household/times")
    assert f'href="/household/confirm/{first}-{second}"' in times.text
    confirm = f"/household/confirm/{first}-{second}"
    asked = await ana.get(confirm)
    assert ("For you" in asked.text, "For Kim" in asked.text) == (True, True)
    assert await origin.world.count("appointment") == 0
    booked = await ana.post(confirm, {})
    assert booked.status_code == 303, booked.text
    shown = await ana.get(booked.headers["location"])
    assert ("For you" in shown.text, "For Kim" in shown.text, "confirmed" in shown.text) == (True, True, True)
    assert await origin.world.count("appointment", "booked_by IS NOT NULL") == 1
    home = await ana.get("/")
    assert "For Kim" in home.text
    links = re.findall(r'href="(/appointments/[^"]+)"', home.text)
    assert len(links) == 2
    assert ["For Kim" in (await ana.get(link)).text for link in links].count(True) == 1


async def test_when_a_place_is_gone_nobody_is_booked_and_other_times_for_all_are_shown(origin: Origin) -> None:
    first, second = await origin.world.slot(hours=24), await origin.world.slot(hours=24.5)
    other = await origin.world.slot(hours=30, capacity=2)
    ana, _ = await family(origin)
    bo, confirm = origin.visitor("bo"), f"/household/confirm/{first}-{second}"
    await ana.get(confirm)
    assert (await bo.book(second, await bo.decision())).status_code == 201
    gone = await ana.post(confirm, {})
    assert (gone.status_code, "Nothing was booked for any of you" in gone.text) == (409, True)
    assert f'href="/household/confirm/{other}-{other}"' in gone.text
    assert await origin.world.count("appointment") == 1
    assert (await ana.post(f"/household/confirm/{other}-{other}", {})).status_code == 303


async def test_who_has_an_appointment_already_is_named(origin: Origin) -> None:
    slot = await origin.world.slot(capacity=9)
    bo = Browser(origin, "bo")
    his = await member(bo, "Kimberly", "x-1234567")
    await post(bo, "/household/choose", {"who": [his]})
    await bo.get("/household/party/0")
    await bo.answer(SENIOR)
    assert (await bo.post(f"/household/confirm/{slot}", {})).status_code == 303
    ana, _ = await family(origin)
    refused = await ana.post(f"/household/confirm/{slot}-{slot}", {})
    assert refused.status_code == 409
    assert "There is an appointment already for this dose for Kim." in refused.text
    assert await origin.world.count("appointment") == 1


async def test_as_long_as_somebody_cannot_book_there_is_no_time_for_all(origin: Origin) -> None:
    slot = await origin.world.slot(capacity=9)
    ana, _ = await family(origin, ADULT)
    overview = await ana.get("/household/party")
    assert ("Cannot book now" in overview.text, "/household/times" in overview.text) == (True, False)
    for address in ("/household/times", f"/household/confirm/{slot}-{slot}"):
        assert (await ana.get(address)).headers["location"] == "/household/party"


async def test_only_for_oneself_is_the_way_as_before(origin: Origin) -> None:
    ana, slot = Browser(origin), await origin.world.slot()
    await member(ana)
    assert (await post(ana, "/household/choose", {"who": ["me"]}))[1] == "/eligibility"
    assert "These questions are about you." in (await ana.get("/eligibility")).text
    await ana.answer(SENIOR)
    assert (await ana.post(f"/slots/{slot}/confirm", {})).status_code == 303


async def test_what_is_wrong_with_a_form_is_said_and_what_was_typed_stays(origin: Origin) -> None:
    ana = Browser(origin)
    status, _, page = await post(ana, "/household/members", {"name": "Kim", "document": "1"})
    assert (status, "4 to 32 letters and digits" in page, 'value="Kim"' in page) == (422, True, True)
    status, _, page = await post(ana, "/household/choose", {})
    assert (status, "Choose for whom you book" in page) == (422, True)
    stale = await ana.post_from("/household", "/household/members", {"name": "Kim", "document": "X1234", "csrf": "x"})
    assert stale.status_code == 403
    assert await origin.world.count("household_member") == 0


async def test_who_is_taken_out_is_forgotten_and_no_longer_booked_for(origin: Origin) -> None:
    slot = await origin.world.slot(capacity=9)
    ana, kim = await family(origin)
    assert (await post(ana, f"/household/members/{kim}/remove", {}))[1] == "/household"
    assert "Kim" not in (await ana.get("/household")).text
    assert (await ana.get("/household/party")).headers["location"] == "/household"
    late = await ana.post_from("/household", f"/household/confirm/{slot}-{slot}", {"key": str(uuid4())})
    assert late.headers["location"] == "/household/party"
    assert await origin.world.count("appointment") == 0


async def test_a_name_is_shown_as_text_whatever_it_is(origin: Origin) -> None:
    ana = Browser(origin)
    await post(ana, "/household/members", {"name": "<b>Kim</b>", "document": "X1234567"})
    page = (await ana.get("/household")).text
    assert ("<b>Kim" in page, "&lt;b&gt;Kim" in page) == (False, True)


async def test_the_household_needs_a_sign_in_and_the_questions_a_turn(origin: Origin) -> None:
    stranger = Browser(origin, cookies={"x": "y"})
    assert (await stranger.get("/household")).status_code == 401
    ana = Browser(origin)
    kim = await member(ana)
    await post(ana, "/household/choose", {"who": ["me", kim]})
    del ana.cookies["vestibule_admission"]
    assert (await ana.get("/household/party")).status_code == 403


async def test_a_whole_household_fits_into_the_cookie(origin: Origin) -> None:
    """Browsers keep 4 kB; what is kept of nine people, their last answers included, is less."""
    ana = Browser(origin)
    await ana.answer(ADULT)  # the longest list of reasons
    box = Visits(ORIGIN_KEYS, origin.world.clock, SystemIds(), secure=False).box
    kept = box.open(ana.cookies["vestibule_visit"])
    assert kept is not None
    ids = SystemIds()
    kept.party = [Guest(ids.uuid(), ids.uuid(), "eligible", 1_800_000_000, ["168", "140"], 1) for _ in range(9)]
    assert len(box.seal(kept, life_s=7200)) < MAX_COOKIE_LENGTH
