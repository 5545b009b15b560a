"""The waiting pages as they are sent, without any script: schedule, draw, turn, letters and codes."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.guard.passes import Passes
from edge.line.room import RoomPlan
from tests.edge_processes import until
from tests.edge_world import TICKET_KEYS, client, config, line, plan
from tests.serving import Serve

SLOW = {"rate_per_s": 0.01, "burst": 1}
LETTERS = [{"lane": "general"}, {"lane": "letters", "access": "pass"}]
BATCH = "K7Q2M9XD"
ACCEPT = {"Accept": "text/html"}
JOIN_BUTTON = "Take my place in line"


def ahead(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def rooms() -> list[RoomPlan]:
    hour, day = ahead(3600), ahead(86_400)
    early = {"prequeue_at": ahead(-60), "opens_at": hour}
    return [
        plan(id="scheduled", prequeue_at=hour, opens_at=day, **SLOW),
        plan(id="scheduled-draw", prequeue_at=hour, opens_at=day, discipline="lottery", **SLOW),
        plan(id="early", **early, **SLOW),
        plan(id="early-draw", **early, discipline="lottery", **SLOW),
        plan(id="draining", state="draining", **SLOW),
        plan(id="letters", lanes=LETTERS, **SLOW),
        plan(id="invited", lanes=LETTERS[1:], **SLOW),
        plan(id="slow", **SLOW),
        plan(id="fast", rate_per_s=2000, burst=1000, token_ttl_s=1200),
    ]


@pytest.fixture
async def visitor(valkey: Redis, valkey_server: Valkey, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts."""
    async with client(await serve(create_app(config(valkey_server.url, *rooms())))) as browser:
        browser.headers.update(ACCEPT)
        browser.follow_redirects = True
        yield browser


def text(response: httpx.Response) -> str:
    """What can be seen of a page: neither what is hidden, nor tags."""
    html = re.sub(r'<script type="application/json".*?</script>', "", response.text, flags=re.DOTALL)
    for tag in ("section", "div", "p", "span"):
        html = re.sub(rf"<{tag}[^>]* hidden>(?:(?!<{tag}).)*?</{tag}>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def form(visitor: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form."""
    return await visitor.post(f"/rooms/{path}", data=fields)


async def test_before_anybody_can_join_the_page_says_from_when_and_comes_again(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/rooms/scheduled")
    assert "Nobody can join yet." in text(page)
    assert re.search(r"You can join from \w+, \w+ \d+, \d{4} – \d+:\d\d\s[AP]M UTC", text(page))
    assert "Time left 1 hour" in text(page)
    assert JOIN_BUTTON not in page.text
    assert 60 <= int(page.headers["refresh"]) <= 70
    assert "draw" not in text(page)
    assert "it does not matter when in that time you come" in text(await visitor.get("/rooms/scheduled-draw"))
    assert "Nobody can join yet." in text(await form(visitor, "scheduled/join"))


async def test_a_script_that_keeps_the_page_fresh_gets_no_refresh(visitor: httpx.AsyncClient) -> None:
    live = await visitor.get("/rooms/scheduled", headers={"Cookie": "vestibule_live=1"})
    assert "refresh" not in live.headers


async def test_before_the_opening_one_can_join_and_sees_when_it_is(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/rooms/early")
    assert "Nobody is let in before the line opens." in text(page)
    assert "The line opens" in text(page)
    line = await form(visitor, "early/join")
    assert "Your place 1" in text(line)
    assert "The line opens" in text(line)
    assert "Time left 1 hour" in text(line)


async def test_an_entry_of_a_draw_has_a_number_and_a_fingerprint_but_no_place(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/rooms/early-draw")
    assert "it does not matter when you come" in text(page)
    assert JOIN_BUTTON not in page.text
    line = await form(visitor, "early-draw/join")
    fingerprint = (await visitor.get("/v1/rooms/early-draw")).json()["lottery"]["commitment"]
    assert "Your entry 1 Fingerprint of the draw" in text(line)
    assert f"{fingerprint[:8]}…" in text(line)
    assert f"--room early-draw --lane general --entry 1 --commitment {fingerprint}" in text(line)
    assert "Your place 1" not in text(line)


async def test_after_the_draw_the_page_says_which_place_the_entry_got(
    valkey: Redis, valkey_server: Valkey, serve: Serve
) -> None:
    room = plan(id="soon", prequeue_at=ahead(-60), opens_at=ahead(2), discipline="lottery", **SLOW)
    async with client(await serve(create_app(config(valkey_server.url, room)))) as browser:
        browser.headers.update(ACCEPT)
        joined = (await browser.post("/v1/rooms/soon/tickets")).json()
        assert (joined["place"], joined["state"]) == (None, "entered")

        async def drawn() -> bool:
            return bool((await browser.get("/v1/rooms/soon/tickets/me")).json()["place"])

        await until(drawn)
        assert "Your entry 1 was drawn to place 1." in text(await browser.get("/rooms/soon"))


async def test_a_line_that_takes_nobody_new_in_says_so(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/rooms/draining")
    assert "This line takes nobody new in." in text(page)
    assert JOIN_BUTTON not in page.text
    assert "Takes nobody new in any more" in (await visitor.get("/")).text


async def test_the_turn_waits_for_a_press_and_promises_only_what_the_waiting_room_knows(
    visitor: httpx.AsyncClient,
) -> None:
    await form(visitor, "fast/join")

    async def called() -> bool:
        return "It is your turn" in text(await visitor.get("/rooms/fast"))

    await until(called)
    page = await visitor.get("/rooms/fast")
    assert "Your time for booking begins only then; how long it is, the booking page says." in text(page)
    assert "20 minutes" not in text(page)
    assert page.headers["refresh"] == "30"
    assert (await visitor.get("/v1/rooms/fast")).json()["admitted"] == 0, "looking lets nobody through"
    through = await form(visitor, "fast/enter")
    assert 'name="token"' in through.text
    assert "This button works for 20 minutes." in text(through)
    again = await visitor.get("/rooms/fast")
    assert "Then go in again" in text(again)
    assert 'name="token"' in (await form(visitor, "fast/enter")).text


async def test_who_has_gone_in_too_often_is_told_kindly_and_may_join_again(
    visitor: httpx.AsyncClient, valkey: Redis
) -> None:
    await form(visitor, "fast/join")

    async def through() -> bool:
        return 'name="token"' in (await form(visitor, "fast/enter")).text

    await until(through)
    key = "vestibule:{fast}:general:entered"
    await valkey.hset("vestibule:{fast}:room", "1.settled", "1")  # as when the call is long ago
    await valkey.bitfield(key).set("u2", "#1", 3).execute()
    page = await form(visitor, "fast/enter")
    assert "you have gone in as often as one place allows" in text(page)
    assert "Join again at the end" in text(page)
    assert "You have left the line." in text(await form(visitor, "fast/leave"))


async def test_who_stood_in_a_line_that_was_ended_is_told_so_once(visitor: httpx.AsyncClient, valkey: Redis) -> None:
    await form(visitor, "slow/join")
    room = line(valkey, id="slow", **SLOW)
    await room.look([])
    await room.reset("a row")
    told = "A new line has begun, and places of the old one no longer count."

    async def ended() -> bool:
        return told in text(await visitor.get("/rooms/slow"))

    await until(ended)
    again = text(await visitor.get("/rooms/slow"))
    assert (told in again, JOIN_BUTTON in again) == (False, True)


async def test_a_code_is_shown_and_brings_the_place_to_another_browser(visitor: httpx.AsyncClient) -> None:
    await form(visitor, "slow/join")
    shown = await form(visitor, "slow/code")
    assert "refresh" not in shown.headers
    code = re.search(r"Your code: ([0-9A-Z]{5}-[0-9A-Z]{5})", text(shown))
    assert code is not None
    visitor.cookies.clear()
    assert "Your place 1" in text(await form(visitor, "slow/resume", code=code[1].lower()))
    visitor.cookies.clear()
    used = await form(visitor, "slow/resume", code=code[1])
    assert used.status_code == 404
    assert "This code is not known here." in text(used)
    assert 'aria-invalid="true"' in used.text
    assert JOIN_BUTTON in used.text


async def test_a_code_that_nobody_can_have_typed_is_refused_like_any_other(visitor: httpx.AsyncClient) -> None:
    for typed in ("", "x" * 5_000, "<b>&\x00"):
        answer = await form(visitor, "slow/resume", code=typed)
        assert answer.status_code == 404
    assert (await form(visitor, "slow/resume")).status_code == 404


@pytest.fixture
def letter() -> Iterator[str]:
    """A good pass of the lane of letters."""
    numbers = count(1)
    return (Passes(TICKET_KEYS).issue("letters", "letters", BATCH, n) for n in numbers)


async def test_a_letter_opens_its_lane_and_a_used_one_is_explained(
    visitor: httpx.AsyncClient, letter: Iterator[str]
) -> None:
    page = await visitor.get("/rooms/letters")
    assert "I have a letter with a pass" in text(page)
    assert "Pass from your letter" not in text(await visitor.get("/rooms/slow"))
    given = next(letter)
    await form(visitor, "letters/join", **{"pass": given.lower()})
    assert (await visitor.get("/v1/rooms/letters/tickets/me")).json()["lane"] == "letters"
    visitor.cookies.clear()
    used = await form(visitor, "letters/join", **{"pass": given})
    assert used.status_code == 409
    assert "A place was already taken with this pass." in text(used)


async def test_a_mistyped_pass_stays_in_its_field(visitor: httpx.AsyncClient, letter: Iterator[str]) -> None:
    typed = next(letter)[:-1] + '"><script>'
    page = await form(visitor, "letters/join", **{"pass": typed})
    assert page.status_code == 403
    assert "Compare it with your letter" in text(page)
    assert 'value="' + typed[:27] in page.text
    assert '"><script>' not in page.text
    assert (await visitor.get("/v1/rooms/letters")).json()["joined"] == 0


async def test_a_line_by_invitation_asks_for_the_letter(visitor: httpx.AsyncClient) -> None:
    page = await form(visitor, "invited/join", **{"pass": ""})
    assert page.status_code == 422
    assert "This line is for people with a letter." in text(page)
    assert " required>" in page.text


async def test_without_a_pass_the_open_lane_is_joined(visitor: httpx.AsyncClient) -> None:
    await form(visitor, "letters/join", **{"pass": " "})
    assert (await visitor.get("/v1/rooms/letters/tickets/me")).json()["lane"] == "general"
