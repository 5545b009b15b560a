"""Pages of a time that was opened: kept by the press, never by looking at it; booked, moved to, or given back."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import origin_world
from tests.origin_browser import Browser
from tests.origin_world import SENIOR, Origin

KEPT = "This time is kept for you until"
NOT_KEPT = "Nobody keeps this time for you"


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path) as made:
        yield made
        assert await made.world.unbalanced() == []


@pytest.fixture
async def ana(origin: Origin) -> Browser:
    """Somebody who may book."""
    made = Browser(origin)
    await made.answer(SENIOR)
    return made


async def booked(browser: Browser, slot: int) -> str:
    """Book; return where the appointment is shown."""
    answer = await browser.post(f"/slots/{slot}/confirm", {})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def led(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("location", "")


async def held(origin: Origin) -> list[int]:
    return [row["slot"] for row in await origin.world.connection.fetch("SELECT slot FROM hold")]


async def test_the_press_keeps_the_time_and_looking_at_it_does_not(origin: Origin, ana: Browser) -> None:
    """A browser may fetch the page ahead of a press."""
    slot = await origin.world.slot()
    assert NOT_KEPT in (await ana.get(f"/slots/{slot}/confirm")).text
    assert await held(origin) == []
    assert f'formaction="/slots/{slot}/hold"' in (await ana.get("/slots")).text
    assert led(await ana.press("/slots", f"/slots/{slot}/hold")) == (303, f"/slots/{slot}/confirm")
    page = (await ana.get(f"/slots/{slot}/confirm")).text
    assert KEPT in page
    assert "09:02 UTC" in page
    assert "(2 minutes left)" in page
    await booked(ana, slot)
    assert await held(origin) == []


async def test_going_back_gives_the_time_back_and_so_does_a_page_that_closes(origin: Origin, ana: Browser) -> None:
    slot = await origin.world.slot()
    for accept, answer in (("text/html", (303, "/slots")), ("*/*", (204, ""))):
        await ana.press("/slots", f"/slots/{slot}/hold")
        assert await held(origin) == [slot]
        for _ in range(2):  # whoever holds nothing gives nothing back
            assert led(await ana.press(f"/slots/{slot}/confirm", f"/slots/{slot}/release", accept=accept)) == answer
        assert await held(origin) == []


async def test_leaving_the_page_of_a_place_that_was_offered_does_not_refuse_it(origin: Origin, ana: Browser) -> None:
    slot = await origin.world.slot()
    await ana.press("/slots", f"/slots/{slot}/hold")
    await origin.world.connection.execute("UPDATE hold SET kind = 'offered'")
    assert KEPT in (await ana.get(f"/slots/{slot}/confirm")).text
    await ana.press(f"/slots/{slot}/confirm", f"/slots/{slot}/release")
    assert await held(origin) == [slot]
    await booked(ana, slot)


async def test_a_script_is_told_for_how_long(origin: Origin, ana: Browser) -> None:
    slot = await origin.world.slot()
    kept = await ana.press("/slots", f"/slots/{slot}/hold", accept="application/json")
    assert (kept.status_code, kept.json()) == (200, {"lasts_s": 120})
    origin.world.clock.advance(50)
    kept = await ana.press("/slots", f"/slots/{slot}/hold", accept="application/json")
    assert kept.json() == {"lasts_s": 70}


async def test_a_time_that_lapsed_is_said_to_be_kept_no_longer_and_is_still_booked(
    origin: Origin, ana: Browser
) -> None:
    slot = await origin.world.slot()
    await ana.press("/slots", f"/slots/{slot}/hold")
    origin.world.clock.advance(121)
    assert NOT_KEPT in (await ana.get(f"/slots/{slot}/confirm")).text
    await booked(ana, slot)


async def test_a_time_that_others_have_leads_to_others_at_once(origin: Origin, ana: Browser) -> None:
    slot, near = await origin.world.slot(), await origin.world.slot(hours=25)
    bo = origin.visitor("bo")
    await bo.hold(slot, await bo.decision())
    gone = await ana.press("/slots", f"/slots/{slot}/hold")
    assert gone.status_code == 409
    assert "That time has just been taken" in gone.text
    assert f'action="/slots/{near}/confirm"' in gone.text


async def test_a_press_is_refused_kindly_and_leads_back_to_the_page(origin: Origin, ana: Browser) -> None:
    slot = await origin.world.slot()
    stale = await ana.send(f"/slots/{slot}/hold", {"csrf": "o1.forged"})
    assert stale.status_code == 403
    assert f'href="/slots/{slot}/confirm"' in stale.text
    nobody = Browser(origin, cookies={"nothing": "1"})
    assert (await nobody.send(f"/slots/{slot}/hold", {})).status_code == 403
    await origin.world.connection.execute("UPDATE programme SET frozen_since = now(), frozen_reason = 'recall'")
    frozen = await ana.press(f"/slots/{slot}/confirm", f"/slots/{slot}/hold")
    assert frozen.status_code == 423
    assert f'href="/slots/{slot}/confirm"' in frozen.text
    assert (await ana.press("/slots", f"/slots/{2**63}/hold")).status_code == 404
    assert await held(origin) == []


async def test_an_appointment_is_moved_from_page_to_page_without_a_turn(origin: Origin, ana: Browser) -> None:
    """The list shows the same product, the page both times; the old one is free only after the press."""
    old, new = await origin.world.slot(), await origin.world.slot(hours=25)
    await origin.world.slot(hours=26, product="168")
    page = await booked(ana, old)
    id_ = page.rpartition("/")[2]
    ana.cookies.pop("vestibule_admission")
    listed = (await ana.get(f"/slots?move={id_}")).text
    assert "Choose another time" in listed
    assert re.findall(r'formaction="([^"]+)"', listed) == [f"{page}/slots/{new}/hold"]
    assert f'name="move" value="{id_}"' in listed
    confirm = f"{page}/slots/{new}/confirm"
    assert NOT_KEPT in (await ana.get(confirm)).text
    assert led(await ana.press(f"/slots?move={id_}", f"{page}/slots/{new}/hold")) == (303, confirm)
    both = (await ana.get(confirm)).text
    assert KEPT in both
    assert both.index("10:00–10:30") < both.index("11:00–11:30")
    assert sorted(await held(origin)) == [new]
    assert led(await ana.post(confirm, {})) == (303, f"{page}?moved=1")
    moved = (await ana.get(f"{page}?moved=1")).text
    assert "Your appointment is moved." in moved
    assert "11:00–11:30" in moved
    assert await held(origin) == []


async def test_a_move_is_given_up_and_the_new_time_goes_back(origin: Origin, ana: Browser) -> None:
    old, new = await origin.world.slot(), await origin.world.slot(hours=25)
    page = await booked(ana, old)
    id_, way = page.rpartition("/")[2], f"{page}/slots/{new}"
    await ana.press(f"/slots?move={id_}", f"{way}/hold")
    assert led(await ana.press(f"{way}/confirm", f"{way}/release")) == (303, f"/slots?move={id_}")
    assert await held(origin) == []


async def test_a_time_to_move_to_that_was_taken_leads_to_others_and_the_old_one_stays(
    origin: Origin, ana: Browser
) -> None:
    old, new, near = [await origin.world.slot(hours=hours) for hours in (24, 25, 26)]
    page = await booked(ana, old)
    form = await ana.form_of(f"{page}/slots/{new}/confirm")
    bo = origin.visitor("bo")
    assert (await bo.book(new, await bo.decision())).status_code == 201
    for path, fields in ((f"{page}/slots/{new}/hold", form), (f"{page}/slots/{new}/confirm", form)):
        gone = await ana.send(path, fields)
        assert gone.status_code == 409
        assert "your appointment is as it was" in gone.text
        assert f'action="{page}/slots/{near}/confirm"' in gone.text
    assert led(await ana.post(f"{page}/slots/{near}/confirm", {})) == (303, f"{page}?moved=1")


async def test_a_time_that_is_none_leads_back_to_the_list(origin: Origin, ana: Browser) -> None:
    page = await booked(ana, await origin.world.slot())
    id_ = page.rpartition("/")[2]
    for slot in (10**9, 2**63):
        lost = await ana.get(f"{page}/slots/{slot}/confirm")
        assert lost.status_code == 404
        if slot == 10**9:
            assert f'href="/slots?move={id_}"' in lost.text


async def test_the_policy_is_told_in_words_and_what_it_forbids_is_not_offered(origin: Origin, ana: Browser) -> None:
    slot, other = await origin.world.slot(hours=48), await origin.world.slot(hours=50)
    page = await booked(ana, slot)
    shown = (await ana.get(page)).text
    assert "until Wednesday 3 March 2027, 10:00, local time in Madrid" in shown
    assert "You can still" not in shown
    await origin.world.policy(change_until=timedelta(hours=12), moves_at_most=2, cancels_at_most=1)
    shown = (await ana.get(page)).text
    for words in ("until Tuesday 2 March 2027, 22:00", "move it 2 times", "cancel 1 time in this programme"):
        assert words in shown
    assert f"/slots?move={page.rpartition('/')[2]}" in (await ana.get(f"{page}/cancel")).text
    await ana.post(f"{page}/slots/{other}/confirm", {})
    assert "move it 1 time." in (await ana.get(page)).text
    await origin.world.policy(moves_at_most=1, cancels_at_most=0)
    shown = (await ana.get(page)).text
    assert "It cannot be moved any more" in shown
    assert "It cannot be cancelled here" in shown
    assert "/cancel" not in shown
    assert "/slots?move=" not in shown


@pytest.mark.parametrize(
    ("policy", "heading"),
    [
        ({"change_until": timedelta(hours=48)}, "It is too late to change it here"),
        ({"moves_at_most": 0, "cancels_at_most": 0}, "You cannot change it again"),
    ],
)
async def test_what_the_policy_forbids_is_refused_kindly(
    origin: Origin, ana: Browser, policy: dict[str, Any], heading: str
) -> None:
    slot, other = await origin.world.slot(), await origin.world.slot(hours=30)
    page = await booked(ana, slot)
    csrf = await ana.form_of(f"{page}/cancel")
    way = f"{page}/slots/{other}"
    key = await ana.form_of(f"{way}/confirm")
    await origin.world.policy(**policy)
    answers = [
        await ana.get(f"{page}/cancel"),
        await ana.get(f"/slots?move={page.rpartition('/')[2]}"),
        await ana.get(f"{way}/confirm"),
        await ana.send(f"{page}/cancel", csrf),
        await ana.send(f"{way}/hold", csrf),
        await ana.send(f"{way}/confirm", key),
    ]
    assert [(answer.status_code, heading in answer.text) for answer in answers] == [(409, True)] * 6
    assert "tell the place" in (await ana.get(f"{page}/cancel")).text


async def test_a_cancelled_appointment_and_other_peoples_are_not_moved(origin: Origin, ana: Browser) -> None:
    slot, other = await origin.world.slot(), await origin.world.slot(hours=30)
    page = await booked(ana, slot)
    eve = Browser(origin, "eve")
    for path in (f"{page}/slots/{other}/confirm", f"/slots?move={page.rpartition('/')[2]}", "/slots?move=x"):
        assert (await eve.get(path)).status_code == 404
    await ana.post(f"{page}/cancel", {})
    assert "This appointment is cancelled" in (await ana.get(f"{page}/slots/{other}/confirm")).text
