"""The search for a slot: by distance and time, nearest or earliest first, page by page, and what it says of its age."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.origin_world import START, Origin

WHERE = {"lat": "40.4", "lng": "-3.7"}


async def ask(origin: Origin, path: str = "/v1/slots", /, **query: str | list[str]) -> httpx.Response:
    return await origin.client.get(path, params=query, headers=origin.visitor().headers)


async def found(origin: Origin, **query: str | list[str]) -> dict[str, Any]:
    answer = await ask(origin, **query)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


async def ids(origin: Origin, **query: str | list[str]) -> list[int]:
    return [slot["id"] for slot in (await found(origin, **query))["slots"]]


async def test_search_finds_nearest_first_then_earliest_within_radius_and_time(origin: Origin) -> None:
    world, headers = origin.world, origin.visitor().headers
    toledo, late, early = await world.slot(site=2, hours=5), await world.slot(hours=50), await world.slot(hours=26)
    await world.slot(site=3)  # Las Palmas, far away
    await world.slot(hours=24 * 20)  # beyond the two weeks that are searched by default
    full = await world.slot(hours=30)
    await world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", full)
    other = await world.slot(hours=31, product="168")

    async def search(**query: str) -> list[int]:
        return await ids(origin, **WHERE, **query)

    assert await search(radius_km="100") == [early, other, late, toledo]
    assert await search(radius_km="20") == [early, other, late]
    assert await search(radius_km="100", product="140") == [early, late, toledo]
    assert await search(radius_km="100", limit="1") == [early]
    assert await search(radius_km="100", per_site="1") == [early, toledo]
    begins = (START + timedelta(hours=26)).isoformat().replace("+00:00", "Z")
    assert await search(radius_km="20", to="2027-03-03T10:59:00Z", **{"from": begins}) == [early, other]
    assert await search(radius_km="20", to=begins) == []
    answer = (await origin.client.get("/v1/slots", params=WHERE | {"rule_version": "1"}, headers=headers)).json()
    assert answer["rules_changed"] is False
    assert answer["as_of"] == "2027-03-01T09:00:00Z"
    await world.rules(title={"en": "Changed"})
    answer = (await origin.client.get("/v1/slots", params=WHERE | {"rule_version": "1"}, headers=headers)).json()
    assert answer["rules_changed"] is True


async def test_a_place_next_to_the_equator_by_less_than_anything_is_a_place(origin: Origin) -> None:
    where = {"lat": "-2.2250738585072014e-308", "lng": "5e-324", "radius_km": "5e-324"}
    assert await ids(origin, **where) == []
    assert await ids(origin, **where, sort="first_available") == []


async def test_products_and_what_a_site_offers_narrow_the_search(origin: Origin) -> None:
    world, near = origin.world, WHERE | {"radius_km": "100"}
    flu, strong, high = [await world.slot(hours=20 + n, product=code) for n, code in enumerate(("140", "168", "197"))]
    toledo = await world.slot(site=2)
    await world.connection.execute("UPDATE site SET step_free = false WHERE id = 1")
    await world.connection.execute("UPDATE site SET accessibility = '{braille,hearing_loop}' WHERE id = 2")
    assert await ids(origin, **near, product=["168", "197"]) == [strong, high]
    assert await ids(origin, **near) == [flu, strong, high, toledo]
    for sort in ("nearest", "first_available"):
        assert await ids(origin, **near, sort=sort, step_free="true") == [toledo]
        assert await ids(origin, **near, sort=sort, accessibility=["hearing_loop", "braille"]) == [toledo]
        assert await ids(origin, **near, sort=sort, accessibility=["hearing_loop", "quiet_room"]) == []
        assert await ids(origin, **near, sort=sort, product="197") == [high]
    slots = (await found(origin, **near))["slots"]
    assert [slots[n]["site"]["accessibility"] for n in (0, 3)] == [[], ["braille", "hearing_loop"]]
    answer = await ask(origin, **near, accessibility="stairs")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")


async def test_the_first_available_come_in_the_order_of_time_then_distance(origin: Origin) -> None:
    world, near = origin.world, WHERE | {"radius_km": "100", "sort": "first_available"}
    late, early = await world.slot(hours=50), await world.slot(hours=26)
    toledo_first, toledo_same = await world.slot(site=2, hours=5), await world.slot(site=2, hours=26)
    assert await ids(origin, **near) == [toledo_first, early, toledo_same, late]
    assert await ids(origin, **near, limit="1") == [toledo_first]
    answer = await ask(origin, **near, per_site="1")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")


@pytest.mark.parametrize("sort", ["nearest", "first_available"])
async def test_pages_neither_repeat_nor_skip_what_stays_whatever_comes_and_goes_between_them(
    origin: Origin, sort: str
) -> None:
    world = origin.world
    slots = [await world.slot(site=1 + n % 2, hours=10 + 3 * (n // 2), product="140") for n in range(14)]
    slots += [await world.slot(site=1, hours=10, product=code) for code in ("168", "197")]  # at the same moment
    query = WHERE | {"radius_km": "100", "sort": sort, "limit": "2"}  # the first page ends within that moment
    whole = await ids(origin, **WHERE, radius_km="100", sort=sort)
    assert sorted(whole) == sorted(slots)
    seen, after, gone = [], None, {whole[3], whole[7], whole[8]}
    for page in range(20):
        answer = await found(origin, **query, **({"after": after} if after else {}))
        seen += [slot["id"] for slot in answer["slots"]]
        after = answer["next"]
        if after is None:
            break
        if page == 0:
            await world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = ANY($1)", list(gone))
            await world.slot(site=2, hours=1)  # comes in before where the pages are
            world.clock.advance(60)
    stayed = [slot for slot in whole if slot not in gone]
    assert [slot for slot in seen if slot in stayed] == stayed
    assert len(seen) == len(set(seen))


async def test_the_pages_of_each_sites_first_times_go_from_site_to_site(origin: Origin) -> None:
    world = origin.world
    first, _, toledo = [await world.slot(site=site, hours=hours) for site, hours in ((1, 5), (1, 6), (2, 4))]
    query = WHERE | {"radius_km": "100", "per_site": "1", "limit": "1"}
    page = await found(origin, **query)
    assert [slot["id"] for slot in page["slots"]] == [first]
    page = await found(origin, **query, after=page["next"])
    assert ([slot["id"] for slot in page["slots"]], page["next"]) == ([toledo], None)


async def test_a_cursor_is_good_for_its_own_search_only(origin: Origin) -> None:
    for hours in (5, 6):
        await origin.world.slot(hours=hours)
    after = (await found(origin, **WHERE, limit="1"))["next"]
    assert len(await ids(origin, **WHERE, limit="2", after=after)) == 1  # the length of a page is its own matter
    for query in (
        {**WHERE, "radius_km": "10"},
        {**WHERE, "sort": "first_available"},
        {**WHERE, "lat": "40.5"},
        {**WHERE, "step_free": "true"},
        {**WHERE, "product": "140"},
    ):
        answer = await ask(origin, **query, after=after)
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_unknown")
    for wrong in ("x", after[:-3], after[::-1], "é" * 9, "AAAA"):
        answer = await ask(origin, **WHERE, after=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_unknown")


async def test_a_search_begins_at_a_town_or_postal_code_as_people_type_it(origin: Origin) -> None:
    slot, toledo = await origin.world.slot(), await origin.world.slot(site=2)
    await origin.world.connection.execute("UPDATE site SET postcode = '28 013' WHERE id = 1")
    for typed in ("Madrid", "mádrid ", "28013", "28 013", "Madrid, ES-MD"):
        assert await ids(origin, place=typed, radius_km="30") == [slot]
    assert await ids(origin, place="Madrid", radius_km="100") == [slot, toledo]
    answer = await ask(origin, place="Madr", radius_km="30")
    assert (answer.status_code, answer.json()["code"]) == (404, "place_unknown")
    assert [place["place"] for place in answer.json()["places"]] == ["Madrid, ES-MD"]
    await origin.world.connection.execute("UPDATE site SET town = 'Madrid' WHERE id = 3")
    answer = await ask(origin, place="Madrid")
    assert (answer.status_code, answer.json()["code"]) == (422, "place_ambiguous")
    assert {place["place"] for place in answer.json()["places"]} == {"Madrid, ES-MD", "Madrid, ES-CN"}
    assert await ids(origin, place="Madrid, ES-MD", radius_km="30") == [slot]


@pytest.mark.parametrize("query", [{}, {"lat": "40"}, {"lng": "1"}, WHERE | {"place": "Madrid"}, {"place": ""}])
async def test_a_search_must_say_where_once(origin: Origin, query: dict[str, str]) -> None:
    for path, more in (("/v1/slots", {}), ("/v1/slots/days", {"month": "2027-03"})):
        answer = await ask(origin, path, **query, **more)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")


async def test_places_are_found_by_how_they_begin(origin: Origin) -> None:
    answer = await ask(origin, "/v1/places", q="las pal")
    assert [place["place"] for place in answer.json()["places"]] == ["Las Palmas, ES-CN"]
    assert answer.json()["places"][0]["sites"] == 1
    assert answer.json()["as_of"] == "2027-03-01T09:00:00Z"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert (await ask(origin, "/v1/places", q="zzz")).json()["places"] == []
    refused = await origin.client.get("/v1/places", params={"q": "las"})
    assert (refused.status_code, refused.json()["code"]) == (403, "admission_missing")


async def test_the_days_of_a_month_count_free_places_on_the_sites_own_calendars(origin: Origin) -> None:
    world = origin.world  # it is 9:00 UTC on 1 March
    for site, hours, capacity in ((1, 5, 3), (1, 24, 2), (2, 24, 4), (2, 30, 1), (1, 24 * 30 + 14.5, 7)):
        await world.slot(site=site, hours=hours, capacity=capacity)  # the last: 31 March, 23:30 UTC, is 1 April there
    full = await world.slot(hours=48)
    await world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", full)

    async def days(**query: str) -> list[tuple[str, int, int]]:
        answer = await ask(origin, "/v1/slots/days", **WHERE, **query)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["month"], answer.json()["more_sites"]) == (query["month"], False)
        assert answer.json()["as_of"] == "2027-03-01T09:00:00Z"
        return [(day["day"], day["places"], day["sites"]) for day in answer.json()["days"]]

    assert await days(month="2027-03", radius_km="100") == [("2027-03-01", 3, 1), ("2027-03-02", 7, 2)]
    assert await days(month="2027-03", radius_km="20") == [("2027-03-01", 3, 1), ("2027-03-02", 2, 1)]
    assert await days(month="2027-04", radius_km="100") == [("2027-04-01", 7, 1)]
    assert await days(month="2027-02", radius_km="100") == []
    assert await days(month="2027-03", radius_km="100", product="168") == []
    for month in ("2027-13", "2027-3", "0000-01", "9999-12"):
        answer = await ask(origin, "/v1/slots/days", **WHERE, month=month)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")


@pytest.mark.parametrize(
    ("path", "query"),
    [("/v1/slots", WHERE), ("/v1/slots/days", WHERE | {"month": "2027-03"}), ("/v1/places", {"q": "madrid"})],
)
async def test_who_has_the_same_answer_already_is_told_so_and_no_more(
    origin: Origin, path: str, query: dict[str, str]
) -> None:
    slot, headers = await origin.world.slot(capacity=2), origin.visitor().headers
    first = await origin.client.get(path, params=query, headers=headers)
    origin.world.clock.advance(1)  # another `as_of`, nothing else
    headers |= {"If-None-Match": first.headers["etag"]}
    same = await origin.client.get(path, params=query, headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    await origin.world.connection.execute("UPDATE slot SET remaining = 1 WHERE id = $1", slot)
    await origin.world.connection.execute("UPDATE site SET lat = lat + 0.001 WHERE id = 1")
    assert (await origin.client.get(path, params=query, headers=headers)).status_code == 200


async def test_what_depends_on_the_admission_is_kept_by_nobody_but_its_browser(origin: Origin) -> None:
    """The address does not name the programme: a shared cache would give one programme's slots to another's people."""
    for path, query in (("/v1/slots", WHERE), ("/v1/slots/days", WHERE | {"month": "2027-03"})):
        answer = await ask(origin, path, **query)
        assert answer.headers["cache-control"] == "private, max-age=1"
        assert answer.headers["vary"] == "Admission-Token, Cookie"
