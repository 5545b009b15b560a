"""The search for a slot: nearest first, then earliest, within distance and time."""

from datetime import timedelta

from tests.origin_world import START, Origin

WHERE = {"lat": "40.4", "lng": "-3.7"}


async def test_search_finds_nearest_first_then_earliest_within_radius_and_time(origin: Origin) -> None:
    world, headers = origin.world, origin.visitor().headers
    toledo, late, early = await world.slot(site=2, hours=5), await world.slot(hours=50), await world.slot(hours=26)
    await world.slot(site=3)  # Las Palmas, far away
    await world.slot(hours=24 * 20)  # beyond the two weeks that are searched by default
    full = await world.slot(hours=30)
    await world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", full)
    other = await world.slot(hours=31, product="168")

    async def search(**query: str) -> list[int]:
        answer = await origin.client.get("/v1/slots", params=WHERE | query, headers=headers)
        assert answer.status_code == 200, answer.text
        return [slot["id"] for slot in answer.json()["slots"]]

    assert await search(radius_km="100") == [early, other, late, toledo]
    assert await search(radius_km="20") == [early, other, late]
    assert await search(radius_km="100", product="140") == [early, late, toledo]
    assert await search(radius_km="100", limit="1") == [early]
    assert await search(radius_km="100", per_site="1") == [early, toledo]
    begins = (START + timedelta(hours=26)).isoformat().replace("+00:00", "Z")
    assert await search(radius_km="20", to="2027-03-03T10:59:00Z", **{"from": begins}) == [early, other]
    assert await search(radius_km="20", to=begins) == []
    found = (await origin.client.get("/v1/slots", params=WHERE | {"rule_version": "1"}, headers=headers)).json()
    assert found["rules_changed"] is False
    assert found["as_of"] == "2027-03-01T09:00:00Z"
    await world.rules(title={"en": "Changed"})
    found = (await origin.client.get("/v1/slots", params=WHERE | {"rule_version": "1"}, headers=headers)).json()
    assert found["rules_changed"] is True


async def test_a_place_next_to_the_equator_by_less_than_anything_is_a_place(origin: Origin) -> None:
    where = {"lat": "-2.2250738585072014e-308", "lng": "5e-324", "radius_km": "5e-324"}
    answer = await origin.client.get("/v1/slots", params=where, headers=origin.visitor().headers)
    assert (answer.status_code, answer.json()["slots"]) == (200, [])
