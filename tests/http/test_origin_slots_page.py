"""The page of free times: what it lists, counts and links to is what there is."""

import re
from html import unescape

import pytest

from tests.origin_browser import Browser
from tests.origin_world import SENIOR, Origin

LIST = re.compile(r'formaction="/slots/(\d+)/hold"')


@pytest.fixture
async def ana(origin: Origin) -> Browser:
    """Somebody who may book either product."""
    made = Browser(origin)
    await made.answer(SENIOR)
    return made


async def listed(ana: Browser, address: str) -> list[int]:
    page = await ana.get(address)
    assert page.status_code == 200
    return [int(slot) for slot in LIST.findall(page.text)]


def link(text: str, name: str) -> str | None:
    found = re.search(rf'href="([^"]*)"[^>]*>{name}</a>', text)
    return unescape(found[1]) if found else None


async def test_the_list_follows_place_vaccine_needs_and_order(origin: Origin, ana: Browser) -> None:
    world = origin.world
    madrid, later = await world.slot(hours=30), await world.slot(hours=31, product="168")
    toledo = await world.slot(site=2, hours=26)
    await world.connection.execute("UPDATE site SET postcode = '45001', accessibility = '{braille}' WHERE id = 2")
    origin.world.clock.advance(61)  # the towns are read again
    assert await listed(ana, "/slots?place=madrid&radius=100") == [madrid, later, toledo]
    assert await listed(ana, "/slots?radius=100&sort=first_available") == [toledo, madrid, later]  # the town is kept
    assert await listed(ana, "/slots?place=Madrid&radius=100&product=168") == [later]
    assert await listed(ana, "/slots?place=45001&radius=10") == [toledo]
    assert await listed(ana, "/slots?place=Madrid&radius=100&accessibility=braille") == [toledo]
    await world.connection.execute("UPDATE site SET step_free = false WHERE id = 1")
    assert await listed(ana, "/slots?place=Madrid&radius=100&step_free=1") == [toledo]


async def test_a_place_that_is_unknown_or_not_clear_leads_to_those_that_could_be_meant(
    origin: Origin, ana: Browser
) -> None:
    await origin.world.slot()
    page = await ana.get("/slots?place=Madr&radius=50")
    assert 'aria-invalid="true"' in page.text
    assert 'value="Madr"' in page.text
    meant = link(page.text, "<bdi>Madrid, ES-MD</bdi>")
    assert meant is not None
    assert "radius=50" in meant
    assert len(await listed(ana, meant)) == 1
    await origin.world.connection.execute("UPDATE site SET town = 'Madrid' WHERE id = 3")
    page = await ana.get("/slots?place=madrid")
    assert {link(page.text, f"<bdi>Madrid, {region}</bdi>") is None for region in ("ES-MD", "ES-CN")} == {False}
    assert "aria-invalid" not in (await ana.get("/slots?place=%00")).text  # as if nothing was typed


@pytest.mark.parametrize("sort", ["nearest", "first_available"])
async def test_more_times_go_on_where_the_page_ended(
    origin: Origin, ana: Browser, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("origin.web.slots._PAGE", {"nearest": 4, "first_available": 4})
    slots = [await origin.world.slot(site=1 + n % 2, hours=24 + n) for n in range(10)]
    address: str | None = f"/slots?place=Madrid&radius=100&sort={sort}"
    seen: list[list[int]] = []
    while address and len(seen) < 9:
        page = await ana.get(address)
        seen.append([int(slot) for slot in LIST.findall(page.text)])
        assert (link(page.text, "Back to the first times") is None) == (len(seen) == 1)
        address = link(page.text, "More times")
    assert [len(each) for each in seen] == [4, 4, 2]
    assert sorted(slot for page in seen for slot in page) == slots
    assert await listed(ana, f"/slots?place=Madrid&radius=100&sort={sort}&after=x") == seen[0]


async def test_the_month_counts_what_its_days_then_list(origin: Origin, ana: Browser) -> None:
    for hours, capacity in ((25, 2), (26, 3), (24 * 9, 4), (24 * 33, 5)):
        await origin.world.slot(hours=hours, capacity=capacity)
    page = (await ana.get("/slots?place=Madrid")).text
    names = dict(re.findall(r'href="([^"]+)"[^>]* aria-label="([^"]+ 2027): [0-9]+ places?"', page))
    assert set(names.values()) == {"Tuesday 2 March 2027", "Wednesday 10 March 2027"}
    assert "Tuesday 2 March 2027: 5 places" in page
    address = next(unescape(address) for address, name in names.items() if "10 March" in name)
    assert len(await listed(ana, address)) == 1
    later = re.search(r'href="([^"]+)" aria-label="The month after"', page)
    assert later is not None
    assert "Saturday 3 April 2027: 5 places" in (await ana.get(unescape(later[1]))).text


async def test_the_map_has_the_numbers_of_the_list_and_says_of_when_it_is(origin: Origin, ana: Browser) -> None:
    for site in (1, 2):
        await origin.world.slot(site=site)
    page = (await ana.get("/slots?place=Madrid&radius=100")).text
    assert re.findall(r'<h3><span class="nth">(\d+)</span> <bdi>([^<]+)', page) == [
        ("1", "Health centre"),
        ("2", "Library"),
    ]
    assert re.findall(r'<text class="nth"[^>]*>(\d+)<', page) == ["1", "2"]
    assert re.search(r'<path class="bar".*\n<text class="km"[^>]*>\d+ km<', page)
    assert "as of 10:00:00" in page  # nine o'clock UTC, on Madrid's clock


async def test_where_these_days_have_nothing_the_next_that_has_is_one_click_away(origin: Origin, ana: Browser) -> None:
    slot = await origin.world.slot(hours=24 * 12)
    page = await ana.get("/slots?place=Madrid")
    address = link(page.text, "Go to the next free day: Saturday 13 March 2027")
    assert address is not None
    assert await listed(ana, address) == [slot]
