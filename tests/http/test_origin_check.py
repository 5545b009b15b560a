"""The self-check: anybody may ask, nothing is kept of it anywhere, and it is kept from costing those who book."""

import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from origin.identity import SESSION_COOKIE
from origin.web.turnstile import Turnstile
from shared.clock import ManualClock
from tests import origin_world
from tests.origin_world import ISSUER, START, Origin
from tests.rules_world import Officials, from_age

SENIOR = {"day": "17", "month": "5", "year": "1950", "region": "ES-MD", "conditions": ["none"]}
ADULT = SENIOR | {"year": "1990", "job": "none"}


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path, check_per_s=20, check_at_once=4) as made:
        yield made


async def check(origin: Origin, form: dict[str, Any], lang: str = "en", **headers: str) -> httpx.Response:
    """Send answers."""
    address = f"/check/demo?lang={lang}"
    return await origin.client.post(address, data=form, headers={"Accept": "text/html"} | headers)


def heading(page: httpx.Response) -> str:
    """The page's heading."""
    found = re.search(r"<h1[^>]*>([^<]*)</h1>", page.text)
    assert found, page.text
    return found[1]


async def test_it_asks_as_booking_does_and_says_what_the_rules_say(origin: Origin) -> None:
    first = await origin.client.get("/check/demo")
    assert (first.status_code, heading(first)) == (200, "Could I book?")
    assert re.findall(r'name="asked" value="(\w+)"', first.text) == ["birth"]
    second = await check(origin, {"asked": "birth"} | {name: SENIOR[name] for name in ("day", "month", "year")})
    assert re.findall(r'name="asked" value="(\w+)"', second.text) == ["birth", "region"]
    assert 'value="1950"' in second.text
    assert heading(await check(origin, SENIOR)) == "Yes, by today's rules you could book"
    adult = await check(origin, ADULT)
    assert heading(adult) == "Not yet, by today's rules"
    assert "Tuesday 17 May 2050" in adult.text  # when this person is sixty
    assert "You have diabetes." in adult.text
    assert "You are 65 or older" not in adult.text.partition("What would change it")[2]


async def test_a_faulty_answer_is_named_and_nothing_typed_is_lost(origin: Origin) -> None:
    page = await check(origin, SENIOR | {"asked": ["birth", "region"], "day": "31", "month": "2", "job": "ISCO-221"})
    assert page.status_code == 422
    assert "That day does not exist" in page.text
    for kept in ('value="31"', '<input type="hidden" name="job" value="ISCO-221">'):
        assert kept in page.text
    assert re.findall(r'name="asked" value="(\w+)"', page.text) == [
        "birth",
        "region",
    ]  # nothing vanishes under a mistake
    assert 'value="ES-MD" selected' in page.text


@pytest.mark.parametrize(
    ("lang", "said"),
    [("es", "Todavía no"), ("fr", "Pas encore"), ("ar", "ليس بعد")],
)
async def test_the_answer_comes_in_the_language_of_the_address_or_of_the_button(
    origin: Origin, lang: str, said: str
) -> None:
    assert said in (await check(origin, ADULT, lang)).text
    switched = await check(origin, ADULT | {"lang": lang}, "en")
    assert said in switched.text
    assert not switched.headers.get_list("set-cookie")


async def _rows(origin: Origin) -> dict[str, int]:
    tables = await origin.world.connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"]: await origin.world.count(row["tablename"]) for row in tables}


async def test_nothing_is_kept_of_it_anywhere(
    origin: Origin, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """U3: no row, no cookie, no log line, no metric, no address has anything of what was answered or of who asked."""
    caplog.set_level(logging.DEBUG)
    state = origin.state
    expires_at = int(START.timestamp()) + 3600
    session = state.people.start_session(ISSUER, "ana", frozenset({"visitor"}), expires_at)
    before = await _rows(origin)
    people = state.crowd.__dict__.copy()
    forms: list[dict[str, Any]] = [SENIOR, ADULT, SENIOR | {"asked": "birth", "day": "99"}, {}]
    cookie = f"{SESSION_COOKIE}={session}"
    answers = [await check(origin, form, Cookie=cookie) for form in forms]
    answers.append(await origin.client.get("/check/demo?lang=en"))
    origin.world.clock.advance(2)
    await origin.world.connection.execute("ALTER VIEW rules_in_force RENAME TO mislaid")
    answers.append(await check(origin, SENIOR, Cookie=cookie))
    await origin.world.connection.execute("ALTER VIEW mislaid RENAME TO rules_in_force")
    assert [answer.status_code for answer in answers] == [200, 200, 422, 200, 200, 503]
    assert await _rows(origin) == before
    assert state.crowd.__dict__ == people
    assert [each for answer in answers for each in answer.headers.get_list("set-cookie")] == []
    assert {str(answer.url).rpartition("/check/")[2] for answer in answers} == {"demo?lang=en"}
    metrics = (await origin.client.get("/metrics")).text
    written = "".join(capfd.readouterr()) + caplog.text
    assert "rules_unavailable" in written
    assert "vestibule_origin_checks" in metrics
    for planted in ("1950", "1990", "ES-MD", "birth", session[:20]):
        assert planted not in written + metrics, planted


async def test_what_is_typed_is_never_taken_from_an_address(origin: Origin) -> None:
    page = await origin.client.get("/check/demo", params=SENIOR)
    assert re.findall(r'name="asked" value="(\w+)"', page.text) == ["birth"]
    assert "1950" not in page.text


async def test_the_first_page_is_for_caches_and_every_answer_is_not(origin: Origin) -> None:
    first = await origin.client.get("/check/demo?lang=fr")
    assert first.headers["cache-control"] == "public, max-age=30"
    assert first.headers["vary"] == "Accept-Encoding"
    assert (await origin.client.get("/check/demo")).headers["cache-control"] == "no-store"
    assert (await check(origin, SENIOR)).headers["cache-control"] == "no-store"
    assert (await origin.client.get("/check/nothing", headers={"Accept": "text/html"})).status_code == 404


async def test_a_crowd_is_told_to_come_back_and_booking_goes_on(origin: Origin) -> None:
    """More than ``check_per_s`` are refused, counted, and neither waited for nor taken for a fault of booking."""
    slot = await origin.world.slot()
    visitor = origin.visitor()
    decision = await visitor.decision()
    answers = [await check(origin, SENIOR) for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) == 10
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert "Please ask again in a moment" in refused[0].text
    assert origin.metric("checks_total", outcome="busy") == 10
    assert (await visitor.book(slot, decision)).status_code == 201
    feed = (await origin.client.get("/v1/capacity")).json()
    assert feed["errors"]["share"] == 0, feed
    origin.world.clock.advance(int(refused[0].headers["retry-after"]))
    assert (await check(origin, SENIOR)).status_code == 200


def test_the_turnstile_lets_in_so_many_a_second_and_so_many_at_once() -> None:
    clock = ManualClock(START)
    turnstile = Turnstile(clock, per_s=5, at_once=3)
    assert [turnstile.enter() for _ in range(3)] == [0, 0, 0]
    assert turnstile.enter() > 0
    for _ in range(3):
        turnstile.leave()
    assert [turnstile.enter() > 0 for _ in range(3)] == [False, False, True]
    clock.advance(1)
    turnstile.leave()
    turnstile.leave()
    assert turnstile.enter() == 0
    assert Turnstile(clock, per_s=0, at_once=3).enter() > 60


async def test_where_a_region_has_rules_of_its_own_it_is_asked_first(origin: Origin) -> None:
    await Officials(origin.client).active(from_age(80), "ES-MD")
    origin.world.clock.advance(2)
    first = await origin.client.get("/check/demo")
    assert re.findall(r'name="asked" value="(\w+)"', first.text) == ["region"]
    assert heading(await check(origin, SENIOR)) == "Not yet, by today's rules"
    assert heading(await check(origin, SENIOR | {"region": "ES-CM"})) == "Yes, by today's rules you could book"
